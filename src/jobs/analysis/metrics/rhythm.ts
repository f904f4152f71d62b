import { share, type AnalysedCommit } from './commit.ts';
import { localTime } from './local-time.ts';

/** When people commit, by their own clocks. */
export interface Rhythm {
  /** Commits in each hour from 0 to 23. */
  byHour: number[];
  /** Commits on each day from Monday to Sunday. */
  byWeekday: number[];
  /** The hour with most commits, the earliest of equals; null without commits. */
  peakHour: number | null;
  /** 1 Monday to 7 Sunday, the earliest of equals; null without commits. */
  peakWeekday: number | null;
  /** Share of the commits from 22:00 to 05:59. */
  nightShare: number;
  /** Share of the commits on Saturday and Sunday. */
  weekendShare: number;
  /** Share of the commits whose time zone is known; the others count by UTC. */
  knownTimeZoneShare: number;
}

/**
 * A histogram of commits over hours and weekdays. Night is the eight hours from 22:00, which hold the night time of the
 * Working Time Directive (2003/88/EC, article 2.3: at least seven hours, with midnight to 5:00 among them); the weekend is
 * days 6 and 7 of ISO 8601.
 */
export function rhythmOf(commits: readonly AnalysedCommit[]): Rhythm {
  const byHour = new Array<number>(24).fill(0);
  const byWeekday = new Array<number>(7).fill(0);
  for (const { hour, weekday } of commits.map(localTime)) {
    byHour[hour] = (byHour[hour] ?? 0) + 1;
    byWeekday[weekday - 1] = (byWeekday[weekday - 1] ?? 0) + 1;
  }
  const night = sum([...byHour.slice(22), ...byHour.slice(0, 6)]);
  const known = commits.filter(({ utc_offset_minutes }) => utc_offset_minutes !== null).length;
  const isEmpty = commits.length === 0;
  return {
    byHour,
    byWeekday,
    peakHour: isEmpty ? null : byHour.indexOf(Math.max(...byHour)),
    peakWeekday: isEmpty ? null : byWeekday.indexOf(Math.max(...byWeekday)) + 1,
    nightShare: share(night, commits.length),
    weekendShare: share(sum(byWeekday.slice(5)), commits.length),
    knownTimeZoneShare: share(known, commits.length),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
