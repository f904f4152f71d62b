import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../../tests/support/database.ts';
import { claimNew, testHost } from '../../../tests/support/queue-host.ts';
import { createJobQueue, type JobQueue } from '../../queue/job-queue.ts';
import { perform } from '../../queue/perform.ts';
import { defineJob, type JobDefinition } from '../define-job.ts';
import type { FailedJob, FailureContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';
import { jobFailed } from './job-failed.ts';

let database: TestDatabase;
let queue: JobQueue;
let failures: FailedJob[];
let onFailure: (ctx: FailureContext, failure: FailedJob) => Promise<unknown>;

const order = defineJob({
  type: 'test/order',
  payload: z.object({ order: z.number() }),
  run: () => Promise.reject(new NonRetryableError('sold out')),
  onFailure: (ctx, failure) => onFailure(ctx, failure),
}) as JobDefinition;
const catalog = [order, jobFailed([order])];

beforeAll(async () => {
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
  await queue.syncJobTypes(catalog);
});
beforeEach(() => {
  failures = [];
  onFailure = (_, failure) => Promise.resolve(failures.push(failure));
});
afterEach(async () => {
  await expectSoundQueue(database.pool);
  await database.pool.query('delete from background_jobs');
});
afterAll(() => database.close());

const host = (definitions = catalog): ReturnType<typeof testHost> =>
  testHost({ queue, rpc: database.rpc, catalog: definitions });

async function fail(payload: unknown = { order: 7 }): Promise<string> {
  const job = await claimNew(queue, { type: 'test/order', payload });
  expect(await perform(job, host())).toMatchObject({ kind: 'failed' });
  return job.id;
}

/** Runs what waits. */
async function runWaiting(definitions = catalog): Promise<string[]> {
  const request = { lane: 'edge', worker: 'test', maxJobs: 10, leaseSeconds: 30 } as const;
  const jobs = await queue.claim(request);
  const outcomes = await Promise.all(jobs.map((job) => perform(job, host(definitions))));
  return outcomes.map(({ kind }) => kind);
}

describe('onFailure', () => {
  it('learns which job failed, with what payload, and why', async () => {
    const jobId = await fail();
    expect(await runWaiting()).toEqual(['complete']);
    expect(failures).toEqual([
      {
        jobId,
        type: 'test/order',
        payload: { order: 7 },
        error: 'sold out',
        reason: 'non_retryable',
        retryCount: 0,
        failedAt: expect.any(Date) as Date,
      },
    ]);
  });

  it('gets the payload that does not fit the definition, and that made the job fail', async () => {
    await fail({ order: 'seven' });
    await runWaiting();
    expect(failures).toMatchObject([{ payload: { order: 'seven' }, reason: 'non_retryable' }]);
  });

  it('has the context of a job: durable steps, follow-ups, an id of its own', async () => {
    let ownId = '';
    onFailure = async (ctx, failure) => {
      ownId = ctx.jobId;
      ctx.enqueue({ type: 'test/refund', payload: { jobId: failure.jobId } });
      return await ctx.step('tell', () => Promise.resolve('told'));
    };
    const jobId = await fail();
    await runWaiting();
    expect(await queue.get(ownId)).toMatchObject({ type: 'system/job.failed', result: 'told' });
    const { rows } = await database.pool.query(
      `select payload from background_jobs where type = 'test/refund'`,
    );
    expect(rows).toEqual([{ payload: { jobId } }]);
  });

  it('is called when the row was set to failed by hand, and told null when it was deleted since', async () => {
    const [job] = await queue.enqueue([{ type: 'test/order', payload: { order: 8 } }]);
    await database.pool.query(`update background_jobs set status = 'failed' where id = $1`, [job?.id]);
    await database.pool.query('delete from background_jobs where id = $1', [job?.id]);
    await runWaiting();
    expect(failures).toMatchObject([{ jobId: job?.id, payload: null, error: null, reason: 'operator' }]);
  });

  it('is retried when it fails, and calls itself for nothing', async () => {
    onFailure = () => Promise.reject(new Error('mail server is down'));
    await fail();
    expect(await runWaiting()).toEqual(['retry']);
    await database.pool.query(
      `update background_jobs set status = 'failed' where type = 'system/job.failed'`,
    );
    const { rows } = await database.pool.query(`select type from background_jobs where status = 'queued'`);
    expect(rows).toEqual([]);
  });

  it('fails for good where no definition has one any more', async () => {
    await fail();
    expect(await runWaiting([jobFailed([])])).toEqual(['failed']);
  });
});
