import { type Comparison, figure, ratio } from '../comparison.ts';
import { showSpread } from '../measure.ts';
import type { Goal, Section } from '../section.ts';
import type { SavedResult } from './newest-results.ts';

const introduction = `# Performance

Made by \`npm run bench -- report\` from the newest result of each section in \`bench/results/\`, where every raw round is
kept, the older results too. Do not edit it by hand: a test compares it with the results.

\`npm run bench [-- section …] [--quick]\` measures again. Every contender has a database of its own on the same embedded
Postgres, on disk and with default durability (fsync, synchronous commit, full page writes), and its workers run in
processes of their own. Rounds alternate between the contenders. Figures are medians, in brackets the least and the
most; ratios are taken round by round, between neighbours. CPU time is read from \`/proc\`, WAL from the server's
position. The tables' statistics are refreshed when the queue is full, before each drain. A drain counts only when each
job ran exactly once. Absolute figures depend on the machine and on what else it
does: trust the ratios.

pgmq is not measured: it is a Postgres extension, and none of the packages that this project installs has its SQL.
`;

/** `docs/performance.md` as the results give it, before formatting. */
export function performancePage(
  sections: readonly Section[],
  results: ReadonlyMap<string, SavedResult>,
): string {
  const parts = sections.flatMap((section) => {
    const result = results.get(section.name);
    return result ? [describe(section, result)] : [`## ${section.name}\n\nNot measured yet.`];
  });
  const goals = sections.flatMap(({ name }) =>
    (results.get(name)?.goals ?? []).map((goal) => ({ name, goal })),
  );
  return [introduction, '## Goals', goalTable(goals), ...parts, ''].join('\n\n');
}

function goalTable(goals: readonly { name: string; goal: Goal }[]): string {
  const rows = goals.map(({ name, goal: { id, what, unit, value, goal, met, bound } }) => [
    id,
    name,
    what,
    `${Number(value.toPrecision(3))} ${unit}`,
    `${bound === 'at least' ? '≥' : '≤'} ${goal}`,
    met ? 'met' : '**missed**',
  ]);
  return table(['goal', 'section', 'what', 'measured', 'wanted', ''], rows);
}

function describe({ name, fairness }: Section, result: SavedResult): string {
  const { at, commit, machine, rounds, size, settings } = result;
  const load = (averages: readonly number[]): string => averages[0]?.toFixed(2) ?? 'unknown';
  const how = [
    `${at.slice(0, 10)} at commit \`${commit.slice(0, 10)}\`, ${rounds} rounds.`,
    `${machine.cpu}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB, Node ${machine.node};`,
    `load before ${load(machine.loadBefore)}, after ${load(machine.loadAfter)}.`,
    `Size: ${inline(size)}.`,
  ].join(' ');
  return [
    `## ${name}`,
    how,
    ...result.comparisons.flatMap((comparison) => [
      `### ${comparison.title}`,
      comparisonRows(comparison),
      `![${comparison.title}](performance/${comparison.id}.svg)`,
    ]),
    'What is not fair, and what this does not say:',
    fairness.map((item) => `- ${item}`).join('\n'),
    ...(settings ? ['Settings that differ from the defaults:', settingsList(settings)] : []),
  ].join('\n\n');
}

function comparisonRows(comparison: Comparison): string {
  const { base, metrics, rounds } = comparison;
  const names = Object.keys(rounds);
  const others = names.filter((name) => name !== base);
  const rows = metrics.map(({ name, unit, digits }) => {
    const cell = (contender: string): string => {
      const value = figure(comparison, contender, name);
      return value ? showSpread(value, digits) : '–';
    };
    const times = (other: string): string =>
      cell(base) === '–' || cell(other) === '–'
        ? '–'
        : `${showSpread(ratio(comparison, name, base, other), 2)} ×`;
    return [`${name}, ${unit}`, ...names.map(cell), ...others.map(times)];
  });
  return table(['', ...names, ...others.map((other) => `${base} / ${other}`)], rows);
}

function settingsList(settings: Record<string, unknown>): string {
  return Object.entries(settings)
    .map(([name, values]) => `- ${name}: ${inline(values)}`)
    .join('\n');
}

function inline(values: unknown): string {
  return `\`${JSON.stringify(values).replaceAll('"', '').replaceAll(':', ': ').replaceAll(',', ', ')}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
