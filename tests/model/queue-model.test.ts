import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, test } from 'vitest';
import { propertySeed } from '../support/property-seed.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../support/database.ts';
import { queueCommands, type RealQueue } from './queue-commands.ts';
import { QueueModel } from './queue-model.ts';

let database: TestDatabase;
let real: RealQueue;

beforeAll(async () => {
  database = await createTestDatabase();
  const connections = Array.from({ length: 4 }, () => new pg.Client({ connectionString: database.url }));
  for (const connection of connections) await connection.connect();
  real = { connections };
});

afterAll(async () => {
  for (const connection of real.connections) await connection.end();
  await database.close();
});

async function emptyQueue(): Promise<QueueModel> {
  await database.pool.query('delete from background_jobs');
  await database.pool.query(`select sync_job_types('[{"type": "model/job"}]'), resume_job_type('model/job')`);
  return new QueueModel();
}

test('any sequence of operations and hand edits leaves the queue as the model says, and sound', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(queueCommands, { maxCommands: 60, size: 'max' }), async (commands) => {
      const model = await emptyQueue();
      await fc.asyncModelRun(() => ({ model, real }), commands);
      await expectSoundQueue(database.pool);
    }),
    { seed: propertySeed, numRuns: Number(process.env.MODEL_RUNS ?? 60) },
  );
}, 300_000);
