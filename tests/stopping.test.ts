import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { UncheckedRpc } from '../src/database/rpc.ts';
import { createSupabaseClientRpc } from '../src/database/supabase-rpc.ts';
import { defineJob, type JobDefinition, type Lane } from '../src/jobs/define-job.ts';
import { startGateway, type Gateway } from '../src/local/gateway.ts';
import { drain } from '../src/queue/drain.ts';
import { createJobQueue } from '../src/queue/job-queue.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from './support/database.ts';
import { testKeys } from './support/drivers.ts';
import { startHybridEndpoint } from './support/hybrid-endpoint.ts';
import { testHost } from './support/queue-host.ts';
import { silentLogger } from './support/silent-logger.ts';
import { startTestWorker } from './support/worker.ts';

/** How a running job is stopped, on each lane as that lane's host runs it. */

let database: TestDatabase;
let gateway: Gateway;
/** Why the job's signal was aborted. */
let reason: string;
/** Resolves when the job was asked to stop. */
let asked: PromiseWithResolvers<void>;

beforeAll(async () => {
  database = await createTestDatabase();
  gateway = await startGateway({ databaseUrl: database.url, keys: testKeys, log: silentLogger });
});
beforeEach(() => {
  reason = 'none';
  asked = Promise.withResolvers<void>();
});
afterEach(async () => {
  await expectSoundQueue(database.pool);
  await database.pool.query('delete from background_jobs');
});
afterAll(async () => {
  await gateway.close();
  await database.close();
});

async function untilStopped(signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  reason = (signal.reason as Error).message;
  throw signal.reason;
}

/** Both are endless until they are stopped. */
const jobsOf = (lane: Lane): JobDefinition[] => [
  defineJob({
    type: 'test/cancelled',
    lane,
    payload: z.unknown(),
    run: async (ctx) => {
      await database.pool.query('select cancel_background_job($1)', [ctx.jobId]);
      asked.resolve();
      return await untilStopped(ctx.signal);
    },
  }),
  defineJob({
    type: 'test/slow',
    lane,
    timeoutSeconds: 1,
    payload: z.unknown(),
    run: (ctx) => untilStopped(ctx.signal),
  }),
];

interface Ended {
  status: string;
  error: string | null;
  /** Of its only attempt. */
  outcome: string;
}

async function attemptOf(type: string): Promise<Ended | undefined> {
  const { rows } = await database.pool.query<Ended>(
    `select j.status, j.error, a.outcome from background_jobs j join background_job_attempts a on a.job_id = j.id
     where j.type = $1`,
    [type],
  );
  return rows[0];
}

/** With leases of three seconds, where the lane lets us choose: a heartbeat is due every second. */
const runs: Record<Lane, (type: string) => Promise<void>> = {
  async inline(type) {
    let late = 0;
    const rpc: UncheckedRpc = async (name, ...rest) => {
      if (name === 'heartbeat_background_jobs') await asked.promise;
      const answer = await database.rpc<never>(name, ...rest);
      // Its lease holds for thirty seconds: when half of them are gone at the start, a heartbeat is due at once.
      if (name === 'begin_background_job' && type === 'test/cancelled') late = 15_000;
      return answer;
    };
    const now = (): Date => new Date(Date.now() + late);
    const catalog = jobsOf('inline');
    const endpoint = await startHybridEndpoint({ rpc, catalog, now, inlineBudgetSeconds: 600 });
    await endpoint.router.dispatch({ name: type }).finally(() => endpoint.close());
  },
  async edge(type) {
    const rpc = createSupabaseClientRpc({ url: gateway.url, key: testKeys.secret });
    const queue = createJobQueue(rpc);
    const catalog = jobsOf('edge');
    await queue.syncJobTypes(catalog);
    await queue.enqueue([{ type }]);
    const host = testHost({ queue, rpc, catalog }, { leaseSeconds: 3 });
    const stopClaimingAt = new Date(Date.now() + 600_000);
    expect(await drain({ host, lane: 'edge', worker: 'test', concurrency: 1, stopClaimingAt })).toMatchObject(
      { claimed: 1 },
    );
  },
  async worker(type) {
    const worker = await startTestWorker(database, jobsOf('worker'), { leaseSeconds: 3 });
    await createJobQueue(database.rpc).enqueue([{ type }]);
    await vi.waitFor(async () => expect(await attemptOf(type)).toBeDefined(), {
      timeout: 30_000,
      interval: 20,
    });
    await worker.stop();
  },
};

describe.each(Object.entries(runs))('a job that runs on lane %s', (_, run) => {
  it('hears at its next heartbeat that it is cancelled', async () => {
    await run('test/cancelled');
    expect(reason).toBe('job test/cancelled: cancelled on request');
    expect(await attemptOf('test/cancelled')).toMatchObject({ status: 'cancelled', outcome: 'cancelled' });
  });

  it('is stopped when its time is up, which is how its attempt ends', async () => {
    await run('test/slow');
    const timedOut = 'job test/slow: timed out after 1 s';
    expect(reason).toBe(timedOut);
    expect(await attemptOf('test/slow')).toEqual({ status: 'queued', error: timedOut, outcome: 'timed_out' });
  });
});
