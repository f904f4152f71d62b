import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import pg from 'pg';
import { z } from 'zod';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../tests/support/database.ts';
import { recordingLogger } from '../../tests/support/recording-logger.ts';
import { startTestWorker, workerJob } from '../../tests/support/worker.ts';
import { createJobQueue, type JobQueue, type NewJob } from '../queue/job-queue.ts';
import { DatabaseUnreachableError } from '../database/rpc.ts';
import type { Worker, WorkerOptions } from './worker.ts';

const waiting = { timeout: 30_000, interval: 10 };

let database: TestDatabase;
let queue: JobQueue;
let workers: Worker[] = [];
/** Ends the runs of `test/held`. */
let release: () => void;
let released: Promise<void>;

beforeAll(async () => {
  database = await createTestDatabase();
  // One test cuts these connections, too.
  database.pool.on('connect', (client) => client.on('error', () => undefined));
  queue = createJobQueue(database.rpc);
});
beforeEach(() => {
  const { promise, resolve } = Promise.withResolvers<void>();
  [released, release] = [promise, resolve];
});
afterEach(async () => {
  release();
  await Promise.all(workers.map((worker) => worker.stop()));
  workers = [];
  expect(await all('select worker from background_job_workers')).toEqual([]);
  await expectSoundQueue(database.pool);
  await database.pool.query('delete from background_jobs');
});
afterAll(async () => await database.close());

const echo = workerJob('test/echo', z.unknown(), (ctx) => Promise.resolve(ctx.payload));
const held = workerJob('test/held', z.unknown(), async (ctx) => {
  const stopped = new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()));
  await Promise.race([released, stopped]);
  ctx.signal.throwIfAborted();
  return 'held';
});
const onEdge = workerJob('test/edge', z.unknown(), () => Promise.resolve('done'), { lane: 'edge' });
const catalog = [echo, held, onEdge];

async function start(overrides: Partial<WorkerOptions> = {}): Promise<Worker> {
  const worker = await startTestWorker(database, catalog, overrides);
  workers.push(worker);
  return worker;
}

/** A worker that waits for the bell and for nothing else. */
async function startIdle(overrides: Partial<WorkerOptions> = {}): Promise<Worker> {
  const worker = await start(overrides);
  await isShown(true);
  return worker;
}

async function all(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await database.pool.query<Record<string, unknown>>(sql, values)).rows;
}

/** Resolves when every worker's row says that it waits for the bell, or that it does not. */
async function isShown(idle: boolean): Promise<void> {
  await vi.waitFor(async () => {
    const rows = await all('select idle from background_job_workers');
    expect(rows).toEqual(workers.map(() => ({ idle })));
  }, waiting);
}

/** `heard` tells how often the bell has rung so far. */
async function listen(): Promise<{ heard: () => Promise<number>; close: () => Promise<void> }> {
  const listener = new pg.Client({ connectionString: database.url });
  await listener.connect();
  let times = 0;
  listener.on('notification', () => (times += 1));
  await listener.query('listen background_job_ready');
  return {
    // Notifications come with an answer at the latest: those that were sent before the first question.
    async heard() {
      await listener.query('select 1');
      await listener.query('select 1');
      return times;
    },
    close: () => listener.end(),
  };
}

async function enqueue(...jobs: NewJob[]): Promise<string[]> {
  return (await queue.enqueue(jobs)).map(({ id }) => id);
}

async function reaches(id: string | undefined, status: string): Promise<void> {
  await vi.waitFor(async () => expect(await queue.get(id ?? '')).toMatchObject({ status }), waiting);
}

describe('a worker', () => {
  it('runs what waited before it came', async () => {
    const [id] = await enqueue({ type: 'test/echo', lane: 'worker', payload: { n: 1 } });
    await start();
    await reaches(id, 'completed');
    expect(await queue.get(id!)).toMatchObject({ result: { n: 1 }, lane: 'worker' });
  });

  it('leaves other lanes alone', async () => {
    await start();
    const [edge, worker] = await enqueue({ type: 'test/edge' }, { type: 'test/echo' });
    await reaches(worker, 'completed');
    expect(await queue.get(edge!)).toMatchObject({ status: 'queued' });
  });

  it('runs edge jobs, too, where it is asked to', async () => {
    await start({ lanes: ['edge', 'worker'] });
    for (const id of await enqueue({ type: 'test/edge' }, { type: 'test/echo' }))
      await reaches(id, 'completed');
  });

  it('says that it is there, since when, and for which lanes', async () => {
    const worker = await start({ lanes: ['edge', 'worker'], worker: 'host:1' });
    expect(await all('select worker, lanes from background_job_workers')).toEqual([
      { worker: 'host:1', lanes: ['edge', 'worker'] },
    ]);
    expect(worker.health()).toMatchObject({ worker: 'host:1', running: 0, stopping: false });
    expect(Date.parse(worker.health().lastHeartbeat ?? '')).toBeGreaterThan(0);
  });

  it('counts what runs', async () => {
    const worker = await start();
    await enqueue({ type: 'test/held' }, { type: 'test/held' });
    await vi.waitFor(() => expect(worker.health().running).toBe(2), waiting);
    release();
    await vi.waitFor(() => expect(worker.health().running).toBe(0), waiting);
  });

  it('goes on claiming while a long job runs, even after a claim that failed', async () => {
    const log = recordingLogger();
    await start({ log, pollMs: 50 });
    const [long] = await enqueue({ type: 'test/held' });
    await reaches(long, 'processing');
    await database.pool.query('alter function claim_job_batch rename to claim_away');
    await vi.waitFor(() =>
      expect(log.records.map((each) => each.message)).toContain('could not claim, trying again'),
    );
    await database.pool.query('alter function claim_away rename to claim_job_batch');
    const [quick] = await enqueue({ type: 'test/echo' });
    await reaches(quick, 'completed');
    expect(await queue.get(long!)).toMatchObject({ status: 'processing' });
  });

  it('keeps its leases while its jobs hold up all connections that they have', async () => {
    const stuck = workerJob('test/stuck', z.unknown(), async (ctx) => {
      return await ctx.rpc('find_discussion_repositories', { period_minutes: 60 });
    });
    const client = await database.pool.connect();
    await client.query('begin; lock table tracked_repositories in access exclusive mode');
    workers.push(await startTestWorker(database, [stuck], { concurrency: 12, leaseSeconds: 3 }));
    await enqueue(...Array.from({ length: 12 }, () => ({ type: 'test/stuck' })));
    const leases = `select count(*)::int as jobs, extract(epoch from min(lease_until))::float as least,
      extract(epoch from max(lease_until))::float as most from background_jobs where status = 'processing'`;
    await vi.waitFor(async () => expect(await all(leases)).toMatchObject([{ jobs: 12 }]), waiting);
    const most = (await all(leases))[0]?.['most'] as number;
    await vi.waitFor(async () => {
      expect(await all(leases)).toMatchObject([{ jobs: 12 }]);
      expect((await all(leases))[0]?.['least']).toBeGreaterThan(most + 2);
    }, waiting);
    await client.query('rollback');
    client.release();
    await vi.waitFor(async () => {
      const counts = await all(
        'select status, retry_count, count(*)::int from background_jobs group by 1, 2',
      );
      expect(counts).toEqual([{ status: 'completed', retry_count: 0, count: 12 }]);
    }, waiting);
  });

  it('does not start where the database does not answer', async () => {
    const databaseUrl = 'postgres://nobody@127.0.0.1:1/none';
    const log = recordingLogger();
    await expect(startTestWorker({ url: databaseUrl }, catalog, { log })).rejects.toThrow(
      DatabaseUnreachableError,
    );
    expect(log.records).toEqual([]);
  });
});

describe('the bell', () => {
  it('starts a job that is enqueued', async () => {
    await startIdle();
    const [id] = await enqueue({ type: 'test/echo' });
    await reaches(id, 'completed');
  });

  it('starts a job that somebody sets to now, or queues again, by hand', async () => {
    await startIdle();
    const [id] = await enqueue({ type: 'test/echo', runAt: new Date(Date.now() + 3_600_000) });
    await isShown(true);
    await database.pool.query('update background_jobs set run_at = now() where id = $1', [id]);
    await reaches(id, 'completed');
    await isShown(true);
    await database.pool.query(`update background_jobs set status = 'queued' where id = $1`, [id]);
    await vi.waitFor(
      async () => expect((await all('select 1 from background_job_ready')).length).toBe(0),
      waiting,
    );
    await reaches(id, 'completed');
  });

  it('starts a job that is retried, and one that is inserted by hand', async () => {
    await startIdle();
    const [failed] = await all(
      `insert into background_jobs (type, lane, status, failed_at) values ('test/echo', 'worker', 'failed', now()) returning id`,
    );
    await database.rpc('retry_failed_job', { job_id: failed?.['id'] });
    await reaches(failed?.['id'] as string, 'completed');
    await isShown(true);
    const [inserted] = await all(
      `insert into background_jobs (type, lane) values ('test/echo', 'worker') returning id`,
    );
    await reaches(inserted?.['id'] as string, 'completed');
  });

  it('starts a job whose parent, on another lane, has ended', async () => {
    const [parent, child] = await enqueue({ type: 'test/edge' }, { type: 'test/echo', dependsOn: [0] });
    const claimed = await queue.claimOne(parent!, 'elsewhere', 60);
    await startIdle();
    await queue.complete([{ jobId: parent!, leaseToken: claimed!.leaseToken, result: null }]);
    await reaches(child, 'completed');
  });

  it('starts a job whose concurrency key has come free', async () => {
    const key = { concurrencyKey: 'one', concurrencyLimit: 1 };
    const [first, second] = await enqueue({ type: 'test/edge', ...key }, { type: 'test/echo', ...key });
    const claimed = await queue.claimOne(first!, 'elsewhere', 60);
    await startIdle();
    await queue.complete([{ jobId: first!, leaseToken: claimed!.leaseToken, result: null }]);
    await reaches(second, 'completed');
  });

  it('starts a job at once while a long one runs and there is room for it', async () => {
    await startIdle();
    const [long] = await enqueue({ type: 'test/held' });
    await reaches(long, 'processing');
    const [quick] = await enqueue({ type: 'test/echo' });
    await reaches(quick, 'completed');
    expect(await queue.get(long!)).toMatchObject({ status: 'processing' });
  });

  it('is rung once for a call of many jobs', async () => {
    const { heard, close } = await listen();
    await startIdle({ lanes: ['edge'] });
    await enqueue(...Array.from({ length: 500 }, () => ({ type: 'test/edge' })));
    expect(await heard()).toBe(1);
    await close();
  });

  it('is not rung while no worker waits for it, has room, or is on the lane', async () => {
    const { heard, close } = await listen();
    await enqueue({ type: 'test/edge' });
    expect(await heard()).toBe(0);
    await startIdle({ concurrency: 1 });
    await enqueue({ type: 'test/edge' }, { type: 'test/edge', priority: -5 });
    await enqueue({ type: 'test/echo', runAt: new Date(Date.now() + 3_600_000) });
    expect(await heard()).toBe(0);
    await enqueue({ type: 'test/held', priority: -5 });
    await isShown(false);
    expect(await heard()).toBe(1);
    await enqueue({ type: 'test/echo' });
    expect(await heard()).toBe(1);
    await close();
  });

  it('is heard again after its connection was cut', async () => {
    const log = recordingLogger();
    await startIdle({ log });
    const listening = `select l.pid from pg_locks l join pg_database d on d.oid = l.database
      where l.locktype = 'advisory' and d.datname = current_database()`;
    const [before] = await all(listening);
    await database.pool.query('select pg_terminate_backend($1)', [before?.['pid']]);
    await vi.waitFor(async () => {
      const [after] = await all(listening);
      expect(after?.['pid']).toEqual(expect.any(Number));
      expect(after?.['pid']).not.toBe(before?.['pid']);
    }, waiting);
    await isShown(true);
    const [id] = await enqueue({ type: 'test/echo' });
    await reaches(id, 'completed');
    expect(log.records.map(({ message }) => message)).toContain('the bell was lost, listening again soon');
  });
});

describe('the sign that a worker waits', () => {
  it('is up when there is nothing to do, and down while jobs come', async () => {
    await startIdle({ concurrency: 1 });
    await enqueue({ type: 'test/held' }, { type: 'test/held' });
    await isShown(false);
    release();
    await isShown(true);
  });
});

describe('many workers', () => {
  it('share thousands of jobs, and run none twice', async () => {
    const runs = new Map<unknown, number>();
    const counted = workerJob('test/counted', z.unknown(), (ctx) => {
      runs.set(ctx.payload, (runs.get(ctx.payload) ?? 0) + 1);
      return Promise.resolve(null);
    });
    const perWorker: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      const own = {
        ...counted,
        run: (ctx: Parameters<typeof counted.run>[0]) => {
          perWorker[n] = (perWorker[n] ?? 0) + 1;
          return counted.run(ctx);
        },
      };
      workers.push(await startTestWorker(database, [own]));
    }
    await isShown(true);
    const payloads = Array.from({ length: 4_000 }, (_, n) => n);
    await enqueue(...payloads.map((payload) => ({ type: 'test/counted', payload })));
    await vi.waitFor(
      async () => {
        const counts = await all('select status, count(*)::int from background_jobs group by status');
        expect(counts).toEqual([{ status: 'completed', count: payloads.length }]);
      },
      { timeout: 50_000, interval: 50 },
    );
    expect(runs.size).toBe(payloads.length);
    expect([...runs.values()].filter((count) => count !== 1)).toEqual([]);
    expect(perWorker.filter((count) => count > 0)).toHaveLength(4);
  });
});

describe('a worker whose database goes away', () => {
  it('can be stopped meanwhile', async () => {
    const own = await createTestDatabase();
    const log = recordingLogger();
    const worker = await startTestWorker(own, catalog, { log, pollMs: 100, sweepSeconds: 0.1 });
    await own.close();
    await vi.waitFor(
      () => expect(log.records.map(({ message }) => message)).toContain('could not sweep'),
      waiting,
    );
    await worker.stop();
    expect(worker.health().stopping).toBe(true);
  });

  it('goes on when it is back', async () => {
    const log = recordingLogger();
    const worker = await startIdle({ log, pollMs: 200, sweepSeconds: 0.2 });
    const name = new URL(database.url).pathname.slice(1);
    const cluster = new pg.Client({ connectionString: new URL('/postgres', database.url).href });
    await cluster.connect();
    await cluster.query(`alter database ${name} allow_connections false`);
    await cluster.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
    await vi.waitFor(
      () => expect(log.records.map(({ message }) => message)).toContain('could not sweep'),
      waiting,
    );
    await cluster.query(`alter database ${name} allow_connections true`);
    await cluster.end();
    const [id] = await enqueue({ type: 'test/echo' });
    await reaches(id, 'completed');
    expect(worker.health().stopping).toBe(false);
  });
});
