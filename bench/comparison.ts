import Table from 'cli-table3';
import { showSpread, type Spread, spread } from './measure.ts';

/** One figure that is taken in every round. */
export interface Metric {
  name: string;
  unit: string;
  better: 'more' | 'less';
  /** Shown after the point. */
  digits: number;
}

/** One round's figures of one contender, by metric; what it cannot be measured by is absent. */
export type Round = Record<string, number>;

/** Contenders side by side: round `i` of each was measured next to round `i` of the others. */
export interface Comparison {
  id: string;
  title: string;
  metrics: Metric[];
  /** The contender that the others are compared with. */
  base: string;
  /** By contender, in the order of the columns. */
  rounds: Record<string, Round[]>;
}

/** Middle and range of a contender's metric; undefined where it was not measured. */
export function figure(comparison: Comparison, contender: string, metric: string): Spread | undefined {
  const values = valuesOf(comparison, contender, metric).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : spread(values);
}

/**
 * The metric of one contender divided by that of another, round by round: a slow minute of the machine slows both.
 * @throws {Error} one of them was not measured
 */
export function ratio(comparison: Comparison, metric: string, of: string, to: string): Spread {
  const left = valuesOf(comparison, of, metric);
  const right = valuesOf(comparison, to, metric);
  const ratios = left.flatMap((value, round) => {
    const other = right[round];
    return value === undefined || other === undefined ? [] : [value / other];
  });
  if (ratios.length === 0) throw new Error(`${comparison.id}: no ${metric} of both ${of} and ${to}`);
  return spread(ratios);
}

function valuesOf({ rounds }: Comparison, contender: string, metric: string): (number | undefined)[] {
  return (rounds[contender] ?? []).map((round) => round[metric]);
}

/** For the terminal: a row for each metric, and how the base stands to each of the others. */
export function comparisonTable(comparison: Comparison): string {
  const { title, base, metrics, rounds } = comparison;
  const names = Object.keys(rounds);
  const others = names.filter((name) => name !== base);
  const table = new Table({
    head: [title, ...names, ...others.map((name) => `${base} / ${name}`)],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [26, ...names.map(() => 20), ...others.map(() => 20)],
  });
  for (const { name, unit, digits } of metrics) {
    const show = (value: Spread | undefined, fraction: number): string =>
      value ? showSpread(value, fraction) : '–';
    const has = (contender: string): boolean => figure(comparison, contender, name) !== undefined;
    table.push([
      `${name}, ${unit}`,
      ...names.map((contender) => show(figure(comparison, contender, name), digits)),
      ...others.map((other) =>
        has(base) && has(other) ? show(ratio(comparison, name, base, other), 2) : '–',
      ),
    ]);
  }
  return table.toString();
}
