import { Progress } from '@mantine/core';
import { Age } from '../../components/age.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import type { JobRow } from '../../data/rows.ts';
import { formatDuration } from '../../format/numbers.ts';
import { href } from '../../location/route.ts';
import classes from './job-list.module.css';

export const headings = [
  'Status',
  'Type',
  'Lane',
  'Repository',
  'Created',
  'Duration',
  'Retries',
  'Last error, progress',
];

/** The cells of one job; the whole row is a link to it. */
export function JobLine({ job }: { job: JobRow }) {
  return (
    <>
      <span role="cell" className={classes.status}>
        <StatusMark status={job.status} />
      </span>
      <span role="cell" className={classes.type}>
        <a className={classes.link} href={href(['jobs', job.id])}>
          {job.type}
        </a>
      </span>
      <span role="cell" className={classes.lane}>
        {job.lane}
      </span>
      <span role="cell" className={classes.repository}>
        {job.repository ?? '–'}
      </span>
      <span role="cell" className={classes.created}>
        <Age at={job.created_at} />
      </span>
      <span role="cell" className={classes.duration}>
        {formatDuration(job.duration_ms)}
      </span>
      <span role="cell" className={classes.retries}>
        {job.retry_count > 0 ? `${job.retry_count} of ${job.max_retries}` : '–'}
      </span>
      <span role="cell" className={classes.error} title={job.error ?? undefined}>
        <LastWord job={job} />
      </span>
    </>
  );
}

function LastWord({ job: { status, progress, progress_message, error, type } }: { job: JobRow }) {
  if (status === 'processing' && progress !== null)
    return (
      <>
        <Progress value={progress} size="sm" aria-label={`Progress of ${type}`} />
        <small>{`${progress} % ${progress_message ?? ''}`}</small>
      </>
    );
  return error;
}
