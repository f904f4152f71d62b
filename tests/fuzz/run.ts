import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { showProgress } from '../../bench/progress.ts';
import { migrate } from '../../src/local/migrate.ts';
import { startPostgres } from '../../src/local/postgres.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';
import { describeFailure } from './report.ts';
import type { FuzzTarget, OpenTarget } from './target.ts';
import { targets } from './targets.ts';

/**
 * `npm run fuzz [-- --cases 100000] [--target name …] [--seed n] [--path p]`: hostile input to everything that takes any.
 * Prints the smallest case that fails, and how to see it again; then the exit code is 1.
 */

const { values: flags } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    target: { type: 'string', multiple: true },
    seed: { type: 'string' },
    path: { type: 'string' },
  },
});

const batch = 500;

const problem = problemOf(flags);
if (problem === null) await run(targets.filter(({ name }) => flags.target?.includes(name) ?? true));
else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 2;
}

function problemOf({ cases, target = [], seed, path }: typeof flags): string | null {
  const unknown = target.find((name) => !targets.some((each) => each.name === name));
  if (unknown !== undefined)
    return `--target: expected ${targets.map(({ name }) => name).join(' or ')}, got ${unknown}`;
  if (!/^[1-9]\d{0,8}$/.test(cases)) return `--cases: expected a whole number above 0, got ${cases}`;
  if (seed !== undefined && !/^-?\d{1,10}$/.test(seed)) return `--seed: expected a whole number, got ${seed}`;
  if (path !== undefined && (seed === undefined || target.length !== 1))
    return '--path: expected --seed and one --target beside it';
  return null;
}

async function run(chosen: readonly FuzzTarget[]): Promise<void> {
  const whole = chosen.reduce((sum, { weight }) => sum + weight, 0);
  for (const target of chosen) {
    const cases = Math.ceil((Number(flags.cases) * target.weight) / whole);
    const failure = await onFreshDatabase(async (url) => await attack(target, cases, url));
    if (failure !== null) process.exitCode = 1;
  }
}

/** @returns what failed, or null */
async function attack(target: FuzzTarget, cases: number, databaseUrl: string): Promise<string | null> {
  const open = await target.open(databaseUrl);
  try {
    const failure = await tryAll(target.name, open, cases);
    process.stdout.write(`${target.name}: ${open.summary()}\n`);
    if (failure !== null) process.stdout.write(`${failure}\n`);
    return failure;
  } finally {
    await open.close();
  }
}

/** In batches, between which progress is shown; each has a seed of its own, counted up from the first. */
async function tryAll(name: string, { property }: OpenTarget, cases: number): Promise<string | null> {
  const first = Number(flags.seed ?? Math.floor(Math.random() * 2 ** 31));
  for (let done = 0; done < cases; done += batch) {
    showProgress(`${name}: ${done} of ${cases}, seed ${first + done / batch}`, done / cases);
    const numRuns = Math.min(batch, cases - done);
    const seed = first + done / batch;
    const failure = describeFailure(name, await fc.check(property, { numRuns, seed, ...replayed() }));
    if (failure !== null || flags.path !== undefined) return failure;
  }
  showProgress(`${name}: ${cases} cases`, 1);
  return null;
}

function replayed(): { path?: string } {
  return flags.path === undefined ? {} : { path: flags.path };
}

async function onFreshDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'hybrid-jobs-fuzz-'));
  const log = createNodeLogger({ level: 'warn' });
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
  const server = await startPostgres({ dataDir: join(folder, 'data'), persistent: false, log, settings });
  try {
    await migrate(server.url, log);
    return await work(server.url);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
