import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { claimNew, testHost } from '../../../tests/support/queue-host.ts';
import { createJobQueue } from '../../queue/job-queue.ts';
import type { Outcome } from '../../queue/outcome.ts';
import { perform } from '../../queue/perform.ts';
import { greetingSendJob } from './greeting-send.ts';

let database: TestDatabase;

beforeAll(async () => (database = await createTestDatabase()));
afterAll(async () => await database.close());

/** One attempt, as a worker runs it. */
async function attempt(payload: object): Promise<Outcome> {
  const queue = createJobQueue(database.rpc);
  const job = await claimNew(queue, { type: greetingSendJob.type, payload, lane: 'edge' });
  return await perform(job, testHost({ queue, rpc: database.rpc, catalog: [greetingSendJob] }));
}

it('greets whom its payload names', async () => {
  expect(await attempt({ name: 'world' })).toMatchObject({
    kind: 'complete',
    result: { greeting: 'Hello, world!' },
  });
});

it('refuses a payload without a name, and says so', async () => {
  const outcome = await attempt({});
  expect(outcome).toMatchObject({ kind: 'failed' });
  expect(JSON.stringify(outcome)).toContain('payload.name: expected string, got nothing');
});
