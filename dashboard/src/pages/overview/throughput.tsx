import { NativeSelect } from '@mantine/core';
import { Answered } from '../../components/answered.tsx';
import { Section } from '../../components/section.tsx';
import { useLive } from '../../data/use-live.ts';
import { go, href } from '../../location/route.ts';
import { ThroughputChart } from './throughput-chart.tsx';

const spans = [
  { value: '60', label: 'last hour' },
  { value: '180', label: 'last 3 hours' },
  { value: '1440', label: 'last day' },
  { value: '10080', label: 'last week' },
];

/** Ended jobs over time; the span is part of the address. */
export default function Throughput({ minutes }: { minutes: string | null }) {
  const span = spans.find(({ value }) => value === minutes) ?? { value: '60', label: 'last hour' };
  // Until the new span is answered, the chart of the old one stays, under its own name.
  const query = useLive(['throughput', span.value], async (operator) => ({
    span: span.label,
    rows: await operator.throughput(Number(span.value)),
  }));
  return (
    <Section
      title="Ended jobs"
      aside={
        <NativeSelect
          size="xs"
          aria-label="Time span"
          data={spans}
          value={span.value}
          onChange={(event) => go(href([], { minutes: event.currentTarget.value }), { replace: true })}
        />
      }
    >
      <Answered query={query}>{(answer) => <ThroughputChart {...answer} />}</Answered>
    </Section>
  );
}
