import type { AnalysedCommit } from './commit.ts';
import { dateOf, localTime } from './local-time.ts';

/** Days on which people committed, by their own calendars. */
export interface Streaks {
  activeDays: number;
  /** Dates such as `2026-11-22`; null without commits. */
  firstDay: string | null;
  lastDay: string | null;
  /** Most days in a row, each with a commit. */
  longestStreakDays: number;
  /** Days in a row that end with the last day of activity. */
  latestStreakDays: number;
  /** Most days in a row without a commit, between two with one. */
  longestPauseDays: number;
}

/** A streak is a run of consecutive calendar days with at least one commit each, as on GitHub's contribution calendar. */
export function streaksOf(commits: readonly AnalysedCommit[]): Streaks {
  const days = [...new Set(commits.map((commit) => localTime(commit).day))].sort((a, b) => a - b);
  let [streak, longest, pause] = [0, 0, 0];
  let previous: number | undefined;
  for (const day of days) {
    streak = previous === day - 1 ? streak + 1 : 1;
    longest = Math.max(longest, streak);
    if (previous !== undefined) pause = Math.max(pause, day - previous - 1);
    previous = day;
  }
  const [first] = days;
  return {
    activeDays: days.length,
    firstDay: first === undefined ? null : dateOf(first),
    lastDay: previous === undefined ? null : dateOf(previous),
    longestStreakDays: longest,
    latestStreakDays: streak,
    longestPauseDays: pause,
  };
}
