import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { PullRequest } from '../src/local/github/data/records.ts';
import { type GitHubStandIn, startGitHubStandIn } from '../src/local/github/stand-in.ts';
import { createJobQueue, type JobQueue } from '../src/queue/job-queue.ts';
import { type RunningCommand, runCli } from './support/cli.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from './support/database.ts';
import { commentRows, trueComments } from './support/pull-request-truth.ts';

const repository = 'octo-org/hello-hybrid';
const waiting = { timeout: 60_000, interval: 20 };

let database: TestDatabase;
let queue: JobQueue;
let standIn: GitHubStandIn;
let busy: PullRequest;
let dataDir: string;
let workers: RunningCommand[];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'worker-'));
  standIn = await startGitHubStandIn();
  const truth = standIn.data.repository(repository);
  const found = truth?.pullRequest(truth.busyNumber ?? 0);
  if (!found) throw new Error('the stand-in has no busy pull request');
  busy = found;
});
afterAll(async () => {
  await standIn.close();
  await rm(dataDir, { recursive: true, force: true });
});
beforeEach(async () => {
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
  workers = [];
});
afterEach(async () => {
  standIn.faults.clear();
  workers.forEach((worker) => worker.signal('SIGKILL'));
  await Promise.all(workers.map(({ ended }) => ended));
  await expectSoundQueue(database.pool);
  await database.close();
});

function run(args: string[] = [], env: Record<string, string> = {}): RunningCommand {
  const worker = runCli('worker', ['--data-dir', dataDir, ...args], {
    DATABASE_URL: database.url,
    GITHUB_API_URL: standIn.url,
    GITHUB_TOKEN: 'test-token',
    ...env,
  });
  workers.push(worker);
  return worker;
}

async function start(args: string[] = [], env: Record<string, string> = {}): Promise<RunningCommand> {
  const worker = run(args, env);
  await worker.printed('Ctrl-C stops');
  return worker;
}

async function rows(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await database.pool.query<Record<string, unknown>>(sql, values)).rows;
}

async function reaches(id: string, expected: object): Promise<void> {
  await vi.waitFor(async () => expect(await queue.get(id)).toMatchObject(expected), waiting);
}

/** A capture of several pages, whose second request GitHub never answers: one page is saved by then. */
async function captureThatHangs(): Promise<string> {
  const asked = standIn.requests.length;
  standIn.faults.add({ kind: 'hang', skip: 1 });
  const payload = { repository, prNumber: busy.number };
  const [job] = await queue.enqueue([{ type: 'capture/pr.comments', lane: 'worker', payload }]);
  await vi.waitUntil(() => standIn.requests.length > asked + 1, waiting);
  return job?.id ?? '';
}

/** A job that runs until the answer is called: it waits for a lock of ours. */
async function jobThatWaits(): Promise<{ id: string; letGo: () => Promise<void> }> {
  const client = await database.pool.connect();
  await client.query('begin; lock table repositories in access exclusive mode');
  const payload = { repository, prNumber: busy.number };
  const [job] = await queue.enqueue([{ type: 'capture/pr.comments', lane: 'worker', payload }]);
  await vi.waitFor(async () => {
    expect(
      await rows(`select 1 from pg_locks where not granted and relation = 'repositories'::regclass`),
    ).toHaveLength(1);
  }, waiting);
  const letGo = async () => {
    await client.query('rollback');
    client.release();
  };
  return { id: job?.id ?? '', letGo };
}

async function status(url: string): Promise<number> {
  return (await fetch(url)).status;
}

const healthUrl = (worker: RunningCommand): string =>
  /health at (http:\S+)\/ready/.exec(worker.output())?.[1] ?? '';

describe('npm run worker', () => {
  test('runs jobs of its lane, and of the edge lane where it is asked to', async () => {
    await start(['--lanes', 'edge,worker']);
    const jobs = await queue.enqueue([
      { type: 'system/ping', lane: 'worker' },
      { type: 'system/ping', lane: 'edge' },
    ]);
    for (const { id } of jobs) await reaches(id, { status: 'completed' });
  });

  test.each([
    [['--lanes', 'inline'], '--lanes: expected worker, edge or both, got "inline"'],
    [['--lanes', 'worker,fast'], '--lanes: expected worker, edge or both'],
    [['--concurrency', '0'], '--concurrency: expected a whole number from 1 to 65535, got "0"'],
    [['--health-port', 'http'], '--health-port: expected a whole number from 0 to 65535, got "http"'],
  ])('%j is refused with exit code 2 and the reason', async (args, reason) => {
    const worker = run(args);
    expect(await worker.ended).toBe(2);
    expect(worker.output()).toContain(reason);
    expect(worker.output()).not.toContain('    at ');
  });

  test('ends with exit code 1 and the reason when the database does not answer', async () => {
    const worker = run([], { DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:1/none' });
    expect(await worker.ended).toBe(1);
    expect(worker.output().trim().split('\n')).toEqual([
      expect.stringContaining('the database did not answer') as string,
      expect.stringContaining('because:') as string,
      expect.stringContaining('ECONNREFUSED') as string,
    ]);
    expect(worker.output()).not.toContain('secret');
  });

  test('ends with exit code 1 when it is not told where the database is, or when its port is taken', async () => {
    const lost = run([], { DATABASE_URL: '' });
    expect(await lost.ended).toBe(1);
    expect(lost.output()).toContain('expected a postgres:// URL, got nothing');
    const other = createServer().listen(0);
    const { port } = other.address() as AddressInfo;
    const worker = run(['--health-port', String(port)]);
    expect(await worker.ended).toBe(1);
    expect(worker.output()).toContain('EADDRINUSE');
    expect(await rows('select worker from background_job_workers')).toEqual([]);
    other.close();
  });
});

describe('schedules', () => {
  test('that missed a tick while no worker ran are made up for at the start', async () => {
    await rows(`insert into job_schedules (name, type, cron, evaluated_until)
      values ('pings', 'system/ping', '* * * * *', now() - interval '1 minute')`);
    await start(['--lanes', 'edge']);
    await vi.waitFor(async () => {
      const found = await rows(
        `select status from background_jobs where idempotency_key like 'schedule:pings@%'`,
      );
      expect(found).toContainEqual({ status: 'completed' });
    }, waiting);
    expect(await rows(`select name from job_schedules where source = 'definition'`)).toEqual([]);
  });

  test('of the definitions are the worker’s where it is the scheduler', async () => {
    await start([], { JOB_SCHEDULER: 'worker' });
    expect(
      await rows(`select type, cron, enabled from job_schedules where source = 'definition'`),
    ).toContainEqual({
      type: 'sync/discussions',
      cron: '17 */6 * * *',
      enabled: true,
    });
  });

  test('have no other scheduler', async () => {
    const worker = run([], { JOB_SCHEDULER: 'cron' });
    expect(await worker.ended).toBe(1);
    expect(worker.output()).toContain('JOB_SCHEDULER: expected inngest or worker, got "cron"');
  });
});

describe('a worker that is told to stop', () => {
  test('lets its job end, takes no other, is live but not ready meanwhile, and ends with exit code 0', async () => {
    const worker = await start(['--health-port', '0']);
    const url = healthUrl(worker);
    expect([await status(`${url}/live`), await status(`${url}/ready`)]).toEqual([200, 200]);
    const job = await jobThatWaits();
    worker.signal('SIGTERM');
    await vi.waitFor(async () => expect(await status(`${url}/ready`)).toBe(503), waiting);
    expect(await status(`${url}/live`)).toBe(200);
    const [late] = await queue.enqueue([{ type: 'system/ping', lane: 'worker' }]);
    await job.letGo();
    expect(await worker.ended).toBe(0);
    expect(await queue.get(job.id)).toMatchObject({ status: 'completed', retryCount: 0 });
    expect(await queue.get(late?.id ?? '')).toMatchObject({ status: 'queued' });
    expect(await rows('select worker from background_job_workers')).toEqual([]);
  });

  test('hands a long job off at its last saved step, without a retry spent, and another one finishes it', async () => {
    const first = await start([], { WORKER_DRAIN_SECONDS: '1' });
    const id = await captureThatHangs();
    first.signal('SIGTERM');
    expect(await first.ended).toBe(0);
    expect(await queue.get(id)).toMatchObject({ status: 'queued', retryCount: 0 });
    expect(await rows('select outcome from background_job_attempts where job_id = $1', [id])).toEqual([
      { outcome: 'handed_off' },
    ]);
    const [hung, asked] = [standIn.requests.at(-1), standIn.requests.length];
    await start();
    await reaches(id, { status: 'completed', retryCount: 0 });
    // Not with the first page again.
    const { path, search } = standIn.requests[asked] ?? {};
    expect({ path, search }).toEqual({ path: hung?.path, search: hung?.search });
    expect(await commentRows(database, busy.number)).toMatchObject(trueComments(busy));
  });
});

describe('a worker that is told to stop twice', () => {
  test('exits at once with code 130, and another one rescues its job', async () => {
    const lease = { WORKER_LEASE_SECONDS: '2' };
    const first = await start([], lease);
    const job = await jobThatWaits();
    first.signal('SIGTERM');
    await first.printed('Stopping');
    // A second signal within a second may be the same Ctrl-C, passed on by npm: it does not count.
    const again = setInterval(() => first.signal('SIGTERM'), 300);
    const code = await first.ended;
    clearInterval(again);
    expect(code).toBe(130);
    expect(await queue.get(job.id)).toMatchObject({ status: 'processing' });
    await job.letGo();
    await start([], lease);
    await reaches(job.id, { status: 'completed', retryCount: 1 });
  });
});

describe('a worker that is killed', () => {
  test('loses nothing: the sweep of another one rescues its job, which goes on where it was', async () => {
    const lease = { WORKER_LEASE_SECONDS: '2' };
    const first = await start([], lease);
    const id = await captureThatHangs();
    first.signal('SIGKILL');
    expect(await first.ended).toBe('SIGKILL');
    expect(await queue.get(id)).toMatchObject({ status: 'processing' });
    await start([], lease);
    await reaches(id, { status: 'completed', retryCount: 1 });
    expect(await rows('select outcome from background_job_attempts where job_id = $1', [id])).toEqual([
      { outcome: 'rescued' },
    ]);
    expect(await commentRows(database, busy.number)).toMatchObject(trueComments(busy));
  });

  test('in the middle of thousands of jobs leaves none behind', async () => {
    const lease = { WORKER_LEASE_SECONDS: '2' };
    const [victim] = await Promise.all([start([], lease), start([], lease), start([], lease)]);
    const jobs = Array.from({ length: 3_000 }, () => ({ type: 'system/ping', lane: 'worker' as const }));
    await queue.enqueue(jobs);
    await vi.waitFor(async () => {
      expect(await rows(`select 1 from background_jobs where status = 'completed' limit 1`)).toHaveLength(1);
    }, waiting);
    victim.signal('SIGKILL');
    await vi.waitFor(async () => {
      expect(await rows('select status, count(*)::int from background_jobs group by status')).toEqual([
        { status: 'completed', count: 3_000 },
      ]);
    }, waiting);
    const attempts = await rows('select outcome from background_job_attempts');
    expect(attempts.filter(({ outcome }) => outcome !== 'rescued')).toEqual([]);
  });
});
