import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createJobQueue, type JobQueue } from '../src/queue/job-queue.ts';
import type { Worker } from '../src/worker/worker.ts';
import { runCli } from './support/cli.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from './support/database.ts';
import { startTestWorker, workerJob } from './support/worker.ts';

const waiting = { timeout: 200_000, interval: 20 };

let database: TestDatabase;
let queue: JobQueue;

beforeEach(async () => {
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
});
afterEach(async () => {
  await expectSoundQueue(database.pool);
  await database.close();
});

async function count(status: string): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(
    'select count(*)::int from background_jobs where status = $1',
    [status],
  );
  return rows[0]?.count ?? 0;
}

describe('ten times more jobs than a worker gets through', () => {
  const concurrency = 5;
  const waves = 10;
  let worker: Worker;
  let begun: { wave: number; urgent: boolean }[];
  /** So many jobs may have ended: what the worker gets through. */
  let capacity: number;

  const paced = workerJob('test/paced', z.object({ wave: z.number(), urgent: z.boolean() }), async (ctx) => {
    const turn = begun.push(ctx.payload);
    await vi.waitUntil(() => turn <= capacity, waiting);
  });

  beforeEach(async () => {
    begun = [];
    capacity = 0;
    worker = await startTestWorker(database, [paced], { concurrency, pollMs: 100, sweepSeconds: 1 });
  });
  afterEach(async () => await worker.stop());

  /** Fifty jobs, one in ten of them urgent. */
  function enqueueWave(wave: number): ReturnType<JobQueue['enqueue']> {
    return queue.enqueue(
      Array.from({ length: 50 }, (_, n) => {
        const urgent = n % 10 === 9;
        const payload = { wave, urgent };
        return { type: 'test/paced', lane: 'worker', payload, priority: urgent ? 100 : 0 };
      }),
    );
  }

  test('are all taken, run in their order, never more at once than there is room, and drain to empty', async () => {
    const held: number[] = [];
    for (let wave = 0; wave < waves; wave += 1) {
      const jobs = await enqueueWave(wave);
      expect(jobs.filter(({ created }) => created)).toHaveLength(50);
      capacity += concurrency;
      await vi.waitUntil(() => begun.length > capacity, waiting);
      held.push(await count('processing'));
    }
    expect(await count('queued')).toBeGreaterThan(400);
    capacity = Infinity;
    await vi.waitFor(async () => {
      held.push(await count('processing'));
      expect(await count('completed')).toBe(500);
    }, waiting);
    expect(Math.max(...held)).toBeLessThanOrEqual(2 * concurrency);

    expect(begun.slice(begun.length / 2).filter(({ urgent }) => urgent)).toEqual([]);
    for (const urgent of [true, false])
      expect(inOrder(begun.filter((job) => job.urgent === urgent))).toBe(true);
  });
});

/** Jobs of a wave start in any order among each other. */
function inOrder(jobs: readonly { wave: number }[]): boolean {
  return jobs.every(({ wave }, n) => n === 0 || wave >= jobs[n - 1]!.wave);
}

test('a worker does not grow with the queue: with a heap of 64 MB it drains payloads of 40 MB', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'overload-'));
  await database.pool.query(
    `insert into background_jobs (type, lane, payload)
     select 'system/ping', 'worker', jsonb_build_object('n', n, 'text', repeat('0123456789', 50000))
     from generate_series(1, 80) n`,
  );
  const worker = runCli('worker', ['--data-dir', dataDir, '--concurrency', '2'], {
    DATABASE_URL: database.url,
    NODE_OPTIONS: '--max-old-space-size=64',
  });
  await worker.printed('Ctrl-C stops');
  await vi.waitFor(async () => expect(await count('completed')).toBe(80), waiting);
  worker.signal('SIGTERM');
  expect(await worker.ended, worker.output()).toBe(0);
  await rm(dataDir, { recursive: true });
});
