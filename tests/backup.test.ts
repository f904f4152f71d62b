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

interface Effect {
  on: string;
  /** Of the job. */
  n: string;
  step: string;
}

interface JobState {
  id: string;
  n: string;
  status: string;
  /** The step `first` was saved. */
  firstSaved: boolean;
}

/** What jobs did, wherever: it happens outside of any database. */
const effects: Effect[] = [];

let original: PostgresServer;
let folder: string;
let pool: pg.Pool;

/** `test/quick` just runs; `test/slow` does not go beyond its first step where it is not let go. */
function catalogOn(on: string, letGo: boolean) {
  const note = (n: string, step: string) => Promise.resolve(effects.push({ on, n, step }));
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
      const jobs = await queue.enqueue([
        { type, lane: 'worker', payload: { n: String(n) }, maxRetries: 100 },
      ]);
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

/** Its idle connections are cut when a server stops. */
function openPool(url: string): pg.Pool {
  const opened = new pg.Pool({ connectionString: url });
  opened.on('error', () => {});
  return opened;
}

function numbersOf(jobs: readonly JobState[], isOne: (job: JobState) => boolean): Set<string> {
  return new Set(jobs.filter(isOne).map(({ n }) => n));
}

beforeAll(async () => {
  folder = join(memoryFolder(), `backup-test-${process.pid}`);
  original = await startPostgres({ dataDir: `${folder}-original`, persistent: false, log: silentLogger });
  await migrate(original.url, silentLogger);
  pool = openPool(original.url);
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
      { url: files.url, pool: openPool(files.url) },
      { url: rows.url, pool: rows.pool },
    ];
  });
  afterAll(async () => {
    await copies[0]?.pool.end();
    await files.stop();
    await rows.close();
  });

  describe.each([
    ['of its files', 0],
    ['of its rows', 1],
  ])('%s', (_, index) => {
    let copy: Copy;
    let before: JobState[];

    async function states(): Promise<JobState[]> {
      const { rows } = await copy.pool.query<JobState>(
        `select id, payload ->> 'n' as n, status, exists (select from background_job_steps s
           where s.job_id = j.id and s.name = 'first') as "firstSaved" from background_jobs j`,
      );
      return rows;
    }
    const statuses = async () => new Set((await states()).map(({ status }) => status));

    beforeAll(async () => {
      copy = copies[index]!;
      before = await states();
    });

    test('has every job that was acknowledged before', () => {
      const known = new Set(before.map(({ id }) => id));
      expect(acknowledged.filter((id) => !known.has(id))).toEqual([]);
    });

    test('rescues what ran, and is sound', async () => {
      expect(await statuses()).toContain('processing');
      await vi.waitFor(async () => {
        await copy.pool.query(sweep ?? '');
        expect(await statuses()).not.toContain('processing');
      }, waiting);
      expect((await copy.pool.query(check ?? '')).rows).toEqual([]);
    });

    test('finishes everything, and repeats neither jobs nor steps that it knows as done', async () => {
      const name = `copy ${index}`;
      const worker = await startWorker(copy.url, name, true);
      await vi.waitFor(async () => expect([...(await statuses())]).toEqual(['completed']), waiting);
      await worker.stop();
      await expectSoundQueue(copy.pool);
      const repeated = effects.filter(({ on }) => on === name);
      const done = numbersOf(before, ({ status }) => status === 'completed');
      expect(repeated.filter(({ n }) => done.has(n))).toEqual([]);
      const saved = numbersOf(before, ({ status, firstSaved }) => firstSaved && status !== 'completed');
      expect(saved.size).toBeGreaterThan(0);
      expect(repeated.filter(({ n, step }) => saved.has(n) && step === 'first')).toEqual([]);
    });
  });
});

test('the runbook has no other block on backups', () => {
  expect(others).toEqual([]);
});
