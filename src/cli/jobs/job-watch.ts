import type { JobStatus } from '../../queue/job-queue.ts';
import type { Query } from './jobs-host.ts';

/** A job that is not what it was at the look before. */
export interface JobChange {
  at: Date;
  id: string;
  type: string;
  lane: string;
  status: JobStatus;
  retry_count: number;
  duration_ms: number | null;
  error: string | null;
}

/** `is_fresh`: made or queued again just now, and not merely seen for the first time. */
type Look = JobChange & { started_at: Date | null; is_fresh: boolean };

/** Rows of one look; of a busier second the newest jobs are told. */
const mostRows = 2_000;

/**
 * No index knows when a row changed last, so that a change costs the queue nothing. What can have changed is found where it
 * must be: among the youngest jobs, the front of each lane, the leases, and the jobs seen before that had not ended.
 */
const sql = `with watched as (
    (select j.id from public.background_jobs j
     where j.id >= encode(substring(int8send(((extract(epoch from now() - interval '1 minute') * 1000)::bigint << 16) | 28672) from 1 for 8)
       || '\\x8000000000000000'::bytea, 'hex')::uuid
     order by j.id desc limit ${mostRows})
    union select r.id from unnest(array['edge', 'inline', 'worker']) as l (lane) cross join lateral (
      select x.id from public.background_job_ready x where x.lane = l.lane order by x.sort_at, x.id limit 200) r
    union select m.id from public.background_job_leases l, unnest(l.job_ids) as m (id)
    union select unnest($1::uuid[]))
  select clock_timestamp() as at, j.id, j.type, j.lane, j.status, j.retry_count, j.duration_ms, left(j.error, 300) as error,
    j.started_at, j.status <> 'queued' or j.created_at > now() - interval '1 minute'
      or j.run_at between now() - interval '5 seconds' and now() as is_fresh
  from watched w join public.background_jobs j on j.id = w.id
  where $2::text is null or j.type = $2
  order by j.id`;

/** Remembers what it saw; `look` answers what has changed since. */
export function createJobWatch({ query, type }: { query: Query; type: string | null }): {
  look(): Promise<JobChange[]>;
} {
  let seen = new Map<string, string>();
  let open: string[] = [];
  return {
    async look() {
      const rows = await query<Look>(sql, [open, type]);
      const changed = rows.filter((row) =>
        seen.has(row.id) ? seen.get(row.id) !== stateOf(row) : row.is_fresh,
      );
      seen = new Map(rows.map((row) => [row.id, stateOf(row)]));
      open = rows
        .filter(isOpen)
        .map(({ id }) => id)
        .slice(-mostRows);
      return changed.map(toChange);
    },
  };
}

const stateOf = ({ status, retry_count, started_at }: Look): string =>
  `${status} ${retry_count} ${status === 'processing' ? started_at?.getTime() : ''}`;

const toChange = ({ at, id, type, lane, status, retry_count, duration_ms, error }: Look): JobChange => ({
  ...{ at, id, type, lane, status, retry_count, duration_ms, error },
});

const isOpen = ({ status }: Look): boolean => status === 'queued' || status === 'processing';
