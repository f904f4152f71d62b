import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { recordingLogger } from '../../tests/support/recording-logger.ts';
import { prune } from './prune.ts';

let database: TestDatabase;

beforeAll(async () => (database = await createTestDatabase()));
afterAll(async () => await database.close());
beforeEach(async () => {
  await database.pool.query('delete from background_jobs');
});

/** Completed jobs of some days ago; ids carry the time, too. */
async function ended(count: number, daysAgo: number): Promise<void> {
  await database.pool.query(
    `insert into background_jobs (id, type, status, created_at, completed_at)
     select overlay(gen_random_uuid()::text placing left(job_queue.first_uuid_at(t.at)::text, 14) from 1 for 14)::uuid,
            'test/job', 'completed', t.at, t.at
     from (select now() - make_interval(days => $2) as at) t, generate_series(1, $1)`,
    [count, daysAgo],
  );
}

const left = async () => {
  const sql = 'select count(*)::int as left from background_jobs';
  return (await database.pool.query<{ left: number }>(sql)).rows[0]?.left;
};
const signal = new AbortController().signal;

it('deletes what ended longer ago than the days to keep, in as many portions as it takes', async () => {
  await ended(5_001, 31);
  await ended(10, 29);
  const log = recordingLogger();
  await prune({ rpc: database.rpc, keepDays: 30, log }, signal);
  expect(await left()).toBe(10);
  expect(log.records).toEqual([
    { level: 'info', fields: { pruned: 5_001, keepDays: 30 }, message: 'finished jobs pruned' },
  ]);
});

it('ends at the next portion when it is told to stop', async () => {
  await ended(5_001, 31);
  const stopping = new AbortController();
  const rpc: typeof database.rpc = async (...call) => {
    stopping.abort();
    return await database.rpc(...call);
  };
  await prune({ rpc, keepDays: 30, log: recordingLogger() }, stopping.signal);
  expect(await left()).toBe(1);
});
