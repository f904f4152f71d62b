import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { migrate } from '../src/local/migrate.ts';
import { startPostgres } from '../src/local/postgres.ts';
import { createNodeLogger } from '../src/runtime/node-logger.ts';
import { showProgress } from './progress.ts';
import { comparisonTable } from './comparison.ts';
import { writeReport } from './report/report.ts';
import { saveResult } from './result-file.ts';
import type { Goal, Section, SectionResult } from './section.ts';
import { sections } from './sections.ts';

/**
 * `npm run bench [-- section …] [--quick]`: all sections, or those that are named, one after the other.
 * `npm run bench -- report`: writes docs/performance.md from the newest results.
 */

const { values: flags, positionals: names } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});
if (names.length === 1 && names[0] === 'report') console.log(`written: ${(await writeReport()).join(', ')}`);
else await runSections();

async function runSections(): Promise<void> {
  const unknown = names.filter((name) => !sections.some((section) => section.name === name));
  if (unknown.length > 0) {
    const known = sections.map(({ name }) => name).join(', ');
    console.error(`Expected sections of ${known}, or report alone, got ${unknown.join(', ')}`);
    process.exitCode = 2;
    return;
  }
  for (const section of sections)
    if (names.length === 0 || names.includes(section.name)) await runSection(section);
}

async function runSection(section: Section): Promise<void> {
  const loadBefore = loadavg();
  const result = await onFreshDatabase((databaseUrl) =>
    section.run({
      databaseUrl,
      quick: flags.quick,
      progress: (what, done) => showProgress(`${section.name}: ${what}`, done),
    }),
  );
  for (const comparison of result.comparisons) console.log(comparisonTable(comparison));
  if (result.goals.length > 0) console.log(goalTable(result.goals));
  const file = await saveResult(section.name, result, { loadBefore, scratch: flags.quick });
  const [before, after] = [loadBefore, loadavg()].map(([lastMinute]) => lastMinute?.toFixed(2));
  console.log(`machine load before ${before}, after ${after}; written to ${file}`);
}

async function onFreshDatabase(measure: (url: string) => Promise<SectionResult>): Promise<SectionResult> {
  const folder = await mkdtemp(join(tmpdir(), 'hybrid-jobs-bench-'));
  const log = createNodeLogger({ level: 'warn' });
  const server = await startPostgres({ dataDir: join(folder, 'data'), persistent: false, log });
  try {
    await migrate(server.url, log);
    return await measure(server.url);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function goalTable(goals: readonly Goal[]): string {
  const table = new Table({
    head: ['goal', 'measured', 'wanted', ''],
    style: { head: [], border: [] },
  });
  for (const { what, unit, value, goal, bound, met } of goals)
    table.push([what, `${Number(value.toPrecision(4))} ${unit}`, `${bound} ${goal}`, met ? 'met' : 'MISSED']);
  return table.toString();
}
