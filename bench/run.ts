import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { migrate } from '../src/local/migrate.ts';
import { startPostgres } from '../src/local/postgres.ts';
import { createNodeLogger } from '../src/runtime/node-logger.ts';
import { captureSection } from './capture/section.ts';
import { latencySection } from './latency/section.ts';
import { showProgress } from './progress.ts';
import { queueSection } from './queue/section.ts';
import { workspacesSection } from './workspaces/section.ts';
import { saveResult } from './result-file.ts';
import type { Goal, Section, SectionResult } from './section.ts';

/** `npm run bench [-- section …] [--quick]`: all sections, or those that are named, one after the other. */

const sections: readonly Section[] = [queueSection, latencySection, captureSection, workspacesSection];

const { values: flags, positionals: names } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = names.filter((name) => !sections.some((section) => section.name === name));
if (unknown.length > 0) {
  const known = sections.map(({ name }) => name).join(', ');
  console.error(`Expected sections of ${known}, got ${unknown.join(', ')}`);
  process.exit(2);
}
for (const section of sections)
  if (names.length === 0 || names.includes(section.name)) await runSection(section);

async function runSection(section: Section): Promise<void> {
  const loadBefore = loadavg();
  const result = await onFreshDatabase((databaseUrl) =>
    section.run({
      databaseUrl,
      quick: flags.quick,
      progress: (what, done) => showProgress(`${section.name}: ${what}`, done),
    }),
  );
  result.tables.forEach((table) => console.log(table));
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
  for (const { what, unit, value, goal, met } of goals)
    table.push([what, `${Number(value.toPrecision(4))} ${unit}`, `${goal} ${unit}`, met ? 'met' : 'MISSED']);
  return table.toString();
}
