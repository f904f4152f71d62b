import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../tests/support/database.ts';
import { testHost, testJob } from '../../tests/support/queue-host.ts';
import { DatabaseUnreachableError } from '../database/rpc.ts';
import type { JobContext } from '../jobs/job-context.ts';
import { NonRetryableError, SnoozeError } from '../jobs/outcomes.ts';
import { type Drain, drain, type DrainOptions, startDrain } from './drain.ts';
import { type ClaimedJob, createJobQueue, type JobQueue } from './job-queue.ts';
import type { PerformHostOptions } from './perform-host.ts';

let database: TestDatabase;
let queue: JobQueue;

beforeAll(async () => {
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
});
afterAll(async () => await database.close());
beforeEach(async () => {
  await database.pool.query('delete from background_jobs');
});
afterEach(async () => await expectSoundQueue(database.pool));

type Run = (ctx: JobContext<unknown>) => Promise<unknown>;

function optionsFor(
  run: Run,
  overrides: Partial<DrainOptions> = {},
  hosting: Partial<PerformHostOptions> = {},
): DrainOptions {
  const catalog = [testJob('test/job', z.unknown(), run)];
  return {
    host: testHost({ queue, rpc: database.rpc, catalog }, hosting),
    lane: 'edge',
    worker: 'test',
    concurrency: 10,
    stopClaimingAt: new Date(Date.now() + 600_000),
    ...overrides,
  };
}

async function enqueue(count: number): Promise<void> {
  await queue.enqueue(Array.from({ length: count }, (_, n) => ({ type: 'test/job', payload: { n } })));
}

async function countByStatus(): Promise<Record<string, number>> {
  const sql = 'select status, count(*)::int as count from background_jobs group by status';
  const { rows } = await database.pool.query<{ status: string; count: number }>(sql);
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}

it('runs hundreds of jobs, each once, never more than its concurrency at a time', async () => {
  await enqueue(300);
  const runs: unknown[] = [];
  let now = 0;
  let most = 0;
  const summary = await drain(
    optionsFor(async (ctx) => {
      runs.push((ctx.payload as { n: number }).n);
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setTimeout(resolve, 2));
      now -= 1;
    }),
  );
  expect(summary).toMatchObject({ claimed: 300, completed: 300, emptied: true });
  expect(new Set(runs).size).toBe(300);
  expect(runs).toHaveLength(300);
  expect(most).toBe(10);
  expect(await countByStatus()).toEqual({ completed: 300 });
});

it('shares the queue with other drains', async () => {
  await enqueue(200);
  const run: Run = () => Promise.resolve(null);
  const summaries = await Promise.all([1, 2, 3].map(() => drain(optionsFor(run))));
  expect(summaries.reduce((sum, { completed }) => sum + completed, 0)).toBe(200);
  expect(await countByStatus()).toEqual({ completed: 200 });
});

it('writes completions in batches and counts every outcome', async () => {
  await enqueue(5);
  const calls: number[] = [];
  const counting: JobQueue = {
    ...queue,
    complete: (results) => {
      calls.push(results.length);
      return queue.complete(results);
    },
  };
  const ends = [
    () => Promise.resolve('done'),
    () => Promise.resolve('done'),
    () => Promise.reject(new Error('again')),
    () => Promise.reject(new NonRetryableError('never')),
    () => Promise.reject(new SnoozeError(new Date(Date.now() + 60_000), 'later')),
  ];
  const run: Run = (ctx) => ends[(ctx.payload as { n: number }).n]?.() ?? Promise.resolve();
  const summary = await drain(optionsFor(run, {}, { queue: counting }));
  expect(summary).toEqual({
    claimed: 5,
    completed: 2,
    retried: 1,
    failed: 1,
    snoozed: 1,
    handedOff: 0,
    cancelled: 0,
    lost: 0,
    emptied: true,
  });
  expect(calls).toEqual([2]);
});

it('ends at once on an empty queue', async () => {
  const begun = startDrain(optionsFor(() => Promise.resolve(null)));
  expect(await begun.firstBatch).toEqual([]);
  expect(await begun.done).toMatchObject({ claimed: 0, emptied: true });
  expect(begun.wake()).toBe(false);
});

it('goes on with an empty queue when it is to be looked at again, and is told to stop', async () => {
  const stop = new AbortController();
  const run: Run = () => Promise.resolve(null);
  const begun = startDrain(optionsFor(run, { emptyPollMs: () => 20, stopClaiming: stop.signal }));
  for (const completed of [1, 2]) {
    await enqueue(1);
    await vi.waitFor(async () => expect(await countByStatus()).toEqual({ completed }), 20_000);
  }
  stop.abort();
  expect(await begun.done).toMatchObject({ claimed: 2, completed: 2 });
});

describe('a job that it has not claimed', () => {
  const waiting = { pollMs: 600_000, emptyPollMs: () => 600_000 };

  async function claimOther(): Promise<ClaimedJob> {
    await enqueue(1);
    const [job] = await queue.claim({ lane: 'edge', worker: 'other', maxJobs: 1, leaseSeconds: 600 });
    return job!;
  }

  it('runs at once and counts like the others', async () => {
    const job = await claimOther();
    const stop = new AbortController();
    const ran: string[] = [];
    const run: Run = (ctx) => Promise.resolve(void ran.push(ctx.jobId));
    const begun = startDrain(optionsFor(run, { ...waiting, stopClaiming: stop.signal }));
    await begun.firstBatch;
    begun.start(job, new Date());
    expect(ran).toEqual([job.id]);
    stop.abort();
    expect(await begun.done).toMatchObject({ claimed: 1, completed: 1 });
  });

  it('takes one of the places that a claim under way leaves', async () => {
    const job = await claimOther();
    const stop = new AbortController();
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const askedAgain = Promise.withResolvers<void>();
    let claims = 0;
    const slow: JobQueue = {
      ...queue,
      async claim(request) {
        claims += 1;
        if (claims > 1) askedAgain.resolve();
        asked.resolve();
        await answer.promise;
        return await queue.claim({ ...request, maxJobs: request.maxJobs - 1 });
      },
      // Only the end of the runs is left as a reason to claim, and it is one: there was no room for more.
      async complete(completions) {
        await askedAgain.promise;
        return await queue.complete(completions);
      },
    };
    await enqueue(1);
    const release = Promise.withResolvers<void>();
    const options = { ...waiting, concurrency: 2, stopClaiming: stop.signal };
    const begun = startDrain(optionsFor(() => release.promise, options, { queue: slow }));
    await asked.promise;
    begun.start(job, new Date());
    answer.resolve();
    await begun.firstBatch;
    expect(begun.running()).toBe(2);
    release.resolve();
    await askedAgain.promise;
    stop.abort();
    expect(await begun.done).toMatchObject({ claimed: 2, completed: 2 });
  });

  it('is lost at once when its lease counts from so long ago', async () => {
    const job = await claimOther();
    const heartbeat = () => Promise.reject(new DatabaseUnreachableError('away'));
    const run: Run = (ctx) =>
      new Promise((_resolve, reject) =>
        ctx.signal.addEventListener('abort', () => reject(new Error('stopped'))),
      );
    const stop = new AbortController();
    const hosting = { queue: { ...queue, heartbeat }, leaseSeconds: 600 };
    const begun = startDrain(optionsFor(run, { ...waiting, stopClaiming: stop.signal }, hosting));
    await begun.firstBatch;
    begun.start(job, new Date(Date.now() - 600_000));
    stop.abort();
    expect(await begun.done).toMatchObject({ claimed: 1, lost: 1 });
    await database.pool.query(`delete from background_jobs where status = 'processing'`);
  });
});

it('runs what its own jobs enqueue', async () => {
  await enqueue(1);
  const run: Run = (ctx) => {
    const { n } = ctx.payload as { n: number };
    if (n < 5) ctx.enqueue({ type: 'test/job', payload: { n: n + 1 } });
    return Promise.resolve(n);
  };
  expect(await drain(optionsFor(run))).toMatchObject({ completed: 6, emptied: true });
});

it('looks again when it is woken while a long job runs', async () => {
  await enqueue(1);
  const release = Promise.withResolvers<void>();
  const run: Run = (ctx) => ((ctx.payload as { n: number }).n === 0 ? release.promise : Promise.resolve());
  const begun: Drain = startDrain(optionsFor(run, { pollMs: 600_000 }));
  expect(await begun.firstBatch).toHaveLength(1);
  await queue.enqueue([{ type: 'test/job', payload: { n: 1 } }]);
  expect(begun.wake()).toBe(true);
  await vi.waitFor(
    async () => expect(await countByStatus()).toEqual({ processing: 1, completed: 1 }),
    20_000,
  );
  release.resolve();
  expect(await begun.done).toMatchObject({ completed: 2, emptied: true });
});

it('refuses a wake that comes after its time to claim, although jobs still run', async () => {
  await enqueue(1);
  const release = Promise.withResolvers<void>();
  let time = 0;
  const hosting = { now: () => new Date(time) };
  const options = optionsFor(
    () => release.promise,
    { stopClaimingAt: new Date(1_000), pollMs: 600_000 },
    hosting,
  );
  const begun = startDrain(options);
  await begun.firstBatch;
  expect(begun.wake()).toBe(true);
  time = 1_000;
  expect(begun.wake()).toBe(false);
  release.resolve();
  expect(await begun.done).toMatchObject({ completed: 1, emptied: false });
});

it('claims nothing after its time, and says that the queue may not be empty', async () => {
  await enqueue(3);
  const summary = await drain(optionsFor(() => Promise.resolve(null), { stopClaimingAt: new Date() }));
  expect(summary).toMatchObject({ claimed: 0, emptied: false });
  expect(await countByStatus()).toEqual({ queued: 3 });
});

it('hands everything back when the host shuts down', async () => {
  await enqueue(30);
  const shutdown = new AbortController();
  const run: Run = async (ctx) => {
    await ctx.step('one', () => Promise.resolve(1));
    return await new Promise((_resolve, reject) =>
      ctx.signal.addEventListener('abort', () => reject(new Error('stopped'))),
    );
  };
  const begun = startDrain(optionsFor(run, {}, { shutdown: shutdown.signal }));
  await begun.firstBatch;
  await vi.waitFor(async () => {
    const { rows } = await database.pool.query('select from background_job_steps');
    expect(rows).toHaveLength(10);
  }, 20_000);
  shutdown.abort();
  expect(await begun.done).toMatchObject({ claimed: 10, handedOff: 10, emptied: false });
  expect(await countByStatus()).toEqual({ queued: 30 });
  const { rows } = await database.pool.query('select from background_jobs where retry_count > 0');
  expect(rows).toEqual([]);
});

it('ends with the error of a failed claim, after the jobs that were running', async () => {
  await enqueue(2);
  let claims = 0;
  const flaky: JobQueue = {
    ...queue,
    claim: (request) => {
      claims += 1;
      return claims > 1 ? Promise.reject(new DatabaseUnreachableError('away')) : queue.claim(request);
    },
  };
  const run: Run = () => Promise.resolve('done');
  await expect(drain(optionsFor(run, { concurrency: 1 }, { queue: flaky }))).rejects.toThrow('away');
  expect(await countByStatus()).toEqual({ completed: 1, queued: 1 });
});

it('leaves types alone that do not fit into the time left, once it must look at that', async () => {
  await queue.syncJobTypes([testJob('test/job', z.unknown(), () => Promise.resolve(null))]);
  await database.pool.query(`update job_types set p95_duration_ms = 60000, p95_measured_at = now()`);
  await enqueue(1);
  const deadline = new Date(Date.now() + 30_000);
  const run: Run = () => Promise.resolve(null);
  const late = optionsFor(run, { fitFrom: new Date(0) }, { deadline });
  expect(await drain(late)).toMatchObject({ claimed: 0, emptied: true });
  expect(await drain(optionsFor(run, {}, { deadline }))).toMatchObject({ completed: 1 });
});
