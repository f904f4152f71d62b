import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { migrate } from '../src/local/migrate.ts';
import { startPostgres } from '../src/local/postgres.ts';
import { createNodeLogger } from '../src/runtime/node-logger.ts';
import { comparisonTable } from './comparison.ts';
import { showProgress } from './progress.ts';
import { saveResult } from './result-file.ts';
import type { Goal, Section, SectionResult } from './section.ts';
import { sections } from './sections.ts';

/** Measures one section and writes its result: `section-process.ts <section> [--quick]`. */

const [name, flag] = process.argv.slice(2);
const quick = flag === '--quick';
const section = sections.find((one) => one.name === name);
if (!section) throw new Error(`expected a section, got ${name}`);
try {
  await runSection(section);
} catch (error) {
  console.error(`Section ${name} failed:`, error);
  process.exitCode = 1;
}
// What a section that failed has left open would keep the process alive.
process.exit();

async function runSection(section: Section): Promise<void> {
  const loadBefore = loadavg();
  const start = performance.now();
  const result = await onFreshDatabase((databaseUrl) =>
    section.run({
      databaseUrl,
      quick,
      progress: (what, done) => showProgress(`${section.name}: ${what}`, done),
    }),
  );
  const seconds = Math.round((performance.now() - start) / 1000);
  for (const comparison of result.comparisons) console.log(comparisonTable(comparison));
  if (result.goals.length > 0) console.log(goalTable(result.goals));
  const file = await saveResult(section.name, result, { loadBefore, scratch: quick });
  const [before, after] = [loadBefore, loadavg()].map(([lastMinute]) => lastMinute?.toFixed(2));
  console.log(`${seconds} s; machine load before ${before}, after ${after}; written to ${file}`);
}

async function onFreshDatabase(measure: (url: string) => Promise<SectionResult>): Promise<SectionResult> {
  const folder = await mkdtemp(join(tmpdir(), 'hybrid-jobs-bench-'));
  const log = createNodeLogger({ level: 'warn' });
  const server = await startPostgres({ dataDir: join(folder, 'data'), persistent: false, log });
  // Ctrl-C: up to 20 GB would stay. The server is still writing its last words.
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
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
