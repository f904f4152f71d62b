import Table from 'cli-table3';
import { percentile } from '../../bench/measure.ts';
import type { TrialResult } from '../trial.ts';

/** What recovery is to take at p99, in seconds. */
const goalSeconds = 30;

export const columns = [
  'fault',
  'strikes',
  'jobs',
  'rescued',
  'lost',
  'twice',
  'two holders',
  'stuck',
  'unsound',
  'recovery p50',
  'slowest',
] as const;

export function cells({ fault, jobs, rescued, recovery, violations }: TrialResult): (string | number)[] {
  const { lost, twice, heldTwice, stuck, unsound } = violations;
  const times = recovery.map((seconds) => seconds ?? Infinity);
  const counts = [recovery.length, jobs, rescued, lost, twice, heldTwice, stuck, unsound];
  return [fault, ...counts, inSeconds(percentile(times, 0.5)), inSeconds(Math.max(...times))];
}

/** For the terminal. */
export function resultTable(results: readonly TrialResult[]): string {
  const table = new Table({ head: [...columns], style: { head: [], border: [] } });
  for (const result of results) table.push(cells(result));
  return table.toString();
}

/** True when a promise was broken: a violation, or a recovery that did not come. */
export function isViolated({ violations, recovery }: TrialResult): boolean {
  return Object.values(violations).some((count) => count !== 0) || recovery.includes(null);
}

/** A line on all of it. */
export function summary(results: readonly TrialResult[], seed: number): string {
  const times = results.flatMap(({ recovery }) => recovery).map((seconds) => seconds ?? Infinity);
  const jobs = results.reduce((sum, result) => sum + result.jobs, 0);
  const broken = results.filter(isViolated).map(({ fault }) => fault);
  const p99 = percentile(times, 0.99);
  return [
    `seed ${seed}: ${jobs} jobs, ${times.length} strikes, recovery p50 ${inSeconds(percentile(times, 0.5))},`,
    `p99 ${inSeconds(p99)} (goal ${goalSeconds} s: ${p99 <= goalSeconds ? 'met' : 'MISSED'});`,
    broken.length === 0 ? 'every promise was kept' : `BROKEN under ${broken.join(', ')}`,
  ].join(' ');
}

function inSeconds(seconds: number): string {
  return seconds === Infinity ? 'never' : `${seconds.toFixed(1)} s`;
}
