import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { workerJob } from '../support/worker.ts';
import { addSchedules, evaluator, expectEveryTickOnce } from './storm-scheduling.ts';
import { stormSeed, weather } from './storm.ts';

let database: TestDatabase;

beforeAll(async () => (database = await createTestDatabase()));
afterAll(async () => await database.close());

const tick = workerJob('storm/tick', z.unknown(), () => Promise.resolve(null), { lane: 'edge' });

test(`eight schedulers in a storm make one job of each tick, and each comes to its end (seed ${stormSeed})`, async () => {
  await database.pool.query(`select sync_job_types('[{"type": "storm/tick", "max_retries": 1000}]')`);
  await addSchedules(database, tick.type, 60);
  const evaluators = Array.from({ length: 8 }, (_, place) => evaluator(database, [tick], place));
  const report = await weather(database, evaluators);
  expect(report.crashes).toBeGreaterThan(0);
  expect(await expectEveryTickOnce(database)).toBeGreaterThanOrEqual(60 * 35);
  const { rows } = await database.pool.query('select distinct status from background_jobs');
  expect(rows).toEqual([{ status: 'completed' }]);
});
