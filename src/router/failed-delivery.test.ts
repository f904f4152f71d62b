import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../tests/support/database.ts';
import { type HybridEndpoint, startHybridEndpoint } from '../../tests/support/hybrid-endpoint.ts';
import type { Rpc } from '../database/rpc.ts';
import { DatabaseUnreachableError, type UncheckedRpc } from '../database/rpc.ts';
import { defineJob, type JobDefinition } from '../jobs/define-job.ts';
import { createInngestExecutor, type RunEnd } from '../local/inngest-executor.ts';

const payload = z.looseObject({ mood: z.string().optional() });

/** Begins and then never answers. */
const deaf = defineJob({
  type: 'test/deaf',
  lane: 'inline',
  payload,
  run: () => new Promise(() => undefined),
});
const fails = defineJob({
  type: 'test/fails',
  lane: 'inline',
  maxRetries: 0,
  payload,
  run: () => Promise.reject(new Error('boom')),
});
const long = defineJob({ type: 'test/long', payload, run: () => Promise.resolve(null) });
const catalog = [deaf, fails, long] as JobDefinition[];

let database: TestDatabase;
let endpoint: HybridEndpoint;
/** The endpoint's way to the database; a test may cut it. */
let rpc: Rpc;

beforeAll(async () => {
  database = await createTestDatabase();
  endpoint = await startHybridEndpoint({ rpc: (...call) => rpc(...call), catalog });
});
afterAll(async () => {
  await endpoint.close();
  await database.close();
});
afterEach(async () => {
  await expectSoundQueue(database.pool);
  await database.pool.query('delete from background_jobs');
  endpoint.wakes.length = 0;
});

/** Sends an event to an Inngest that gives up at once, or after `retries` more deliveries. */
async function giveUpOn(
  name: string,
  data: object,
  sender: typeof fetch = fetch,
): Promise<RunEnd | undefined> {
  const executor = createInngestExecutor({
    url: endpoint.url,
    retries: 0,
    fetch: sender,
    functions: catalog.map(({ type, functionId }) => ({
      id: `hybrid-jobs-${functionId}`,
      triggers: [{ event: type }],
    })),
  });
  const [run] = await executor.send({ name, data, id: 'event-1' });
  return run;
}

async function rows(): Promise<unknown[]> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    'select type, status, lane, error, failure_reason, payload, inngest_event_id, retry_count from background_jobs',
  );
  return rows;
}

it('an event that the database was away for leaves a failed row', async () => {
  const away: UncheckedRpc = (name) => Promise.reject(new DatabaseUnreachableError(`${name}: away`));
  rpc = away;
  // It comes back between the last delivery and the call of the failure handler.
  const untilGivenUp: typeof fetch = async (...request) => {
    const answer = await fetch(...request);
    rpc = database.rpc;
    return answer;
  };
  expect(await giveUpOn('test/long', { mood: 'long' }, untilGivenUp)).toMatchObject({ status: 'failed' });
  expect(await rows()).toMatchObject([
    {
      type: 'test/long',
      status: 'failed',
      lane: 'edge',
      error: expect.stringContaining('away') as string,
      failure_reason: 'retries_spent',
      payload: { mood: 'long' },
      inngest_event_id: 'event-1',
    },
  ]);
});

it('an event whose payload fits no row leaves a failed row that says so', async () => {
  rpc = database.rpc;
  await giveUpOn('test/long', { text: 'x'.repeat(1_100_000) });
  const reason = 'job test/long: payload: expected at most 1048576 bytes';
  expect(await rows()).toMatchObject([
    {
      status: 'failed',
      failure_reason: 'non_retryable',
      error: expect.stringContaining(reason) as string,
      payload: { unstorable: expect.stringContaining(reason) as string },
    },
  ]);
});

it('an inline job whose request died goes to the edge lane at once, and process-job is woken', async () => {
  rpc = database.rpc;
  const cut: typeof fetch = async (input, init) => {
    if (!(input as URL).search.includes('failure')) {
      const request = fetch(input, init);
      await expect.poll(rows).toMatchObject([{ status: 'processing' }]);
      request.catch(() => undefined);
      throw new Error('the connection was cut');
    }
    return await fetch(input, init);
  };
  await giveUpOn('test/deaf', {}, cut);
  expect(await rows()).toMatchObject([{ status: 'queued', lane: 'edge', retry_count: 1 }]);
  expect(endpoint.wakes).toHaveLength(1);
});

it('a job that failed by itself stays as it is', async () => {
  rpc = database.rpc;
  await giveUpOn('test/fails', {});
  expect(await rows()).toMatchObject([{ status: 'failed', lane: 'inline', error: 'boom', retry_count: 0 }]);
  expect(endpoint.wakes).toEqual([]);
});
