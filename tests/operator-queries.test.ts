import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
