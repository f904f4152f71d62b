import type { Cron } from 'croner';
import { scheduleClock } from './schedule-clock.ts';

/** What becomes of ticks that were missed. */
export type CatchUp = 'none' | 'last' | 'all';

export interface TickQuestion {
  /** Five fields, on the clock of `timezone`. */
  cron: string;
  /** An IANA name. */
  timezone: string;
  catchUp: CatchUp;
  /** Ticks up to here are dealt with. */
  seen: Date;
  now: Date;
}

export interface DueTicks {
  /** Oldest first. */
  ticks: Date[];
  /** How many due ticks, one more than {@link mostTicks} at the most, are not made up for. */
  passedOver: number;
}

/** A tick this old was not missed, only met late: the schedules are looked at once a minute. In milliseconds. */
const onTimeMs = 120_000;

/** Most ticks that one look makes up for; the newest ones win. */
export const mostTicks = 100;

/**
 * The ticks after `seen` and up to `now` that are to become jobs. When clocks are put forward, a time that does not exist
 * comes at the change (02:30 at 03:00); when they are put back, a time that comes twice counts once, but `*`
 * hours count both.
 *
 * @throws {TypeError} the expression or the timezone is none
 */
export function dueTicks({ cron, timezone, catchUp, seen, now }: TickQuestion): DueTicks {
  const missed = ticksBetween(scheduleClock(cron, timezone), seen, now);
  const due = missed.slice(-mostTicks);
  const ticks = due.slice(firstKept(due, catchUp, now));
  return { ticks, passedOver: missed.length - ticks.length };
}

/** The newest ticks after `from`, up to `to`, oldest first: one more than count. */
function ticksBetween(schedule: Cron, from: Date, to: Date): Date[] {
  const ticks: Date[] = [];
  // The library leaves out the moment from which it goes back.
  let before = new Date(to.getTime() + 1);
  while (ticks.length <= mostTicks) {
    const [tick] = schedule.previousRuns(1, before);
    if (!tick || tick <= from) break;
    ticks.unshift(tick);
    before = tick;
  }
  return ticks;
}

/** Position of the oldest tick that counts. */
function firstKept(due: readonly Date[], catchUp: CatchUp, now: Date): number {
  if (catchUp === 'all') return 0;
  const onTime = due.findIndex((tick) => now.getTime() - tick.getTime() <= onTimeMs);
  if (onTime >= 0) return onTime;
  return catchUp === 'last' ? Math.max(0, due.length - 1) : due.length;
}
