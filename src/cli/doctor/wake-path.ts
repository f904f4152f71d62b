import type { Query } from '../jobs/jobs-host.ts';
import { toDuration } from '../jobs/times.ts';
import { failed, ok, warning } from '../command/findings.ts';
import { type Check, noDatabase } from './patient.ts';

interface WakeState {
  cron: string | null;
  problem: string | null;
  last_wake_ms: number | null;
  workers: string | null;
  worker_lanes: string[] | null;
}

/** Who sweeps and wakes process-job when a wake call was lost: pg_cron, a worker, Inngest, or the local stack. */
export const checkWakePath: Check = async ({ database, config, isLocalStack }) => {
  if (!database) return noDatabase;
  const state = await readState(database.query);
  const sweepers = [
    isLocalStack && 'the stack of this machine, every 3 s',
    state.cron !== null && `pg_cron, every ${state.cron}`,
    state.workers !== null && `the worker ${state.workers}`,
    config?.sweepsByInngest === true && 'Inngest, every minute (JOBS_SWEEP)',
  ].filter((each) => each !== false);
  const last =
    state.last_wake_ms === null
      ? 'none was needed yet'
      : `the last one ${toDuration(state.last_wake_ms)} ago`;
  if (state.problem !== null)
    return [
      failed(
        `pg_cron wakes nobody: ${state.problem}`,
        "select schedule_wake('<URL of process-job>') says how to mend it",
      ),
    ];
  if (sweepers.length === 0)
    return [
      failed(
        'nobody sweeps: a job whose wake call is lost waits for ever',
        "select schedule_wake('<URL of process-job>'), or npm run worker, or JOBS_SWEEP=inngest",
      ),
    ];
  return [ok(`sweeps and wakes: ${sweepers.join('; ')}; wakes: ${last}`)];
};

/** Jobs of the lane `worker` run nowhere else. */
export const checkWorker: Check = async ({ database }) => {
  if (!database) return noDatabase;
  const { workers, worker_lanes: lanes } = await readState(database.query);
  const [waiting] = await database.query<{ jobs: number; types: string[] | null }>(
    `select (select count(*) from public.background_job_ready r where r.lane = 'worker' and r.run_at <= now()) as jobs,
       (select array_agg(t.type order by t.type) from public.job_types t
        where coalesce(t.lane_override, t.lane) = 'worker') as types`,
  );
  if (workers !== null && lanes?.includes('worker')) return [ok(`${workers}, on ${lanes.join(' and ')}`)];
  const { jobs = 0, types = null } = waiting ?? {};
  if (jobs > 0)
    return [failed(`${jobs} jobs wait on the lane worker, and no worker runs`, 'start one: npm run worker')];
  return types === null
    ? [ok('none runs, and no type needs one')]
    : [
        warning(
          `none runs: ${types.join(', ')} would wait for one`,
          'start one where these are wanted: npm run worker',
        ),
      ];
};

async function readState(query: Query): Promise<WakeState> {
  const [state] = await query<Omit<WakeState, 'cron'>>(
    `select w.problem, extract(epoch from clock_timestamp() - w.woken_at) * 1000 as last_wake_ms,
       (select string_agg(x.worker, ', ') from public.background_job_workers x
        where x.seen_at > clock_timestamp() - interval '1 minute') as workers,
       (select array_agg(distinct l.lane) from public.background_job_workers x, unnest(x.lanes) as l (lane)
        where x.seen_at > clock_timestamp() - interval '1 minute') as worker_lanes
     from public.background_job_wakes w where w.lane = 'edge'`,
  );
  if (!state) throw new Error('background_job_wakes has no row for the lane edge: apply the migrations');
  return { ...state, cron: await cronSchedule(query) };
}

async function cronSchedule(query: Query): Promise<string | null> {
  const [cron] = await query<{ known: boolean }>(`select to_regclass('cron.job') is not null as known`);
  if (!cron?.known) return null;
  const [job] = await query<{ schedule: string }>(
    `select j.schedule from cron.job j where j.jobname = 'wake process-job' and j.active`,
  );
  return job?.schedule ?? null;
}
