import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../tests/support/database.ts';
import { noOpenAi } from '../../tests/support/no-openai.ts';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { createJobQueue } from '../queue/job-queue.ts';
import { createOutsideHttp } from '../runtime/outside-http.ts';
import { type QueuedLane, startWorker } from './worker.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

it.each([
  [
    'a worker that leaves the edge lane to process-job wakes it for a job that nobody woke it for',
    ['worker'],
    true,
  ],
  ['a worker on the edge lane fails the unknown job itself and calls nobody', ['edge', 'worker'], false],
] as [string, QueuedLane[], boolean][])('%s', async (_, lanes, wakes) => {
  const queue = createJobQueue(database.rpc);
  const [job] = await queue.enqueue([{ type: 'test/forgotten' }]);
  const wake = vi.fn(() => Promise.resolve({ woken: true }));
  const worker = await startWorker({
    databaseUrl: database.url,
    ...{
      worker: 'worker of this test',
      lanes,
      concurrency: 1,
      leaseSeconds: 30,
      drainSeconds: 1,
      keepDays: 30,
      scheduler: 'inngest',
    },
    catalog: [],
    github: () => () => {
      throw new Error('these tests use no GitHub');
    },
    openai: () => noOpenAi,
    ...{ wake, http: createOutsideHttp(), log: silentLogger, now: () => new Date(), sweepSeconds: 0.1 },
  });
  if (wakes) await vi.waitFor(() => expect(wake).toHaveBeenCalledWith(1), 30_000);
  else
    await vi.waitFor(
      async () => expect(await queue.get(job!.id)).toMatchObject({ status: 'failed' }),
      30_000,
    );
  await worker.stop();
  if (!wakes) expect(wake).not.toHaveBeenCalled();
  await database.pool.query('delete from background_jobs');
  await expectSoundQueue(database.pool);
});
