import type { AnalysedCommit } from './commit.ts';

/** What the author's calendar and clock said. */
export interface LocalTime {
  /** Days since 1970-01-01. */
  day: number;
  /** ISO 8601: 1 Monday to 7 Sunday. */
  weekday: number;
  /** 0 to 23. */
  hour: number;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** By the offset that the commit carries; by UTC where it carries none. */
export function localTime({ authored_at, utc_offset_minutes }: AnalysedCommit): LocalTime {
  const local = Date.parse(authored_at) + (utc_offset_minutes ?? 0) * minute;
  const days = Math.floor(local / day);
  // 1970-01-01 was a Thursday.
  return {
    day: days,
    weekday: ((((days + 3) % 7) + 7) % 7) + 1,
    hour: Math.floor((local - days * day) / hour),
  };
}

/** `2026-11-22` */
export function dateOf(dayNumber: number): string {
  return new Date(dayNumber * day).toISOString().slice(0, 10);
}
