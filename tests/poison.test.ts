import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createJobQueue, type JobQueue } from '../src/queue/job-queue.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from './support/database.ts';
import { startEdgeProcessJob } from './support/edge-process-job.ts';
import { poisonCatalog, poisonEnds } from './support/poison-jobs.ts';

const neighbours = 30;

let database: TestDatabase;
let queue: JobQueue;
let stops: (() => Promise<unknown>)[];

beforeEach(async () => {
  stops = [];
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
  await queue.syncJobTypes(poisonCatalog);
});
afterEach(async () => {
  for (const stop of stops.toReversed()) await stop();
  await expectSoundQueue(database.pool);
  await database.close();
});

/** A worker whose host starts it again whenever it has died. */
function startWorkers(): void {
  const entry = fileURLToPath(new URL('support/poison-worker-entry.ts', import.meta.url));
  let closed = false;
  let child: ChildProcess;
  const start = (): void => {
    child = fork(entry, [database.url]);
    child.once('exit', () => void (closed || start()));
  };
  start();
  stops.push(async () => {
    closed = true;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  });
}

/** `process-job`, swept and woken as pg_cron does it. */
async function startEdge(): Promise<void> {
  const cacheDir = await mkdtemp(join(tmpdir(), 'poison-'));
  stops.push(() => rm(cacheDir, { recursive: true, force: true }));
  const entryFile = 'support/poison-edge-entry.ts';
  const edge = await startEdgeProcessJob({ databaseUrl: database.url, entryFile, cacheDir, leaseSeconds: 4 });
  stops.push(() => edge.close());
  let underWay: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    underWay = underWay.then(() => queue.sweep()).then(() => edge.post({}));
  }, 500);
  stops.push(async () => {
    clearInterval(timer);
    await underWay;
  });
}

interface State {
  type: string;
  status: string;
  error: string | null;
}

/** Enqueues jobs among neighbours, waits until all have ended, and tells how the jobs did; the neighbours are unharmed. */
async function endsAmongNeighbours(types: readonly string[], lane: 'edge' | 'worker'): Promise<State[]> {
  const beside = Array.from({ length: neighbours }, () => ({ type: 'poison/neighbour', lane }));
  await queue.enqueue([...types.map((type) => ({ type, lane })), ...beside]);
  const states = 'select type, status, error from background_jobs';
  await vi.waitFor(
    async () => {
      const { rows } = await database.pool.query<State>(`${states} where status in ('queued', 'processing')`);
      expect(rows).toEqual([]);
    },
    { timeout: 180_000, interval: 200 },
  );
  const { rows } = await database.pool.query<State>(states);
  const unharmed = rows.filter(({ type, status }) => type === 'poison/neighbour' && status === 'completed');
  expect(unharmed).toHaveLength(neighbours);
  await database.pool.query(`delete from background_jobs where type = 'poison/neighbour'`);
  return rows.filter(({ type }) => types.includes(type));
}

it.each([
  ['worker', () => Promise.resolve(startWorkers())],
  ['edge', startEdge],
] as const)(
  'on the %s lane every poison comes to its end, and its neighbours to theirs',
  async (lane, start) => {
    await start();
    const isKiller = ({ type }: { type: string }): boolean => type === 'poison/kills its process';
    // Apart: what it kills spends a retry, and the others are to be seen failing for their own reasons.
    for (const poisons of [poisonEnds.filter((each) => !isKiller(each)), poisonEnds.filter(isKiller)]) {
      const rows = await endsAmongNeighbours(
        poisons.map(({ type }) => type),
        lane,
      );
      for (const { type, ends, error } of poisons) {
        const row = rows.find((each) => each.type === type);
        expect(row, type).toMatchObject({ status: ends });
        if (error) expect(row?.error, type).toMatch(error);
      }
    }
    const { rows: dead } = await database.pool.query('select type from dead_letter_jobs');
    expect(dead).toHaveLength(poisonEnds.filter(({ ends }) => ends === 'failed').length);
  },
);
