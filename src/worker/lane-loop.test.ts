import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../tests/support/database.ts';
import { testHost } from '../../tests/support/queue-host.ts';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { workerJob } from '../../tests/support/worker.ts';
import { createJobQueue } from '../queue/job-queue.ts';
import { startLaneLoop } from './lane-loop.ts';
import { createOffer } from './offer.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

it('finds a job soon while its sign is down, for then nobody rings', async () => {
  const { rpc } = database;
  const queue = createJobQueue(rpc);
  const job = workerJob('test/job', z.unknown(), () => Promise.resolve(null));
  const stop = new AbortController();
  const loop = startLaneLoop({
    host: testHost({ queue, rpc, catalog: [job] }),
    ...{ lane: 'worker', worker: 'test', concurrency: 1, pollMs: 600_000, stopClaiming: stop.signal },
    offer: createOffer({
      ...{ queue, lane: 'worker', worker: 'test', leaseSeconds: 30, checkMs: 600_000, log: silentLogger },
      now: () => new Date(),
    }),
    idle: { claimed: () => undefined, isUp: () => false, end: () => undefined },
  });
  for (const n of [1, 2]) {
    const [row] = await queue.enqueue([{ type: job.type, lane: 'worker', payload: n }]);
    const ended = async () => expect(await queue.get(row?.id ?? '')).toMatchObject({ status: 'completed' });
    await vi.waitFor(ended, 60_000);
  }
  stop.abort();
  await loop.done;
  await expectSoundQueue(database.pool);
});
