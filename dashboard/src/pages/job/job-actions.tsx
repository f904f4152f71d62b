import { Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { ActionButton } from '../../components/action-button.tsx';
import { useOperator } from '../../data/operator-context.ts';
import type { JobRow } from '../../data/rows.ts';

/** Retry or cancel, whichever the job's state allows. */
export function JobActions({ job }: { job: JobRow }) {
  if (job.status === 'failed') return <Retry job={job} />;
  if (job.status === 'queued' || job.status === 'processing') return <Cancel job={job} />;
  return null;
}

function Retry({ job }: { job: JobRow }) {
  const operator = useOperator();
  const isSpent = job.retry_count >= job.max_retries;
  return (
    <ActionButton
      label="Retry"
      variant="filled"
      action={{
        title: 'Run this job again?',
        confirm: 'Retry',
        children: (
          <Text size="sm">
            {isSpent
              ? 'Its retries are spent: it gets one attempt more.'
              : `It is queued at once, as retry ${job.retry_count + 1} of ${job.max_retries}.`}{' '}
            Saved steps are not repeated.
          </Text>
        ),
        run: async () =>
          (await operator.retry(job.id, isSpent))
            ? 'The job is queued again.'
            : 'The job is not failed any more.',
      }}
    />
  );
}

function Cancel({ job }: { job: JobRow }) {
  const operator = useOperator();
  const [reason, setReason] = useState('');
  const isRunning = job.status === 'processing';
  return (
    <ActionButton
      label="Cancel"
      disabled={job.cancel_requested_at !== null}
      action={{
        title: 'Cancel this job?',
        confirm: 'Cancel the job',
        isDangerous: true,
        children: (
          <>
            <Text size="sm">
              {isRunning
                ? 'It is running: it stops at its next sign of life, within 10 seconds.'
                : 'It will not run. What depends on it follows its own rule.'}
            </Text>
            <TextInput
              label="Reason"
              description="Kept with the job and in the audit trail."
              maxLength={500}
              value={reason}
              onChange={(event) => setReason(event.currentTarget.value)}
            />
          </>
        ),
        run: async () => {
          const isCancelled = await operator.cancel(job.id, reason.trim() || null);
          if (!isCancelled) return 'The job had ended already.';
          return isRunning ? 'The job is asked to stop.' : 'The job is cancelled.';
        },
      }}
    />
  );
}
