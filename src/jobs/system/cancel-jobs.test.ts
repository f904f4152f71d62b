import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../../tests/support/database.ts';
import { type HybridEndpoint, startHybridEndpoint } from '../../../tests/support/hybrid-endpoint.ts';
import { testHost } from '../../../tests/support/queue-host.ts';
import { createInngestExecutor, type InngestExecutor } from '../../local/inngest-executor.ts';
import { createJobQueue, type JobQueue } from '../../queue/job-queue.ts';
import { perform } from '../../queue/perform.ts';
import { defineJob, type JobDefinition } from '../define-job.ts';
import { cancelJobs } from './cancel-jobs.ts';

/** Runs until it is stopped. */
const long = defineJob({
  type: 'test/long',
  payload: z.unknown(),
  run: ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
});
const catalog = [cancelJobs, long] as JobDefinition[];

let database: TestDatabase;
let queue: JobQueue;
let endpoint: HybridEndpoint;
let inngest: InngestExecutor;

beforeAll(async () => {
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
  await queue.syncJobTypes(catalog);
  endpoint = await startHybridEndpoint({ rpc: database.rpc, catalog });
  inngest = createInngestExecutor({ url: endpoint.url });
});
afterAll(async () => {
  await endpoint.close();
  await database.close();
});
afterEach(() => expectSoundQueue(database.pool));

/** Sends an event and answers the job that it made. */
async function sent(eventId: string): Promise<{ jobId: string; runId: string }> {
  const [run] = await inngest.send({ name: 'test/long', id: eventId });
  return { jobId: (run?.output as { jobId: string }).jobId, runId: run?.runId ?? '' };
}

/** @returns the result of the job that the event ran */
async function cancelBy(name: string, data: object): Promise<unknown> {
  const [run] = await inngest.send({ name, data });
  expect(run).toMatchObject({ status: 'completed', functionId: 'hybrid-jobs-cancel-jobs' });
  return (run?.output as { result: unknown }).result;
}

describe('a job', () => {
  it('that runs on the edge lane stops when a person cancels its event', async () => {
    const { jobId } = await sent('running-1');
    const claimed = await queue.claimOne(jobId, 'test', 3);
    const running = perform(claimed!, testHost({ queue, rpc: database.rpc, catalog }, { leaseSeconds: 3 }));
    expect(await cancelBy('cancel/function', { reason: 'user_requested', eventId: 'running-1' })).toEqual({
      cancelled: [{ id: jobId, type: 'test/long', status: 'processing' }],
    });
    expect(await running).toEqual({ kind: 'cancelled' });
    expect(await queue.get(jobId)).toMatchObject({ status: 'cancelled' });
  });

  it.each([
    ['its id', ({ jobId }: { jobId: string }) => ({ jobId })],
    ['its run', ({ runId }: { runId: string }) => ({ runId })],
    ['its event', (_: object, eventId: string) => ({ event_id: eventId })],
  ])('that waits is cancelled at once by %s', async (_, name) => {
    const eventId = randomUUID();
    const job = await sent(eventId);
    const data = { reason: 'user_requested', ...name(job, eventId) };
    expect(await cancelBy('cancel/function', data)).toEqual({
      cancelled: [{ id: job.jobId, type: 'test/long', status: 'cancelled' }],
    });
    expect(await cancelBy('system/jobs.cancel', data)).toEqual({ cancelled: [] });
  });

  it('is cancelled when Inngest says that it cancelled the run', async () => {
    const eventId = randomUUID();
    const { jobId, runId } = await sent(eventId);
    const data = {
      function_id: 'hybrid-jobs-test-long',
      run_id: runId,
      event: { id: eventId, name: 'test/long', data: {} },
      error: { name: 'Error', message: 'function cancelled' },
    };
    expect(await cancelBy('inngest/function.cancelled', data)).toMatchObject({ cancelled: [{ id: jobId }] });
    expect(await queue.get(jobId)).toMatchObject({ status: 'cancelled' });
  });

  it('is left alone when Inngest cancelled the run of another app that the same event had started', async () => {
    const eventId = randomUUID();
    const { jobId } = await sent(eventId);
    const data = { function_id: 'old-app-sync', run_id: 'run-of-another-app', event: { id: eventId } };
    expect(await cancelBy('inngest/function.cancelled', data)).toEqual({ cancelled: [] });
    expect(await queue.get(jobId)).toMatchObject({ status: 'queued' });
  });

  it.each([
    [{ reason: 'timeout' }, 'expected reason "user_requested", got "timeout"'],
    [{}, 'expected reason "user_requested", got none'],
  ])('is left alone for another reason: %j', async (reason, ignored) => {
    const eventId = randomUUID();
    const { jobId } = await sent(eventId);
    expect(await cancelBy('cancel/function', { ...reason, eventId })).toEqual({ cancelled: [], ignored });
    expect(await queue.get(jobId)).toMatchObject({ status: 'queued' });
  });
});

it('an event that names no job of ours is answered, not failed', async () => {
  expect(await cancelBy('cancel/function', { reason: 'user_requested', jobId: 'order-7' })).toEqual({
    cancelled: [],
    ignored: 'expected eventId, runId, or jobId (uuid), got none of them',
  });
});
