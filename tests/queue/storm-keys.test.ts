import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { manyRetries, type Producer, stormSeed, weather } from './storm.ts';

let database: TestDatabase;

beforeAll(async () => (database = await createTestDatabase()));
afterAll(async () => await database.close());

/** Three keys for each limit from 1 to 5: a crash holds its key until the lease is over, and the others go on. */
const keys = Array.from({ length: 15 }, (_, n) => ({
  concurrency_key: `key ${n}`,
  concurrency_limit: 1 + (n % 5),
}));
const batch = 50;

/** Batches of jobs, three of four under a key. */
const produce: Producer = async (random) => {
  for (let made = 0; made < 1200; made += batch) {
    const jobs = Array.from({ length: batch }, () => ({
      ...manyRetries,
      type: 'storm/keyed',
      priority: random.integer(-2, 2),
      ...(random.chance(0.75) && random.pick(keys)),
    }));
    await database.pool.query('select * from enqueue_background_jobs($1)', [JSON.stringify(jobs)]);
  }
};

test(`a storm never runs more jobs of a key than its limit, and every job once (seed ${stormSeed})`, async () => {
  const report = await weather(database, [produce, produce]);
  expect(report.crashes).toBeGreaterThan(0);
  const { rows } = await database.pool.query(
    'select status, count(*)::integer from background_jobs group by 1',
  );
  expect(rows).toEqual([{ status: 'completed', count: 2400 }]);
});
