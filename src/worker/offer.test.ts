import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../tests/support/database.ts';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { startTestWorker, workerJob } from '../../tests/support/worker.ts';
import { createSessionRpc } from '../database/pg-rpc.ts';
import { type ClaimedJob, createJobQueue, type JobQueue } from '../queue/job-queue.ts';
import { createOffer, type Offer } from './offer.ts';
import type { Worker, WorkerOptions } from './worker.ts';

const waiting = { timeout: 30_000, interval: 10 };

let database: TestDatabase;
let queue: JobQueue;
let workers: Worker[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  workers = [];
  await expectSoundQueue(database.pool);
  await database.pool.query(
    'delete from background_jobs; delete from background_job_workers; delete from background_job_offers',
  );
});
afterAll(() => database.close());

async function all(sql: string): Promise<Record<string, unknown>[]> {
  return (await database.pool.query<Record<string, unknown>>(sql)).rows;
}

/** The enqueue of one job whose worker is the lane's. */
async function enqueueOne(payload?: unknown): Promise<string> {
  const [job] = await queue.enqueue([{ type: 'test/job', lane: 'worker', payload }]);
  return job!.id;
}

/** What the notification brings of a job that was handed over. */
async function copyOf(id: string): Promise<string> {
  const [job] = await all(
    `select id, type, payload, retry_count, max_retries, timeout_seconds, lease_token
     from background_jobs where id = '${id}'`,
  );
  return JSON.stringify(job);
}

describe('without a worker around it', () => {
  const checkMs = 1_000;
  let client: pg.Client;
  let time: number;
  let offer: Offer;
  let name: string;
  let came: ClaimedJob[] = [];
  const onJob = vi.fn((job: ClaimedJob) => void came.push(job));

  beforeEach(async () => {
    client = new pg.Client({ connectionString: database.url, query_timeout: 1_000 });
    await client.connect();
    time = 0;
    came = [];
    onJob.mockClear();
    offer = createOffer({
      ...{ queue, lane: 'worker', worker: 'w', leaseSeconds: 30, checkMs, log: silentLogger },
      now: () => new Date(time),
    });
    offer.serve({ hasRoom: () => true, onJob });
    await database.rpc('report_worker', { worker: 'w', lanes: ['worker'], idle: true });
    name = crypto.randomUUID();
    await client.query(`select pg_advisory_lock(hashtextextended('background_job_offers:' || $1, 0))`, [
      name,
    ]);
    offer.listening({
      name,
      queue: createJobQueue(createSessionRpc(client)),
      close: () => client.end(),
    });
    await offer.make();
  });
  afterEach(() => client.end());

  describe('an offer', () => {
    it('is looked at now and then, and brings its job once', async () => {
      const id = await enqueueOne();
      await offer.make();
      expect(came).toEqual([]);
      time = checkMs;
      await offer.make();
      expect(came).toMatchObject([{ id, steps: {} }]);
      time *= 2;
      await offer.make();
      expect(came).toHaveLength(1);
    });

    it('brings its job over another connection when its own is lost', async () => {
      const id = await enqueueOne();
      await client.end();
      offer.lost();
      await vi.waitFor(() => expect(came).toMatchObject([{ id }]), waiting);
      expect(await all('select from background_job_offers')).toEqual([]);
    });

    it('attracts nothing more once it is withdrawn', async () => {
      const id = await enqueueOne();
      await offer.withdraw();
      expect(came).toMatchObject([{ id }]);
      await enqueueOne();
      await offer.withdraw();
      expect(came).toHaveLength(1);
    });

    it('closes a connection that does not answer, instead of waiting for it', async () => {
      const blocker = await database.pool.connect();
      await blocker.query('begin; select from background_job_offers for update');
      const closed = new Promise((resolve) => client.once('end', resolve));
      await offer.withdraw();
      await closed;
      offer.lost();
      await blocker.query('commit');
      blocker.release();
      expect(came).toEqual([]);
    });

    it('is not renewed when the worker has no room', async () => {
      offer.serve({ hasRoom: () => false, onJob });
      const id = await enqueueOne();
      offer.heard(name, '');
      await vi.waitFor(() => expect(came).toMatchObject([{ id }]), waiting);
      expect(await all('select from background_job_offers')).toEqual([]);
    });
  });

  describe('a job that comes in a notification', () => {
    it('is there at once, and its fetch renews the offer and does not bring it again', async () => {
      const id = await enqueueOne();
      time = 1_500;
      offer.heard(name, await copyOf(id));
      expect(onJob.mock.calls).toMatchObject([
        [{ id, payload: {}, retryCount: 0, steps: {} }, new Date(1_500)],
      ]);
      await vi.waitFor(async () => {
        expect(await all('select from background_job_offers where job_id is null')).toHaveLength(1);
      }, waiting);
      await offer.withdraw();
      expect(came).toHaveLength(1);
    });

    it('is the same that a look at the offer has just brought', async () => {
      const id = await enqueueOne();
      const copy = await copyOf(id);
      time = checkMs;
      await offer.make();
      offer.heard(name, copy);
      expect(came).toMatchObject([{ id }]);
    });

    it('is fetched first when it may have been on its way for long', async () => {
      const id = await enqueueOne();
      time = 2_001;
      offer.heard(name, await copyOf(id));
      expect(came).toEqual([]);
      await vi.waitFor(() => expect(came).toMatchObject([{ id }]), waiting);
    });

    it('does not come again when its connection is lost before it is fetched', async () => {
      const id = await enqueueOne();
      offer.heard(name, await copyOf(id));
      await client.end();
      offer.lost();
      await offer.withdraw();
      expect(came).toMatchObject([{ id }]);
      expect(await all('select from background_job_offers')).toEqual([]);
    });

    it('takes no place beside the one that it runs in', async () => {
      const id = await enqueueOne();
      const copy = await copyOf(id);
      expect(offer.reserved()).toBe(1);
      offer.heard(name, copy);
      expect(offer.reserved()).toBe(0);
    });

    it('is not taken from the channel of another offer', async () => {
      const id = await enqueueOne();
      offer.heard(crypto.randomUUID(), await copyOf(id));
      expect(came).toEqual([]);
    });
  });
});

describe('a worker that waits', () => {
  let ran: number[] = [];
  let most = 0;
  let running = 0;
  const job = workerJob('test/job', z.number(), async ({ payload }) => {
    running += 1;
    most = Math.max(most, running);
    await sleep(2);
    running -= 1;
    ran.push(payload);
  });

  beforeEach(() => {
    ran = [];
    most = 0;
  });

  async function startOffering(overrides: Partial<WorkerOptions> = {}): Promise<Worker> {
    const worker = await startTestWorker(database, [job], overrides);
    workers.push(worker);
    await vi.waitFor(async () => {
      expect(await all('select from background_job_offers where job_id is null')).toHaveLength(1);
    }, waiting);
    return worker;
  }

  it('runs what is handed to it, job after job, without a place in line', async () => {
    const worker = await startOffering({ pollMs: 500 });
    for (let n = 0; n < 3; n += 1) {
      const id = await enqueueOne(n);
      expect(await all('select from background_job_ready')).toEqual([]);
      const ended = async () => expect(await queue.get(id)).toMatchObject({ status: 'completed' });
      await vi.waitFor(ended, waiting);
      await vi.waitFor(async () => {
        expect(await all('select from background_job_offers where job_id is null')).toHaveLength(1);
      }, waiting);
    }
    await worker.stop();
    expect(ran).toEqual([0, 1, 2]);
  });

  it('leaves no offer behind when it stops', async () => {
    const worker = await startOffering();
    await worker.stop();
    expect(await all('select from background_job_offers')).toEqual([]);
  });

  it.each([1, 3])('never runs more than %d at a time, and each job once', async (concurrency) => {
    const worker = await startOffering({ concurrency, pollMs: 50 });
    const jobs = 300;
    for (let n = 0; n < jobs; n += 1) {
      if (n % 10 === 9) await queue.enqueue([{ type: 'test/job', payload: n, priority: 1 }]);
      else await enqueueOne(n);
      if (n % 25 === 0) await sleep(60);
    }
    await vi.waitFor(() => expect(ran).toHaveLength(jobs), waiting);
    await worker.stop();
    expect(new Set(ran).size).toBe(jobs);
    expect(most).toBe(concurrency);
  });

  it('gives everything back that it cannot run any more, while workers come and go', async () => {
    const jobs = 200;
    const enqueued = (async () => {
      for (let n = 0; n < jobs; n += 1) {
        await enqueueOne(n);
        await sleep(n % 7);
      }
    })();
    let ended = false;
    void enqueued.then(() => (ended = true));
    while (!ended) {
      const worker = await startTestWorker(database, [job], { pollMs: 20 });
      workers.push(worker);
      await sleep(100);
      await worker.stop();
    }
    await enqueued;
    workers.push(await startTestWorker(database, [job], { pollMs: 20, sweepSeconds: 1 }));
    await vi.waitFor(() => expect(ran).toHaveLength(jobs), waiting);
    expect(new Set(ran).size).toBe(jobs);
    expect(await all('select from background_jobs where retry_count > 0')).toEqual([]);
  });
});
