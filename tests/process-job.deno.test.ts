import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createJobQueue, type JobQueue, type NewJob } from '../src/queue/job-queue.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from './support/database.ts';
import { type EdgeProcessJob, startEdgeProcessJob } from './support/edge-process-job.ts';

let cacheDir: string;
let database: TestDatabase;
let queue: JobQueue;
let edge: EdgeProcessJob;

beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'process-job-'));
});
afterAll(async () => await rm(cacheDir, { recursive: true, force: true }));
beforeEach(async () => {
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
});
afterEach(async () => {
  await edge.close();
  await expectSoundQueue(database.pool);
  await database.close();
});

async function start(
  entryFile: string,
  limits: { wallSeconds?: number; leaseSeconds?: number; env?: Record<string, string> } = {},
): Promise<void> {
  edge = await startEdgeProcessJob({ databaseUrl: database.url, entryFile, cacheDir, ...limits });
}

const post: EdgeProcessJob['post'] = async (body, key) => await edge.post(body, key);

async function enqueue(job: NewJob): Promise<string> {
  const [enqueued] = await queue.enqueue([job]);
  return enqueued?.id ?? '';
}

const untilStatus = (jobId: string, status: string): Promise<void> =>
  vi.waitFor(async () => expect(await queue.get(jobId)).toMatchObject({ status }), {
    timeout: 120_000,
    interval: 200,
  });

it('the deployed entry point runs real jobs: at once, in the background, and for nobody without a key', async () => {
  await start('../supabase/functions/process-job/index.ts');
  expect(await post({}, 'sb_secret_wrong')).toMatchObject({ status: 401 });
  const jobId = await enqueue({ type: 'system/ping', lane: 'edge', payload: { hello: 'Deno' } });
  expect(await post({ jobId, immediate: true })).toMatchObject({
    status: 200,
    body: { jobId, status: 'completed', result: { hello: 'Deno' } },
  });
  const later = await enqueue({ type: 'system/ping', lane: 'edge', payload: { n: 2 } });
  expect(await post({})).toEqual({
    status: 202,
    body: { status: 'processing', jobs: [{ jobId: later, type: 'system/ping' }] },
  });
  await untilStatus(later, 'completed');
});

it('a job whose isolate is killed in the middle is rescued and finishes', async () => {
  await start('support/process-job-entry.ts', { leaseSeconds: 3 });
  const jobId = await enqueue({ type: 'test/hangs-once' });
  expect(await post({})).toMatchObject({ status: 202, body: { jobs: [{ jobId }] } });
  const [isolate] = edge.runtime.isolates();
  process.kill(isolate?.pid ?? -1, 'SIGKILL');
  await vi.waitFor(
    async () => {
      const lanes = await queue.sweep();
      expect(lanes.find(({ lane }) => lane === 'edge')).toMatchObject({ rescued: 1 });
    },
    { timeout: 60_000, interval: 200 },
  );
  await vi.waitFor(
    async () => expect((await post({ jobId, immediate: true })).body).toMatchObject({ result: 'finished' }),
    { timeout: 60_000, interval: 200 },
  );
  expect(await queue.get(jobId)).toMatchObject({ status: 'completed', retryCount: 1 });
  const { rows } = await database.pool.query('select outcome from background_job_attempts');
  expect(rows).toEqual([{ outcome: 'rescued' }]);
});

it('a job longer than the wall limit finishes: it hands off between steps, and each isolate wakes the next', async () => {
  await start('support/process-job-entry.ts', { wallSeconds: 12 });
  const jobId = await enqueue({ type: 'test/pages', payload: { pages: 10, milliseconds: 1_500 } });
  await post({});
  await untilStatus(jobId, 'completed');
  const row = await queue.get(jobId);
  expect(row).toMatchObject({ retryCount: 0 });
  expect(row?.result).toHaveLength(10);
  expect(new Set(row?.result as string[]).size).toBeGreaterThan(1);
  const { rows } = await database.pool.query('select distinct outcome from background_job_attempts');
  expect(rows).toEqual([{ outcome: 'handed_off' }]);
}, 180_000);

it('several isolates, woken for one backlog, drain it together, and no job runs twice', async () => {
  const entryFile = 'support/process-job-entry.ts';
  const env = { EDGE_CONCURRENCY: '2' };
  await start(entryFile, { env });
  // The local edge runtime serves one isolate of a function; the host of a function has many.
  const other = await startEdgeProcessJob({ databaseUrl: database.url, entryFile, cacheDir, env });
  const hosts = [edge, other];
  try {
    for (const host of hosts) expect(await host.post({})).toMatchObject({ status: 200 });
    await database.pool.query(`update job_settings set value = '20' where name = 'edge_jobs_per_isolate'`);
    const job = { type: 'test/pages', payload: { pages: 1, milliseconds: 500 } };
    const jobs = await queue.enqueue(Array.from({ length: 40 }, () => job));
    expect(await queue.takeWakes()).toBe(hosts.length);
    for (const answer of await Promise.all(hosts.map((host) => host.post({}))))
      expect(answer).toMatchObject({ status: 202, body: { jobs: [job, job].map(({ type }) => ({ type })) } });
    await Promise.all(jobs.map(({ id }) => untilStatus(id, 'completed')));
    const { rows } = await database.pool.query(
      'select count(distinct result ->> 0)::int as isolates, sum(retry_count)::int as retries from background_jobs',
    );
    expect(rows).toEqual([{ isolates: hosts.length, retries: 0 }]);
    expect((await database.pool.query('select from background_job_attempts')).rows).toEqual([]);
  } finally {
    await other.close();
  }
});

it('a job that leaves errors behind takes no other job with it', async () => {
  await start('support/process-job-entry.ts');
  const immediately = async (): Promise<unknown> =>
    await post({ jobId: await enqueue({ type: 'test/careless' }), immediate: true });
  const first = await immediately();
  expect(first).toMatchObject({ status: 200, body: { status: 'completed' } });
  const { result } = (first as { body: { result: string } }).body;
  expect(await immediately()).toMatchObject({ status: 200, body: { status: 'completed', result } });
});
