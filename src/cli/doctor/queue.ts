import { toDuration } from '../jobs/times.ts';
import { ok, warning } from '../command/findings.ts';
import { type Check, noDatabase } from './patient.ts';

const longWaitMs = 5 * 60_000;

/** Whether jobs run: none is stuck, and none waits long although it is due. */
export const checkQueue: Check = async ({ database }) => {
  if (!database) return noDatabase;
  const [row] = await database.query<{ stuck: number; due: number | null; oldest_ms: number | null }>(
    `select (select count(*) from public.stuck_jobs) as stuck, sum(d.due) as due,
       extract(epoch from clock_timestamp() - min(d.oldest_due_at)) * 1000 as oldest_ms
     from public.queue_depth d
     where not exists (select from public.job_types t where t.type = d.type and t.paused)`,
  );
  const { stuck = 0, due = 0, oldest_ms: oldest = null } = row ?? {};
  return [
    ...(stuck > 0
      ? [
          warning(
            `${stuck} running jobs are past their lease or their time-out`,
            'select * from stuck_jobs; the next sweep rescues them, where one runs',
          ),
        ]
      : []),
    oldest !== null && oldest > longWaitMs
      ? warning(
          `a job is due for ${toDuration(oldest)}`,
          'npm run jobs -- list --status queued, then explain its id',
        )
      : ok(`${due ?? 0} jobs are due`),
  ];
};
