import { Anchor } from '@mantine/core';
import type { ReactNode } from 'react';
import { Age } from '../../components/age.tsx';
import { Section } from '../../components/section.tsx';
import type { JobDetails } from '../../data/rows.ts';
import { formatDuration } from '../../format/numbers.ts';
import { href } from '../../location/route.ts';
import classes from './facts.module.css';

/** The fields of the job's row that have a value. */
export function Facts({ details: { job, worker, lease_until } }: { details: JobDetails }) {
  const facts: [string, ReactNode][] = [
    ['Id', <code key="id">{job.id}</code>],
    ['Lane', job.lane],
    ['Repository', job.repository && <RepositoryJobs name={job.repository} />],
    ['Created', <Age key="created" at={job.created_at} />],
    ['Due', job.status === 'queued' && <Age at={job.run_at} />],
    ['Expires', job.status === 'queued' && <Age at={job.expires_at} />],
    ['Started', job.started_at && <Age at={job.started_at} />],
    ['Ended', job.ended_at && <Age at={job.ended_at} />],
    ['Last slice took', job.duration_ms !== null && formatDuration(job.duration_ms)],
    ['All slices took', job.active_ms > 0 && formatDuration(job.active_ms)],
    ['Worker', worker],
    ['Lease until', lease_until && <Age at={lease_until} />],
    ['Retries', `${job.retry_count} of ${job.max_retries}`],
    ['Failure reason', job.failure_reason],
    ['Cancel reason', job.cancel_reason],
    ['Priority', job.priority !== 0 && String(job.priority)],
    ['Time-out', formatDuration(job.timeout_seconds * 1000)],
    ['Idempotency key', job.idempotency_key],
    ['Concurrency key', job.concurrency_key && `${job.concurrency_key} (at most ${job.concurrency_limit})`],
    ['Inngest event', job.inngest_event_id],
    ['Inngest run', job.inngest_run_id],
    ['Callback', job.callback_url],
  ];
  return (
    <Section title="Details">
      <dl className={classes.facts}>
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </Section>
  );
}

function RepositoryJobs({ name }: { name: string }) {
  return (
    <Anchor inherit href={href(['jobs'], { repository: name })}>
      {name}
    </Anchor>
  );
}
