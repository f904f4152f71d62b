import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { catalog } from '../src/jobs/catalog.ts';
import { createInngestExecutor, type InngestExecutor } from '../src/local/inngest-executor.ts';
import { embeddingsSet, hybridSet, servedBy } from '../src/router/function-sets.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from './support/database.ts';
import { type HybridEndpoint, startHybridEndpoint } from './support/hybrid-endpoint.ts';

/** Every name and every cron time of the catalog, sent through the endpoints that serve it: each makes one row of its type. */

let database: TestDatabase;
const endpoints: HybridEndpoint[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  for (const set of [hybridSet, embeddingsSet])
    endpoints.push(await startHybridEndpoint({ rpc: database.rpc, catalog, set }));
});

afterAll(async () => {
  await Promise.all(endpoints.map((endpoint) => endpoint.close()));
  await database.close();
});

afterEach(async () => {
  await expectSoundQueue(database.pool);
  await database.pool.query('delete from background_jobs');
});

function executor(index: number): InngestExecutor {
  return createInngestExecutor({ url: endpoints[index]?.url ?? '', backoffMs: () => 0 });
}

/** Types of the rows with this key; jobs that a job starts have others. */
async function typesOf(key: string): Promise<string[]> {
  const { rows } = await database.pool.query<{ type: string }>(
    'select type from background_jobs where idempotency_key = $1',
    [key],
  );
  return rows.map(({ type }) => type);
}

describe.each([
  { endpoint: 'inngest-hybrid', index: 0, served: servedBy(hybridSet, catalog, false) },
  { endpoint: 'inngest-embeddings', index: 1, served: servedBy(embeddingsSet, catalog, false) },
])('$endpoint', ({ index, served }) => {
  const events = served.flatMap(({ type, aliases }) => [type, ...aliases].map((event) => ({ event, type })));
  it.each(events)('makes one row of $type for the event $event', async ({ event, type }) => {
    // Most payloads are wrong: a job whose payload is wrong has a row, too.
    const runs = await executor(index).send({ name: event, data: {}, id: 'sent' });
    expect(runs).toHaveLength(1);
    expect(await typesOf(`${type}:sent`)).toEqual([type]);
  });

  const ticks = served.flatMap(({ type, cron }) => cron.map((each) => ({ cron: each, type })));
  it.each(ticks)('makes one row of $type for the cron time $cron', async ({ cron, type }) => {
    await executor(index).tick(cron, new Date('2026-11-22T06:17:20Z'));
    expect(await typesOf(`${type}@2026-11-22T06:17Z`)).toEqual([type]);
  });
});
