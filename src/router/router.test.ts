import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../tests/support/database.ts';
import { type HybridEndpoint, startHybridEndpoint } from '../../tests/support/hybrid-endpoint.ts';
import { DatabaseUnreachableError, type UncheckedRpc } from '../database/rpc.ts';
import { defineJob, type JobDefinition } from '../jobs/define-job.ts';
import { ping } from '../jobs/system/ping.ts';

const long = defineJob({
  type: 'test/long',
  aliases: ['test/long.old-name'],
  payload: z.object({ n: z.number() }),
  run: () => Promise.resolve(null),
});

const failing = defineJob({
  type: 'test/failing',
  lane: 'inline',
  payload: z.object({}),
  run: () => Promise.reject(new Error('no luck')),
});

const stepping = defineJob({
  type: 'test/stepping',
  lane: 'inline',
  payload: z.object({}),
  run: async (ctx) => await ctx.step('only', () => Promise.resolve('kept')),
});

const parent = defineJob({
  type: 'test/parent',
  lane: 'inline',
  payload: z.object({}),
  run(ctx) {
    ctx.enqueue({ type: 'test/long', payload: { n: 1 } });
    return Promise.resolve('parent');
  },
});

const keyed = defineJob({
  type: 'test/keyed',
  lane: 'inline',
  payload: z.object({ n: z.number() }),
  concurrency: { key: () => 'the only key', limit: 1, expression: '"the only key"' },
  run: () => Promise.resolve(null),
});

const throttled = defineJob({
  type: 'test/throttled',
  lane: 'inline',
  payload: z.object({}),
  throttle: { limit: 1, periodSeconds: 60 },
  run: () => Promise.resolve(null),
});

const catalog = [ping, long, failing, stepping, parent, keyed, throttled] as JobDefinition[];

let database: TestDatabase;
let endpoint: HybridEndpoint;

beforeAll(async () => {
  database = await createTestDatabase();
  endpoint = await startHybridEndpoint({ rpc: database.rpc, catalog });
});

afterAll(async () => {
  await endpoint.close();
  await database.close();
});

afterEach(async () => {
  await expectSoundQueue(database.pool);
  endpoint.wakes.length = 0;
});

async function rowOf(jobId: string): Promise<Record<string, unknown> | undefined> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    'select * from background_jobs where id = $1',
    [jobId],
  );
  return rows[0];
}

describe('an event that reaches the router without Inngest', () => {
  it('wakes the edge lane for the jobs that a quick job enqueued', async () => {
    const receipt = await endpoint.router.dispatch({ name: 'test/parent' });
    expect(receipt).toMatchObject({ status: 'completed', result: 'parent' });
    expect(endpoint.wakes).toHaveLength(1);
  });

  it('runs a quick job and answers its result', async () => {
    const receipt = await endpoint.router.dispatch({ name: 'system/ping', data: { hello: 1 } });
    expect(receipt).toMatchObject({ lane: 'inline', status: 'completed', result: { hello: 1 } });
    expect(await rowOf(receipt.jobId)).toMatchObject({
      status: 'completed',
      lane: 'inline',
      inngest_run_id: null,
    });
  });

  it('puts a quick job with a concurrency limit on the edge lane, where the queue keeps the limit', async () => {
    const receipts = await Promise.all(
      [1, 2, 3].map((n) => endpoint.router.dispatch({ name: 'test/keyed', data: { n } })),
    );
    expect(receipts).toMatchObject(Array(3).fill({ lane: 'edge', status: 'queued' }));
    expect(endpoint.wakes).toHaveLength(3);
    const claim = async (): Promise<object[]> => {
      const sql = `select id from claim_background_jobs('edge', 'w', 10, 60, null, '["test/keyed"]')`;
      return (await database.pool.query<{ id: string }>(sql)).rows;
    };
    expect([await claim(), await claim()].map(({ length }) => length)).toEqual([1, 0]);
    await database.pool.query('delete from background_jobs');
  });

  it('does so with a throttled one', async () => {
    const receipt = await endpoint.router.dispatch({ name: 'test/throttled' });
    expect(receipt).toMatchObject({ lane: 'edge', status: 'queued' });
    expect(endpoint.wakes).toHaveLength(1);
  });

  it('stores the steps of a quick job beside its row', async () => {
    const receipt = await endpoint.router.dispatch({ name: 'test/stepping' });
    expect(receipt).toMatchObject({ status: 'completed', result: 'kept' });
    const { rows } = await database.pool.query(
      'select name, output from background_job_steps where job_id = $1',
      [receipt.jobId],
    );
    expect(rows).toEqual([{ name: 'only', output: 'kept' }]);
  });

  it('says why a quick job failed, and leaves it queued for another attempt', async () => {
    const receipt = await endpoint.router.dispatch({ name: 'test/failing' });
    expect(receipt).toMatchObject({ lane: 'inline', status: 'queued', error: 'no luck' });
    expect(await rowOf(receipt.jobId)).toMatchObject({ status: 'queued', retry_count: 1 });
  });

  it('enqueues a long job once, by its name or its alias, and wakes process-job', async () => {
    const event = { data: { n: 1 }, id: 'event-1' };
    const first = await endpoint.router.dispatch({ name: 'test/long', ...event });
    const second = await endpoint.router.dispatch({ name: 'test/long.old-name', ...event });
    expect(first).toMatchObject({ lane: 'edge', status: 'queued' });
    expect(second.jobId).toBe(first.jobId);
    expect(await rowOf(first.jobId)).toMatchObject({
      type: 'test/long',
      idempotency_key: 'test/long:event-1',
    });
    expect(endpoint.wakes.length).toBeGreaterThan(0);
  });

  it('makes an id for an event without one', async () => {
    const receipts = await Promise.all(
      [1, 2].map((n) => endpoint.router.dispatch({ name: 'test/long', data: { n } })),
    );
    expect(new Set(receipts.map(({ jobId }) => jobId)).size).toBe(2);
  });

  it('refuses an unknown event by its name', async () => {
    await expect(endpoint.router.dispatch({ name: 'test/unheard-of' })).rejects.toThrow(
      'event test/unheard-of: no job type or alias of this name in the catalog',
    );
  });

  it('refuses a payload that has no JSON form', async () => {
    await expect(endpoint.router.dispatch({ name: 'test/long', data: { n: 1n } })).rejects.toThrow(
      'job test/long: payload: expected a value that has a JSON form',
    );
  });

  it('throws when nothing is known about the job', async () => {
    const rpc: UncheckedRpc = (name) =>
      Promise.reject(new DatabaseUnreachableError(`${name}: the database did not answer`));
    const away = await startHybridEndpoint({ rpc, catalog });
    try {
      await expect(away.router.dispatch({ name: 'test/long', data: { n: 1 } })).rejects.toThrow(
        DatabaseUnreachableError,
      );
    } finally {
      await away.close();
    }
  });
});
