/** A part of the benchmark. The runner knows no more of it than this. */
export interface Section {
  name: string;
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

export interface SectionResult {
  /** For the terminal. */
  tables: string[];
  goals: Goal[];
  /** For the result file: how it was measured, the figures, and the raw rounds behind them. */
  record: { rounds: number; size: object; [more: string]: unknown };
}

/** A figure that a section promises. */
export interface Goal {
  id: string;
  what: string;
  unit: string;
  value: number;
  goal: number;
  met: boolean;
}

export function atMost(goal: Omit<Goal, 'met'>): Goal {
  return { ...goal, met: goal.value <= goal.goal };
}

export function atLeast(goal: Omit<Goal, 'met'>): Goal {
  return { ...goal, met: goal.value >= goal.goal };
}
