import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createJobQueue } from '../src/queue/job-queue.ts';
import { createTestDatabase, type TestDatabase } from './support/database.ts';

const folder = new URL('../supabase/queries/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  const queue = createJobQueue(database.rpc);
  const types = ['test/completed', 'test/failed', 'test/retried', 'test/running', 'test/waiting'];
  await queue.enqueue(types.map((type) => ({ type, maxRetries: type === 'test/failed' ? 0 : 3 })));
  const claimed = await queue.claim({ lane: 'edge', worker: 'test worker', maxJobs: 4, leaseSeconds: 60 });
  const [completed, failed, retried] = claimed;
  if (!completed || !failed || !retried) throw new Error('expected to claim the jobs');
  await queue.complete([{ jobId: completed.id, leaseToken: completed.leaseToken, result: 1 }]);
  const error = { name: 'Error', message: 'GitHub answered 502' };
  await queue.fail({ jobId: failed.id, leaseToken: failed.leaseToken }, error, true);
  await queue.fail({ jobId: retried.id, leaseToken: retried.leaseToken }, error, true, 600);
});

afterAll(async () => {
  await database.close();
});

async function run(file: string): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    readFileSync(new URL(file, folder), 'utf8'),
  );
  return rows;
}

test.each(files)('%s says in its head what it answers and when to worry', (file) => {
  const lines = readFileSync(new URL(file, folder), 'utf8').split('\n');
  expect(lines[0]).toMatch(/^-- .*\?$/);
  expect(lines[1]).toMatch(/^-- When to worry: /);
});

test('the queue status shows what waits', async () => {
  const rows = await run('queue-status.sql');
  expect(rows.map(({ type, queued, due }) => [type, queued, due])).toEqual([
    ['test/waiting', '1', '1'],
    ['test/retried', '1', '0'],
  ]);
});

test('processing now shows the running job and its worker', async () => {
  expect(await run('processing-now.sql')).toMatchObject([{ type: 'test/running', worker: 'test worker' }]);
});

test('the failures of the last hour are grouped by error', async () => {
  expect(await run('failures-last-hour.sql')).toMatchObject([
    { type: 'test/failed', failure_reason: 'retries_spent', error: 'GitHub answered 502', jobs: '1' },
  ]);
});

test('the attempts show the error of a job that is queued again', async () => {
  const rows = await run('attempts-of-a-job.sql');
  expect(rows.map(({ type, outcome, error, job_is_now }) => [type, outcome, error, job_is_now])).toEqual([
    ['test/retried', 'failed', 'GitHub answered 502', 'queued'],
    ['test/failed', 'failed', 'GitHub answered 502', 'failed'],
  ]);
});

test('performance by type counts finished jobs and their success rate', async () => {
  const rows = await run('performance-by-type.sql');
  expect(rows.find(({ type }) => type === 'test/completed')).toMatchObject({
    success_rate: '100.0',
    completed: '1',
  });
  expect(rows.find(({ type }) => type === 'test/failed')).toMatchObject({ success_rate: '0.0', failed: '1' });
});

describe('with an hour of events, failures and syncs', () => {
  const repository = 'octo-org/hello-hybrid';
  const error = { name: 'Error', message: 'GitHub answered 502' };

  beforeAll(async () => {
    const { pool, rpc } = database;
    await pool.query('delete from background_jobs');
    await pool.query(`with made as (
        insert into repositories (github_id, owner, name, pull_requests_synced_at)
        values (1, 'octo-org', 'hello-hybrid', now() - interval '2 days'), (2, 'octo-org', 'unknown', null) returning id)
      insert into tracked_repositories (repository_id) select id from made`);
    await pool.query(`insert into job_quotas (quota, token, allowance, remaining, resets_at)
      values ('github:core', 'one', 5000, 0, now() + interval '10 minutes'), ('github:core', 'two', 5000, 4000, now())`);
    const queue = createJobQueue(rpc);
    const event = { inngestEventId: 'event-1', inngestRunId: 'run-1' };
    await queue.enqueue([
      { type: 'test/flaky', maxRetries: 0, ...event },
      { type: 'test/flaky', ...event },
      {
        type: 'capture/repository.sync',
        payload: { owner: 'octo-org', name: 'hello-hybrid' },
        maxRetries: 0,
      },
      { type: 'test/long' },
    ]);
    const jobs = await queue.claim({ lane: 'edge', worker: 'test worker', maxJobs: 4, leaseSeconds: 60 });
    const [flaky, completed, sync] = jobs.map(({ id, leaseToken }) => ({ jobId: id, leaseToken }));
    if (!flaky || !completed || !sync) throw new Error('expected to claim the jobs');
    await queue.fail(flaky, error, true);
    await queue.fail(sync, error, true);
    await queue.complete([{ ...completed, result: 1 }]);
  });

  test('a failed job is worth a retry when its type has completed since', async () => {
    expect(await run('jobs-worth-a-retry.sql')).toMatchObject([
      { type: 'test/flaky', failure_reason: 'retries_spent', error: 'GitHub answered 502' },
    ]);
  });

  test('dead letters are counted by type and reason', async () => {
    const rows = await run('dead-letters-by-reason.sql');
    expect(rows.map(({ type, failure_reason, jobs }) => [type, failure_reason, jobs])).toEqual([
      ['capture/repository.sync', 'retries_spent', '1'],
      ['test/flaky', 'retries_spent', '1'],
    ]);
  });

  test('an event is told with the jobs that it made', async () => {
    expect(await run('event-correlation.sql')).toMatchObject([
      {
        inngest_event_id: 'event-1',
        types: ['test/flaky'],
        jobs_made: '2',
        completed: '1',
        failed: '1',
        runs: ['run-1'],
      },
    ]);
  });

  test('long runs show what is still running, too', async () => {
    const rows = await run('long-runs.sql');
    expect(rows.map(({ type }) => type)).toContain('test/long');
    expect(rows).toHaveLength(4);
  });

  test('the sync status shows the newest sync of each tracked repository, however it was named', async () => {
    expect(await run('sync-status-by-repository.sql')).toMatchObject([
      { repository: 'octo-org/unknown', last_type: null },
      {
        repository,
        last_type: 'capture/repository.sync',
        last_status: 'failed',
        error: 'GitHub answered 502',
      },
    ]);
  });

  test('quotas show what is left, and until when a token is held', async () => {
    const rows = await run('quota.sql');
    expect(
      rows.map(({ token, percent_left, held_until }) => [token, percent_left, held_until !== null]),
    ).toEqual([
      ['one', '0.0', true],
      ['two', '80.0', false],
    ]);
  });

  test('throughput and success of an hour add up', async () => {
    const [hour] = await run('throughput-by-hour.sql');
    expect(Number(hour?.['completed'])).toBeGreaterThanOrEqual(1);
    const trend = await run('success-trend.sql');
    expect(trend.find(({ type }) => type === 'test/flaky')).toMatchObject({
      now_completed: '1',
      now_rate: '50.0',
    });
  });
});
