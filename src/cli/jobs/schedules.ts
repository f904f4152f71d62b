import type { Rpc } from '../../database/rpc.ts';
import { scheduleClock } from '../../worker/schedule-clock.ts';
import { UsageError } from '../command/command-line.ts';

/** A row of `job_schedules`, as programs get it. */
export interface Schedule {
  name: string;
  type: string;
  cron: string;
  timezone: string;
  payload: Record<string, unknown>;
  catch_up: string;
  enabled: boolean;
  source: 'definition' | 'operator';
  evaluated_until: string;
  problem: string | null;
}

export async function readSchedules(rpc: Rpc): Promise<Schedule[]> {
  return await rpc<Schedule[]>('get_job_schedules');
}

/** @throws {Error} there is none of the name */
export async function readSchedule(rpc: Rpc, name: string): Promise<Schedule> {
  return (await findSchedule(rpc, name)) ?? noSchedule(name);
}

export async function findSchedule(rpc: Rpc, name: string): Promise<Schedule | undefined> {
  return (await readSchedules(rpc)).find((schedule) => schedule.name === name);
}

export function noSchedule(name: string): never {
  throw new Error(`There is no schedule "${name}": npm run jobs -- schedule list shows all`);
}

/** @throws {UsageError} there is no name, or more than one */
export function readName(positionals: string[], help: string): string {
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0)
    throw new UsageError(
      `Expected the name of one schedule, in quotes where it has spaces, got ${positionals.length} arguments\n\n${help}`,
    );
  return name;
}

/**
 * The next ticks of a schedule that is not paused; a paused one has them when it goes on.
 * @throws {TypeError} its times cannot be told: the message says why
 */
export function nextTicks(
  { cron, timezone, evaluated_until: seen }: Pick<Schedule, 'cron' | 'timezone' | 'evaluated_until'>,
  now: Date,
  count: number,
): Date[] {
  // A time to come silences the schedule until then.
  const from = new Date(Math.max(now.getTime(), Date.parse(seen)));
  return scheduleClock(cron, timezone).nextRuns(count, from);
}

/** A time on the clock of the timezone: `2026-11-23 02:30 (Mon)`. */
export function onClockOf(timezone: string, time: Date): string {
  const format = new Intl.DateTimeFormat('sv-SE', {
    dateStyle: 'short',
    timeStyle: 'short',
    timeZone: timezone,
  });
  const day = new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: timezone });
  return `${format.format(time)} (${day.format(time)})`;
}
