import type { Rpc } from '../database/rpc.ts';
import type { JobDefinition } from '../jobs/define-job.ts';
import { indexDefinitions } from '../queue/find-definition.ts';
import { toNewJob } from '../queue/follow-up.ts';
import { mayPass } from '../queue/persist.ts';
import type { Logger } from '../runtime/logger.ts';
import { type CatchUp, dueTicks, mostTicks } from './due-ticks.ts';

/** A row of `job_schedules`. Times are kept as the database wrote them: a Date would lose the microseconds. */
interface JobSchedule {
  name: string;
  type: string;
  cron: string;
  timezone: string;
  payload: Record<string, unknown>;
  catch_up: CatchUp;
  evaluated_until: string;
  problem: string | null;
  /** The database's clock: those of the workers may differ. */
  checked_at: string;
}

export interface ScheduleOptions {
  rpc: Rpc;
  catalog: readonly JobDefinition[];
  /** Whether the cron times of the definitions are this process's business, or Inngest's. */
  withDefinitions: boolean;
  log: Logger;
}

/** Mirrors the cron times of the definitions into `job_schedules`, where they are this process's business. */
export async function syncSchedules({ rpc, catalog, withDefinitions }: ScheduleOptions): Promise<void> {
  if (!withDefinitions) return;
  const definitions = catalog.map(({ type, cron }) => ({ type, cron }));
  await rpc('sync_job_schedules', { definitions });
}

/**
 * Looks once at all schedules and enqueues what is due. Any number of processes may do so at the same time. A schedule
 * that cannot be evaluated gets its reason into its row, and does not stop the others.
 *
 * @returns how many jobs were made
 * @throws {DatabaseUnreachableError} the next look makes up for it
 */
export async function evaluateSchedules(options: ScheduleOptions): Promise<number> {
  const { rpc, withDefinitions } = options;
  const schedules = await rpc<JobSchedule[]>('list_job_schedules', { with_definitions: withDefinitions });
  let created = 0;
  for (const schedule of schedules) {
    try {
      created += await evaluate(schedule, options);
      if (schedule.problem !== null) await report(schedule, null, options);
    } catch (error) {
      if (mayPass(error)) throw error;
      await report(schedule, error instanceof Error ? error.message : String(error), options);
    }
  }
  return created;
}

async function evaluate(schedule: JobSchedule, { rpc, catalog, log }: ScheduleOptions): Promise<number> {
  const { name, type, payload, cron, timezone } = schedule;
  const { ticks, passedOver } = dueTicks({
    ...{ cron, timezone, catchUp: schedule.catch_up },
    seen: new Date(schedule.evaluated_until),
    now: new Date(schedule.checked_at),
  });
  if (ticks.length + passedOver === 0) return 0;
  if (schedule.catch_up === 'all' && passedOver > 0)
    log.warn({ schedule: name, mostTicks }, 'more ticks were missed than are made up for');
  const job = await toNewJob({ type, payload }, indexDefinitions(catalog));
  return await rpc<number>('advance_job_schedule', {
    name,
    seen: schedule.evaluated_until,
    until: schedule.checked_at,
    ticks: ticks.map((due) => ({
      due: due.toISOString(),
      // The row may name an alias.
      type: job.type,
      concurrency_key: job.concurrencyKey,
      concurrency_limit: job.concurrencyLimit,
    })),
  });
}

/** Says each problem once, not every minute. */
async function report(
  { name }: JobSchedule,
  problem: string | null,
  { rpc, log }: ScheduleOptions,
): Promise<void> {
  const isNews = await rpc<boolean>('report_job_schedule_problem', { name, problem });
  if (!isNews) return;
  if (problem === null) log.info({ schedule: name }, 'the schedule can be evaluated again');
  else log.warn({ schedule: name, problem }, 'the schedule cannot be evaluated');
}
