import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import pg from 'pg';
import { migrate } from '../src/local/migrate.ts';
import { startPostgres } from '../src/local/postgres.ts';
import { createNodeLogger } from '../src/runtime/node-logger.ts';
import { spread } from './measure.ts';
import { queueMetrics, queueRound, type QueueRound, type QueueSize } from './queue.ts';

/**
 * `npm run bench`: the queue on a Postgres of its own, on disk, with default durability; rounds with and without the
 * hand-edit triggers alternate, so that a drift of the machine meets both. `--quick` takes about a minute.
 */

const { values: flags } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const rounds = flags.quick ? 3 : 7;
const size: QueueSize = flags.quick
  ? { bulk: 10_000, single: 1_000, pickups: 50 }
  : { bulk: 40_000, single: 4_000, pickups: 200 };
const variants = ['triggers on', 'triggers off'] as const;

const folder = await mkdtemp(join(tmpdir(), 'hybrid-jobs-bench-'));
const log = createNodeLogger({ level: 'warn' });
const server = await startPostgres({ dataDir: join(folder, 'data'), persistent: false, log });
const loadBefore = loadavg();
try {
  await migrate(server.url, log);
  const results = await measure(server.url);
  await report(results);
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}

async function measure(url: string): Promise<Record<string, QueueRound[]>> {
  const pool = new pg.Pool({ connectionString: url, max: 20 });
  const results: Record<string, QueueRound[]> = { 'triggers on': [], 'triggers off': [] };
  progress('warm-up');
  await queueRound(pool, { bulk: 5_000, single: 500, pickups: 20 });
  for (let round = 1; round <= rounds; round += 1) {
    for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
      progress(`round ${round} of ${rounds}, ${variant}`);
      await pool.query(
        `alter table background_jobs ${variant === 'triggers on' ? 'enable' : 'disable'} trigger user`,
      );
      results[variant]?.push(await queueRound(pool, size));
    }
  }
  progress('done');
  await pool.end();
  return results;
}

function progress(what: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`);
}

async function report(results: Record<string, QueueRound[]>): Promise<void> {
  const on = results['triggers on'] ?? [];
  const off = results['triggers off'] ?? [];
  const figures = queueMetrics.map((metric) => ({
    metric,
    on: spread(on.map((round) => round[metric])),
    off: spread(off.map((round) => round[metric])),
    ratio: spread(on.map((round, index) => round[metric] / (off[index]?.[metric] ?? NaN))),
  }));
  const table = new Table({
    head: ['metric (median, least to most)', 'hand-edit triggers on', 'off', 'on / off'],
    style: { head: [], border: [] },
  });
  const show = ({ median, least, most }: { median: number; least: number; most: number }, digits: number) =>
    `${median.toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
  for (const { metric, on, off, ratio } of figures) {
    const digits = metric.endsWith('ms') ? 2 : 0;
    table.push([metric, show(on, digits), show(off, digits), show(ratio, 2)]);
  }
  console.log(table.toString());
  const file = await save({ rounds, size, figures, raw: results });
  console.log(
    `machine load before ${loadBefore[0]?.toFixed(2)}, after ${loadavg()[0]?.toFixed(2)}; written to ${file}`,
  );
}

/** Results are added, never replaced; those of a quick run are not kept in the repository. */
async function save(results: object): Promise<string> {
  const target = new URL(flags.quick ? './results/scratch/' : './results/', import.meta.url);
  await mkdir(target, { recursive: true });
  const at = new Date().toISOString();
  const file = new URL(`${at.slice(0, 19).replaceAll(':', '')}-queue.json`, target);
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryBytes: totalmem(),
    loadBefore,
    node: process.version,
  };
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  await writeFile(
    file,
    `${JSON.stringify({ at, commit, machine, section: 'queue', ...results }, null, 2)}\n`,
  );
  return file.pathname;
}
