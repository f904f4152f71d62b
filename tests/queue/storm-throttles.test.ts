import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { manyRetries, type Producer, stormSeed, weather } from './storm.ts';

let database: TestDatabase;

beforeAll(async () => (database = await createTestDatabase()));
afterAll(async () => await database.close());

/** Some by the second, some by a longer period; each a tenth of the storm's jobs per period or more. */
const throttles = [
  { type: 'storm/seconds', throttle_limit: 60, throttle_seconds: 1 },
  { type: 'storm/more seconds', throttle_limit: 90, throttle_seconds: 1 },
  { type: 'storm/two seconds', throttle_limit: 150, throttle_seconds: 2 },
];
const types = [...throttles.map(({ type }) => type), 'storm/free'];
const batch = 50;

const produce: Producer = async (random) => {
  for (let made = 0; made < 1100; made += batch) {
    const jobs = Array.from({ length: batch }, () => ({ ...manyRetries, type: random.pick(types) }));
    await database.pool.query('select * from enqueue_background_jobs($1)', [JSON.stringify(jobs)]);
  }
};

test(`a storm never starts more jobs of a type within a period than its throttle allows, and every job ends (seed ${stormSeed})`, async () => {
  await database.pool.query('select sync_job_types($1)', [
    JSON.stringify([...throttles, { type: 'storm/free' }]),
  ]);
  const report = await weather(database, [produce, produce]);
  expect(report.crashes).toBeGreaterThan(0);
  const { rows } = await database.pool.query(
    'select status, count(*)::integer from background_jobs group by 1',
  );
  expect(rows).toEqual([{ status: 'completed', count: 2200 }]);
});
