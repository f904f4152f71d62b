import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../../tests/support/database.ts';
import { type HybridEndpoint, startHybridEndpoint } from '../../../tests/support/hybrid-endpoint.ts';
import { createJobQueue } from '../../queue/job-queue.ts';
import { catalog } from '../catalog.ts';

let database: TestDatabase;
let endpoint: HybridEndpoint;

beforeAll(async () => {
  database = await createTestDatabase();
  await createJobQueue(database.rpc).syncJobTypes(catalog);
  endpoint = await startHybridEndpoint({ rpc: database.rpc, catalog });
});

afterAll(async () => {
  await expectSoundQueue(database.pool);
  await endpoint.close();
  await database.close();
});

beforeEach(() => database.pool.query('delete from background_jobs'));

const issueId = '0194f3c2-7c1a-7000-8000-000000000001';
const repositoryId = '0194f3c2-7c1a-7000-8000-000000000002';

/** Sends the event, and gives the inline job's row and the payloads of the jobs that it enqueued, in their order. */
async function send(name: string, data: object) {
  const receipt = await endpoint.router.dispatch({ name, data });
  const { rows } = await database.pool.query<{ payload: unknown; lane: string; priority: number }>(
    "select payload, lane, priority from background_jobs where type = 'embeddings/compute.requested' order by id",
  );
  return { receipt, requested: rows };
}

describe('a bridge to the embeddings', () => {
  it.each([
    [
      'embedding/issue.generate',
      { issueId, repositoryId, priority: 'high' },
      { items: [{ type: 'issue', id: issueId }] },
    ],
    [
      'embedding/pr.generate',
      { prId: issueId, repositoryId },
      { items: [{ type: 'pull_request', id: issueId }] },
    ],
    ['embedding/pr.generate', { pullRequestId: issueId }, { items: [{ type: 'pull_request', id: issueId }] }],
    ['similarity/repository.recalculate', { repositoryId }, { repositoryId, similarities: true }],
    [
      'similarity/repository.recalculate',
      { repository: 'octo-org/hello' },
      { owner: 'octo-org', repo: 'hello', similarities: true },
    ],
  ])('%s of %j asks for them, before the backlog', async (name, data, payload) => {
    const { receipt, requested } = await send(name, data);
    expect(receipt).toMatchObject({ status: 'completed', lane: 'inline' });
    expect(requested).toEqual([{ payload, lane: 'edge', priority: 5 }]);
  });

  it('embedding/batch.process asks for each item once, 1,000 to a job', async () => {
    const ids = Array.from({ length: 1_500 }, () => crypto.randomUUID());
    const items = [...ids, ids[0]].map((id, index) => ({ type: index % 2 === 0 ? 'pr' : 'issues', id }));
    const { receipt, requested } = await send('embedding/batch.process', { items });
    expect(receipt).toMatchObject({ status: 'completed', result: { items: 1_501, jobs: 2 } });
    const asked = requested.map(
      ({ payload }) => (payload as { items: { type: string; id: string }[] }).items,
    );
    expect(asked.map(({ length }) => length)).toEqual([1_000, 500]);
    expect(asked.flat().map(({ id }) => id)).toEqual(ids);
    expect(new Set(asked.flat().map(({ type }) => type))).toEqual(new Set(['pull_request', 'issue']));
  });

  it.each([
    ['embedding/issue.generate', {}, 'payload.issueId: expected string, got nothing'],
    ['embedding/pr.generate', {}, 'payload.prId: expected prId or pullRequestId, the uuid of a pull request'],
    ['embedding/batch.process', { items: [] }, 'payload.items'],
    [
      'similarity/repository.recalculate',
      { repository: 'hello' },
      'payload.repository: expected "owner/name"',
    ],
  ])('%s of %j is refused for good', async (name, data, message) => {
    const { receipt, requested } = await send(name, data);
    expect(receipt).toMatchObject({ status: 'failed', error: expect.stringContaining(message) as string });
    expect(requested).toEqual([]);
  });
});
