import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type JobDefinition } from '../../src/jobs/define-job.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { addSchedules, evaluator, expectEveryTickOnce } from './storm-scheduling.ts';
import { manyRetries, type Producer, stormSeed, weather } from './storm.ts';

let database: TestDatabase;

beforeAll(async () => (database = await createTestDatabase()));
afterAll(async () => await database.close());

/** Scheduled, throttled, and under the same keys as the members of families. */
const scheduled = defineJob({
  type: 'storm/scheduled',
  payload: z.strictObject({ repository: z.string() }),
  lane: 'edge',
  maxRetries: 1000,
  throttle: { limit: 120, periodSeconds: 1 },
  concurrency: { key: ({ repository }) => `repository ${repository}`, limit: 3 },
  run: () => Promise.resolve(null),
}) as JobDefinition;

const throttled = { type: 'storm/throttled', throttle_limit: 100, throttle_seconds: 1 };

/** Chains and fans whose members are throttled, or share keys, or both. */
const families: Producer = async (random) => {
  for (let family = 0; family < 80; family += 1) {
    const jobs = Array.from({ length: 10 }, (_, position) => ({
      ...manyRetries,
      type: random.pick(['storm/throttled', 'storm/free']),
      ...(position > 0 && random.chance(0.6) && { depends_on: [random.integer(0, position - 1)] }),
      ...(random.chance(0.4) && {
        concurrency_key: `repository ${random.integer(0, 6)}`,
        concurrency_limit: 3,
      }),
    }));
    await database.pool.query('select * from enqueue_background_jobs($1)', [JSON.stringify(jobs)]);
  }
};

test(`keys, throttles, families and schedules hold together in one storm (seed ${stormSeed})`, async () => {
  const types = [
    throttled,
    { type: 'storm/free' },
    { type: scheduled.type, max_retries: 1000, throttle_limit: 120, throttle_seconds: 1 },
  ];
  await database.pool.query('select sync_job_types($1)', [JSON.stringify(types)]);
  await addSchedules(database, scheduled.type, 20);
  const evaluators = Array.from({ length: 3 }, (_, place) => evaluator(database, [scheduled], place));
  const report = await weather(database, [families, families, ...evaluators]);
  expect(report.crashes).toBeGreaterThan(0);
  const ticks = await expectEveryTickOnce(database);
  const { rows } = await database.pool.query(
    'select status, count(*)::integer from background_jobs group by 1',
  );
  expect(rows).toEqual([{ status: 'completed', count: 1600 + ticks }]);
});
