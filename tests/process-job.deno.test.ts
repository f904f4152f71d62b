import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { denoPath } from '../src/local/deno-path.ts';
import { type EdgeRuntime, startEdgeRuntime } from '../src/local/edge-runtime.ts';
import { type Gateway, startGateway } from '../src/local/gateway.ts';
import { createJobQueue, type JobQueue, type NewJob } from '../src/queue/job-queue.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from './support/database.ts';
import { testKeys } from './support/drivers.ts';
import { silentLogger } from './support/silent-logger.ts';

const pathTo = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

let cacheDir: string;
let database: TestDatabase;
let queue: JobQueue;
let gateway: Gateway;
let runtime: EdgeRuntime;

beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'process-job-'));
});
afterAll(async () => await rm(cacheDir, { recursive: true, force: true }));
beforeEach(async () => {
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
});
afterEach(async () => {
  await runtime.close();
  await gateway.close();
  await expectSoundQueue(database.pool);
  await database.close();
});

/** The gateway with `process-job` in real Deno children behind it. */
async function start(entryFile: string, { wallSeconds = 150, leaseSeconds = 30 } = {}): Promise<void> {
  gateway = await startGateway({
    databaseUrl: database.url,
    keys: testKeys,
    functions: (name, request) => runtime.handle(name, request),
    log: silentLogger,
  });
  runtime = startEdgeRuntime({
    functions: { 'process-job': pathTo(entryFile) },
    env: {
      SUPABASE_URL: gateway.url,
      SUPABASE_SECRET_KEY: testKeys.secret,
      EDGE_WALL_SECONDS: String(wallSeconds),
      EDGE_LEASE_SECONDS: String(leaseSeconds),
    },
    denoPath,
    configPath: pathTo('../deno.json'),
    cacheDir,
    wallSeconds,
    log: silentLogger,
  });
}

async function post(body: object, key: string = testKeys.secret): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${gateway.url}/functions/v1/process-job`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

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
  const [isolate] = runtime.isolates();
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

it('a job that leaves errors behind takes no other job with it', async () => {
  await start('support/process-job-entry.ts');
  const immediately = async (): Promise<unknown> =>
    await post({ jobId: await enqueue({ type: 'test/careless' }), immediate: true });
  const first = await immediately();
  expect(first).toMatchObject({ status: 200, body: { status: 'completed' } });
  const { result } = (first as { body: { result: string } }).body;
  expect(await immediately()).toMatchObject({ status: 200, body: { status: 'completed', result } });
});
