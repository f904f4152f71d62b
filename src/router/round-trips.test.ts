import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../tests/support/database.ts';
import { type HybridEndpoint, startHybridEndpoint } from '../../tests/support/hybrid-endpoint.ts';
import type { UncheckedRpc } from '../database/rpc.ts';
import { defineJob, type JobDefinition } from '../jobs/define-job.ts';
import { ping } from '../jobs/system/ping.ts';
import { createInngestExecutor, type InngestExecutor } from '../local/inngest-executor.ts';

const workMs = 60;

const working = defineJob({
  type: 'test/working',
  lane: 'inline',
  payload: z.object({}),
  run: async () => {
    await new Promise((resolve) => setTimeout(resolve, workMs + 2));
    return 'done';
  },
});
const failing = defineJob({
  type: 'test/failing',
  lane: 'inline',
  maxRetries: 0,
  payload: z.object({}),
  run: () => Promise.reject(new Error('no luck')),
});
const catalog = [ping, working, failing] as JobDefinition[];

const begin = 'begin_background_job';
const complete = 'complete_job_batch';
const fail = 'fail_background_job';
/** Once per process, and at most every ten seconds: the job types, and the lanes that operators gave them. */
const shared = ['list_job_lanes', 'sync_job_types', 'sync_payload_schemas'];

let database: TestDatabase;
let endpoint: HybridEndpoint;
let inngest: InngestExecutor;
let calls: string[] = [];

const rpc: UncheckedRpc = (name, ...rest) => {
  calls.push(name);
  return database.rpc(name, ...rest);
};

beforeAll(async () => {
  database = await createTestDatabase();
  endpoint = await startHybridEndpoint({ rpc, catalog });
  inngest = createInngestExecutor({ url: endpoint.url });
});

afterAll(async () => {
  await endpoint.close();
  await database.close();
});

afterEach(() => expectSoundQueue(database.pool));

const callsOfJobs = (): string[] => calls.filter((name) => !shared.includes(name));

describe('the row of an inline job', () => {
  it('costs nothing more than what a process asks once, the first time', async () => {
    await inngest.send({ name: 'system/ping' });
    expect(calls.toSorted()).toEqual([begin, complete, ...shared]);
  });

  it.each([
    ['system/ping', [begin, complete]],
    ['test/failing', [begin, fail]],
  ])('costs two round trips when Inngest calls: %s', async (name, expected) => {
    calls = [];
    const { functions } = (await (await fetch(endpoint.url)).json()) as {
      functions: { id: string; triggers: { event: string }[] }[];
    };
    const fnId = functions.find(({ triggers }) => triggers[0]?.event === name)?.id;
    const event = { id: crypto.randomUUID(), name, data: {}, ts: Date.now() };
    const ctx = { run_id: crypto.randomUUID(), attempt: 0, stack: { stack: [], current: 0 } };
    const body = JSON.stringify({ version: -1, event, events: [event], steps: {}, ctx });
    await fetch(`${endpoint.url}?fnId=${fnId}&stepId=step`, { method: 'POST', body });
    expect(callsOfJobs()).toEqual(expected);
  });

  it('costs two round trips without Inngest', async () => {
    calls = [];
    await endpoint.router.dispatch({ name: 'system/ping' });
    expect(callsOfJobs()).toEqual([begin, complete]);
  });

  it.each([
    ['when Inngest calls', async () => void (await inngest.send({ name: 'test/working' }))],
    ['without Inngest', async () => void (await endpoint.router.dispatch({ name: 'test/working' }))],
  ])('tells how long the job really took, %s', async (_, work) => {
    await database.pool.query("delete from background_jobs where type = 'test/working'");
    const startedAt = performance.now();
    await work();
    const elapsedMs = Math.ceil(performance.now() - startedAt);
    const { rows } = await database.pool.query<Record<'duration_ms' | 'active_ms' | 'between', number>>(
      `select duration_ms::integer, active_ms::integer,
              round(extract(epoch from completed_at - started_at) * 1000)::integer as between
       from background_jobs where type = 'test/working'`,
    );
    const [row] = rows;
    expect(row?.duration_ms).toBeGreaterThanOrEqual(workMs);
    expect(row?.duration_ms).toBeLessThanOrEqual(elapsedMs);
    expect(row?.active_ms).toBe(row?.duration_ms);
    expect(Math.abs((row?.between ?? 0) - (row?.duration_ms ?? 0))).toBeLessThanOrEqual(1);
  });
});
