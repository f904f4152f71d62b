import { NumberField } from '../../components/number-field.tsx';
import { Text } from '@mantine/core';
import { useState } from 'react';
import { ActionButton } from '../../components/action-button.tsx';
import { useOperator } from '../../data/operator-context.ts';
import { formatCount } from '../../format/numbers.ts';

/** Runs the failed jobs again, or gives them up; those of one type or all. */
export function DeadLetterActions({ type }: { type: string | null }) {
  const operator = useOperator();
  const [most, setMost] = useState(100);
  const jobs = type === null ? 'failed jobs' : `failed jobs of type ${type}`;
  const field = <NumberField label="At most" value={most} min={1} onChange={setMost} />;
  return (
    <>
      <ActionButton
        label="Redrive"
        action={{
          title: `Run ${jobs} again?`,
          confirm: 'Redrive',
          children: (
            <>
              <Text size="sm">They are queued again with all their retries, the oldest failures first.</Text>
              {field}
            </>
          ),
          run: async () => `${formatCount(await operator.redrive(type, most))} jobs are queued again.`,
        }}
      />
      <ActionButton
        label="Discard"
        action={{
          title: `Give up ${jobs}?`,
          confirm: 'Discard',
          isDangerous: true,
          children: (
            <>
              <Text size="sm">They become cancelled, keep their errors, and leave the dead letter.</Text>
              {field}
            </>
          ),
          run: async () => `${formatCount(await operator.discard(type, most))} jobs are cancelled.`,
        }}
      />
    </>
  );
}
