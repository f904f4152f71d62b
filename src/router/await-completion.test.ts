import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../tests/support/database.ts';
import { type HybridEndpoint, startHybridEndpoint } from '../../tests/support/hybrid-endpoint.ts';
import { testHost } from '../../tests/support/queue-host.ts';
import { defineJob, type JobDefinition } from '../jobs/define-job.ts';
import { NonRetryableError, SnoozeError } from '../jobs/outcomes.ts';
import { jobFinished } from '../jobs/system/job-finished.ts';
import { createInngestExecutor, type InngestExecutor, type RunEnd } from '../local/inngest-executor.ts';
import { createJobQueue, type JobQueue } from '../queue/job-queue.ts';
import { perform } from '../queue/perform.ts';
import { createOutsideHttp } from '../runtime/outside-http.ts';

const payload = z.object({ sum: z.array(z.number()) });

async function add(numbers: number[]): Promise<{ sum: number }> {
  if (numbers.length === 0) throw new NonRetryableError('nothing to add');
  return await Promise.resolve({ sum: numbers.reduce((sum, number) => sum + number) });
}

const awaited = defineJob({
  type: 'test/awaited',
  payload,
  awaitCompletion: true,
  run: (ctx) => add(ctx.payload.sum),
});
const unawaited = defineJob({ type: 'test/unawaited', payload, run: (ctx) => add(ctx.payload.sum) });
const snoozing = defineJob({
  type: 'test/snoozing',
  lane: 'inline',
  payload,
  awaitCompletion: true,
  run: (ctx) =>
    ctx.deadline < new Date(Date.now() + 60_000)
      ? Promise.reject(new SnoozeError(new Date(), 'not here'))
      : add(ctx.payload.sum),
});
const catalog = [awaited, unawaited, snoozing, jobFinished] as JobDefinition[];

let database: TestDatabase;
let queue: JobQueue;
let endpoint: HybridEndpoint;
let inngest: InngestExecutor;

/** Names of the steps and waits of the run, as they come. */
let doings: string[];
/** Of each wait, in milliseconds. */
let timeOuts: number[];
/** Lets the time-out of a wait pass. */
let passTimeOut: () => void;
/** Resolved by the first wait. */
let waiting: PromiseWithResolvers<void>;

beforeAll(async () => {
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
  await queue.syncJobTypes(catalog);
  endpoint = await startHybridEndpoint({ rpc: database.rpc, catalog });
});

beforeEach(() => {
  doings = [];
  timeOuts = [];
  waiting = Promise.withResolvers();
  inngest = createInngestExecutor({
    url: endpoint.url,
    backoffMs: () => 0,
    timeOut: (ms) =>
      new Promise((resolve) => {
        timeOuts.push(ms);
        passTimeOut = () => resolve(undefined);
      }),
    onProgress({ kind, detail }) {
      if (kind === 'step' || kind === 'wait') doings.push(detail);
      if (kind === 'wait') waiting.resolve();
    },
  });
});

afterEach(async () => {
  await expectSoundQueue(database.pool);
  await database.pool.query('delete from background_jobs');
});

afterAll(async () => {
  await endpoint.close();
  await database.close();
});

/** Starts a run and lets it come to its first wait. */
async function startRun(sum: number[], name = 'test/awaited'): Promise<{ ended: Promise<RunEnd[]> }> {
  const ended = inngest.send({ name, data: { sum } });
  await Promise.race([waiting.promise, ended]);
  return { ended };
}

/** Runs what waits in the queue, as `process-job` would, with the local Inngest to send events to. */
async function work({ losesEvents = false } = {}): Promise<void> {
  const toInngest: typeof fetch = (_url, init) => {
    if (typeof init?.body !== 'string') throw new Error('expected a body');
    const events = JSON.parse(init.body) as { name: string; id: string; data: unknown }[];
    if (!losesEvents) for (const event of events) void inngest.send(event);
    return Promise.resolve(Response.json({ status: 200 }));
  };
  const host = testHost(
    { queue, rpc: database.rpc, catalog },
    {
      http: { ...createOutsideHttp(), fetch: toInngest },
      inngestEvents: { url: 'https://inngest.test/e/key', headers: {} },
    },
  );
  const request = { lane: 'edge', worker: 'test', maxJobs: 10, leaseSeconds: 30 } as const;
  for (let jobs = await queue.claim(request); jobs.length > 0; jobs = await queue.claim(request))
    for (const job of jobs) await perform(job, host);
}

async function idOf(type: string): Promise<string> {
  const { rows } = await database.pool.query<{ id: string }>(
    'select id from background_jobs where type = $1',
    [type],
  );
  return rows[0]?.id ?? '';
}

describe('the run of an awaited job', () => {
  it('ends with the result when the event arrives', async () => {
    const { ended } = await startRun([1, 2]);
    await work();
    const [run] = await ended;
    expect(run).toMatchObject({
      status: 'completed',
      output: {
        jobId: await idOf('test/awaited'),
        lane: 'edge',
        status: 'completed',
        result: { sum: 3 },
      },
    });
    expect(doings).toEqual(['enqueue', 'wake', 'look 0', 'finished 1', 'look 1']);
  });

  it('finds the end after the time-out when the event is lost, and waits longer each time', async () => {
    const { ended } = await startRun([3, 4]);
    waiting = Promise.withResolvers();
    passTimeOut();
    await waiting.promise;
    await work({ losesEvents: true });
    passTimeOut();
    expect(await ended).toMatchObject([{ status: 'completed', output: { result: { sum: 7 } } }]);
    expect(doings).toEqual(['enqueue', 'wake', 'look 0', 'finished 1', 'look 1', 'finished 2', 'look 2']);
    expect(timeOuts).toEqual([10_000, 30_000]);
  });

  it('is woken by the end of its own job only', async () => {
    const { ended } = await startRun([5]);
    await inngest.send({ name: 'jobs/finished', data: { jobId: crypto.randomUUID() } });
    await inngest.send({ name: 'jobs/started', data: { jobId: await idOf('test/awaited') } });
    expect(doings).toEqual(['enqueue', 'wake', 'look 0', 'finished 1']);
    await work();
    expect(await ended).toMatchObject([{ status: 'completed' }]);
  });

  it('waits for nothing when the job has ended before', async () => {
    const event = { name: 'test/awaited', data: { sum: [6] }, id: 'the-same' };
    const first = inngest.send(event);
    await waiting.promise;
    await work();
    await first;
    doings = [];
    const [run] = await inngest.send(event);
    expect(run).toMatchObject({ status: 'completed', output: { result: { sum: 6 } } });
    expect(doings).toEqual(['enqueue', 'wake', 'look 0']);
  });

  it('fails for good, with the error of the job, when the job fails', async () => {
    const { ended } = await startRun([]);
    await work();
    expect(await ended).toMatchObject([
      { status: 'failed', output: { name: 'NonRetriableError', message: 'nothing to add' } },
    ]);
    expect(await queue.get(await idOf('test/awaited'))).toMatchObject({ status: 'failed', retryCount: 0 });
  });

  it('fails for good when the job is cancelled', async () => {
    const { ended } = await startRun([7]);
    const jobId = await idOf('test/awaited');
    await database.pool.query('select cancel_background_job($1)', [jobId]);
    await work();
    expect(await ended).toMatchObject([
      { status: 'failed', output: { name: 'NonRetriableError', message: `job ${jobId} was cancelled` } },
    ]);
    expect(await queue.get(jobId)).toMatchObject({ status: 'cancelled' });
  });

  it('fails for good when the job is deleted, and does not bring it back', async () => {
    const { ended } = await startRun([8]);
    const jobId = await idOf('test/awaited');
    await database.pool.query('delete from background_jobs where id = $1', [jobId]);
    passTimeOut();
    expect(await ended).toMatchObject([
      { status: 'failed', output: { message: `job ${jobId} was deleted` } },
    ]);
    expect(await idOf('test/awaited')).toBe('');
  });

  it('waits for an inline job that went on in the edge lane', async () => {
    const { ended } = await startRun([9], 'test/snoozing');
    await database.pool.query('update background_jobs set run_at = now()');
    await work();
    expect(await ended).toMatchObject([
      { status: 'completed', output: { lane: 'edge', status: 'completed', result: { sum: 9 } } },
    ]);
  });
});

it('the run of another job waits for nothing, and its end is not announced', async () => {
  const { ended } = await startRun([10], 'test/unawaited');
  expect(await ended).toMatchObject([{ status: 'completed', output: { lane: 'edge', status: 'queued' } }]);
  expect(doings).toEqual(['enqueue', 'wake']);
  await work();
  expect(await queue.get(await idOf('test/unawaited'))).toMatchObject({ status: 'completed' });
  expect(await idOf('system/job.finished')).toBe('');
});
