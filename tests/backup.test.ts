import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createPgRpc } from '../src/database/pg-rpc.ts';
import { migrate } from '../src/local/migrate.ts';
import { type PostgresServer, startPostgres } from '../src/local/postgres.ts';
import { createJobQueue } from '../src/queue/job-queue.ts';
import type { Worker } from '../src/worker/worker.ts';
import { copyFiles, copyRows } from './operations/copies.ts';
import { blocksByHeading } from './operations/runbook.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from './support/database.ts';
import { memoryFolder } from './support/memory-folder.ts';
import { silentLogger } from './support/silent-logger.ts';
import { startTestWorker, workerJob } from './support/worker.ts';

const [start, stop, sweep, check, ...others] = (blocksByHeading.get('Backup and restore') ?? []).map(
  ({ code }) => code,
);
const waiting = { timeout: 60_000, interval: 50 };

interface Ran {
  on: string;
  id: string;
  step: string;
}

/** What jobs did, wherever: it happens outside of any database. */
const effects: Ran[] = [];

let original: PostgresServer;
let folder: string;
let pool: pg.Pool;

/** `test/quick` just runs; `test/slow` does not go beyond its first step where it is not let go. */
function catalogOn(on: string, letGo: boolean) {
  const note = (id: string, step: string) => Promise.resolve(effects.push({ on, id, step }));
  const payload = z.object({ n: z.string() });
  return [
    workerJob(
      'test/quick',
      payload,
      async (ctx) => await ctx.step('only', () => note(ctx.payload.n, 'only')),
    ),
    workerJob('test/slow', payload, async (ctx) => {
      await ctx.step('first', () => note(ctx.payload.n, 'first'));
      if (!letGo) await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
      ctx.signal.throwIfAborted();
      await ctx.step('second', () => note(ctx.payload.n, 'second'));
    }),
  ];
}

function startWorker(url: string, on: string, letGo: boolean): Promise<Worker> {
  const looks = { pollMs: 50, sweepSeconds: 1, leaseSeconds: 2, drainSeconds: 0 };
  return startTestWorker({ url }, catalogOn(on, letGo), looks);
}

/** Jobs come, until `stop`. */
function keepEnqueueing() {
  const queue = createJobQueue(createPgRpc(pool));
  const acknowledged: string[] = [];
  let stopping = false;
  const done = (async () => {
    for (let n = 0; !stopping; n += 1) {
      const type = n % 50 === 0 ? 'test/slow' : 'test/quick';
      const jobs = await queue.enqueue([{ type, lane: 'worker', payload: { n: String(n) } }]);
      acknowledged.push(...jobs.map(({ id }) => id));
    }
  })();
  return {
    acknowledged,
    stop: async () => {
      stopping = true;
      await done;
    },
  };
}

interface Copy {
  url: string;
  pool: pg.Pool;
}

beforeAll(async () => {
  folder = join(memoryFolder(), `backup-test-${process.pid}`);
  original = await startPostgres({ dataDir: `${folder}-original`, persistent: false, log: silentLogger });
  await migrate(original.url, silentLogger);
  pool = new pg.Pool({ connectionString: original.url });
});
afterAll(async () => {
  await pool.end();
  await original.stop();
  await rm(`${folder}-copy`, { recursive: true, force: true });
});

describe('a copy of a queue in motion', () => {
  let files: PostgresServer;
  let rows: TestDatabase;
  let copies: Copy[];
  let acknowledged: string[];

  beforeAll(async () => {
    const producer = keepEnqueueing();
    const worker = await startWorker(original.url, 'original', false);
    const finished = async () =>
      (await pool.query(`select 1 from background_jobs where status = 'completed' limit 100`)).rows.length;
    await vi.waitFor(async () => expect(await finished()).toBe(100), waiting);
    rows = await createTestDatabase();
    acknowledged = [...producer.acknowledged];
    await copyRows(original.url, rows.url);
    const [from, to] = [`${folder}-original`, `${folder}-copy`];
    await copyFiles(original.url, { start: start ?? '', stop: stop ?? '', from, to });
    const later = producer.acknowledged.length;
    await vi.waitFor(() => expect(producer.acknowledged.length).toBeGreaterThan(later + 50), waiting);
    await producer.stop();
    await worker.stop();
    files = await startPostgres({ dataDir: to, persistent: false, log: silentLogger });
    copies = [
      { url: files.url, pool: new pg.Pool({ connectionString: files.url }) },
      { url: rows.url, pool: rows.pool },
    ];
  });
  afterAll(async () => {
    await copies[0]?.pool.end();
    await files.stop();
    await rows.close();
  });

  test.each([
    ['of its files', 0],
    ['of its rows', 1],
  ])(
    '%s has lost nothing, rescues what ran, and runs nothing again that it knows as done',
    async (_, index) => {
      const { url, pool } = copies[index]!;
      const states = async () =>
        (
          await pool.query<{ id: string; n: string; status: string; type: string }>(
            `select id, payload ->> 'n' as n, status, type from background_jobs`,
          )
        ).rows;
      const ids = (await states()).map(({ id }) => id);
      expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([]);
      const before = await states();
      expect(
        before.filter(({ status, type }) => status === 'processing' && type === 'test/slow'),
      ).not.toEqual([]);

      await vi.waitFor(async () => {
        await pool.query(sweep ?? '');
        expect((await states()).filter(({ status }) => status === 'processing')).toEqual([]);
      }, waiting);
      expect((await pool.query(check ?? '')).rows).toEqual([]);

      const worker = await startWorker(url, `copy ${index}`, true);
      const unfinished = async () => (await states()).filter(({ status }) => status !== 'completed');
      await vi.waitFor(async () => expect(await unfinished()).toEqual([]), waiting);
      await worker.stop();
      await expectSoundQueue(pool);

      const again = new Set(effects.filter(({ on }) => on === `copy ${index}`).map(({ id }) => id));
      const done = before.filter(({ status }) => status === 'completed').map(({ n }) => n);
      expect(done.filter((n) => again.has(n))).toEqual([]);
      // Those that ran go on at their last saved step.
      const first = before.filter(({ type, status }) => type === 'test/slow' && status === 'processing');
      const repeated = effects.filter(({ on, step }) => on === `copy ${index}` && step === 'first');
      expect(repeated.filter(({ id }) => first.some(({ n }) => n === id)).length).toBeLessThan(first.length);
    },
  );
});

test('the runbook has no other block on backups', () => {
  expect(others).toEqual([]);
});
