import type { Comparison } from './comparison.ts';

/** A part of the benchmark. The runner knows no more of it than this. */
export interface Section {
  name: string;
  /** What is not fair to whom, and what the figures do not say; for the page. */
  fairness: readonly string[];
  /** Rounds of what is compared alternate, so that a drift of the machine meets all of it. */
  run(bench: Bench): Promise<SectionResult>;
}

export interface Bench {
  /** A Postgres of the section's own, on disk, with default durability and all migrations. */
  databaseUrl: string;
  /** Few and small rounds, for a look while working. */
  quick: boolean;
  /** Tells what is being measured now, and how much of the section is done, from 0 to 1. */
  progress(what: string, done?: number): void;
}

/** What a section found; as it stands in the result file. */
export interface SectionResult {
  rounds: number;
  /** Counts and times that make the figures comparable, or not, with those of another run. */
  size: object;
  /** Of each contender, what differs from its defaults. */
  settings?: Record<string, unknown>;
  /** With every raw round. */
  comparisons: Comparison[];
  goals: Goal[];
}

/** A figure that a section promises. */
export interface Goal {
  id: string;
  what: string;
  unit: string;
  value: number;
  goal: number;
  bound: 'at least' | 'at most';
  met: boolean;
}

export function atMost(goal: Omit<Goal, 'bound' | 'met'>): Goal {
  return { ...goal, bound: 'at most', met: goal.value <= goal.goal };
}

export function atLeast(goal: Omit<Goal, 'bound' | 'met'>): Goal {
  return { ...goal, bound: 'at least', met: goal.value >= goal.goal };
}
