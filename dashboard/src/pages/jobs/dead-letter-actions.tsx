import { NumberField } from '../../components/number-field.tsx';
import { Text } from '@mantine/core';
import { useState } from 'react';
import { ActionButton } from '../../components/action-button.tsx';
import { useOperator } from '../../data/operator-context.ts';
import { formatCount } from '../../format/numbers.ts';

/** Runs the failed jobs again, or gives them up; those of one type or all. */
export function DeadLetterActions({ type }: { type: string | null }) {
  const operator = useOperator();
  const [mostRedriven, setMostRedriven] = useState(100);
  const [mostDiscarded, setMostDiscarded] = useState(100);
  const jobs = type === null ? 'failed jobs' : `failed jobs of type ${type}`;
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
              <NumberField label="At most" value={mostRedriven} min={1} onChange={setMostRedriven} />
            </>
          ),
          run: async () =>
            `${formatCount(await operator.redrive(type, mostRedriven))} jobs are queued again.`,
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
              <NumberField label="At most" value={mostDiscarded} min={1} onChange={setMostDiscarded} />
            </>
          ),
          run: async () => `${formatCount(await operator.discard(type, mostDiscarded))} jobs are cancelled.`,
        }}
      />
    </>
  );
}
