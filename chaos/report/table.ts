import Table from 'cli-table3';
import type { TrialResult } from '../trial.ts';

/** For the terminal. */
export function resultTable(results: readonly TrialResult[]): string {
  const table = new Table({
    head: ['fault', 'strikes', 'jobs', 'rescued', 'lost', 'twice', 'held twice', 'stuck', 'unsound', 'recovery, s'],
    style: { head: [], border: [] },
  });
  for (const { fault, jobs, rescued, recovery, violations } of results) {
    const { lost, twice, heldTwice, stuck, unsound } = violations;
    const slowest = recovery.includes(null) ? 'none' : Math.max(...recovery.map(Number)).toFixed(1);
    table.push([fault, recovery.length, jobs, rescued, lost, twice, heldTwice, stuck, unsound, slowest]);
  }
  return table.toString();
}
