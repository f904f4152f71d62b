import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { type HybridEndpoint, startHybridEndpoint } from '../../tests/support/hybrid-endpoint.ts';
import { defineJob, type JobDefinition } from '../jobs/define-job.ts';
import { createInngestExecutor, type InngestExecutor } from '../local/inngest-executor.ts';

const signingKey = 'signkey-prod-0123456789abcdef0123456789abcdef';
const due = '17 */6 * * *';
const definitions = ['edge', 'inline'].map((lane) =>
  defineJob({
    type: `test/${lane}-hourly`,
    lane: lane as JobDefinition['lane'],
    payload: z.strictObject({}),
    cron: [due, '0 3 * * *'],
    run: () => Promise.resolve('ticked'),
  }),
) as JobDefinition[];

let database: TestDatabase;
let endpoints: HybridEndpoint[];
let inngest: InngestExecutor[];

beforeAll(async () => {
  database = await createTestDatabase();
  const start = () =>
    startHybridEndpoint({ rpc: database.rpc, catalog: definitions, inngest: { isDev: false, signingKey } });
  endpoints = await Promise.all([start(), start()]);
  inngest = endpoints.map(({ url }) => createInngestExecutor({ url, signingKey, functions }));
});

afterAll(async () => {
  await Promise.all(endpoints.map((endpoint) => endpoint.close()));
  await database.close();
});

const functions = definitions.map(({ functionId, cron }) => ({
  id: `hybrid-jobs-${functionId}`,
  triggers: cron.map((each) => ({ cron: each })),
}));

async function keys(): Promise<unknown[]> {
  const { rows } = await database.pool.query<object>(
    'select type, idempotency_key as key, payload, lane from background_jobs order by type, key',
  );
  return rows;
}

const row = (lane: string, minute: string) => ({
  type: `test/${lane}-hourly`,
  key: `test/${lane}-hourly@${minute}`,
  payload: {},
  lane,
});

describe('a cron tick', () => {
  it('makes one row of the minute in which it was due, whichever endpoints it reaches and however late', async () => {
    const ticks = await Promise.all(inngest.map((each) => each.tick(due, new Date('2026-11-22T06:17:00Z'))));
    expect(ticks.flat().map(({ status }) => status)).toEqual(Array(4).fill('completed'));
    await inngest[0]?.tick(due, new Date('2026-11-22T06:17:59.999Z'));
    expect(await keys()).toEqual([row('edge', '2026-11-22T06:17Z'), row('inline', '2026-11-22T06:17Z')]);
    await inngest[1]?.tick(due, new Date('2026-11-22T12:17:00Z'));
    expect(await keys()).toHaveLength(4);
  });

  it('is listed among the triggers of its function', async () => {
    const local = await startHybridEndpoint({ rpc: database.rpc, catalog: definitions });
    const listed = (await (await fetch(local.url)).json()) as { functions: { triggers: unknown }[] };
    await local.close();
    expect(listed.functions[0]?.triggers).toEqual([
      { event: 'test/edge-hourly' },
      { cron: due },
      { cron: '0 3 * * *' },
    ]);
  });

  it('is none of the triggers where the worker is the scheduler', async () => {
    const local = await startHybridEndpoint({
      rpc: database.rpc,
      catalog: definitions,
      scheduler: 'worker',
    });
    const listed = (await (await fetch(local.url)).json()) as { functions: { triggers: unknown }[] };
    await local.close();
    expect(listed.functions[0]?.triggers).toEqual([{ event: 'test/edge-hourly' }]);
  });
});
