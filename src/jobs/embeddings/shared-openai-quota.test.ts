import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../../tests/support/database.ts';
import {
  addIssues,
  type EmbeddingProcess,
  enqueueEmbeddings,
  jobRow,
  startEmbeddingProcess,
} from '../../../tests/support/embedding-process.ts';
import { type OpenAiStandIn, startOpenAiStandIn } from '../../local/openai/stand-in.ts';
import { createJobQueue } from '../../queue/job-queue.ts';
import { catalog } from '../catalog.ts';

let database: TestDatabase;
let standIn: OpenAiStandIn;
let processes: EmbeddingProcess[];

beforeEach(async () => {
  database = await createTestDatabase();
  standIn = await startOpenAiStandIn();
  processes = [1, 2].map(() => startEmbeddingProcess(database, standIn));
  await createJobQueue(database.rpc).syncJobTypes(catalog);
});

afterEach(async () => {
  await expectSoundQueue(database.pool);
  await Promise.all(processes.map((each) => each.close()));
  await standIn.close();
  await database.close();
});

it.each(['rate-limit', 'overloaded'] as const)(
  'OpenAI refuses for a while (%s): the job waits so long without a retry, and so do those of other processes',
  async (kind) => {
    const [first, second] = processes as [EmbeddingProcess, EmbeddingProcess];
    const repositories = [await addIssues(database, 2, `'one'`), await addIssues(database, 3, `'two'`)];
    standIn.faults.add({ kind, retryAfterSeconds: 4 });
    const ids: string[] = [];
    for (const repositoryId of repositories) ids.push(await enqueueEmbeddings(database, { repositoryId }));
    await first.drain();
    const { rows } = await database.pool.query<{ blocked_until: Date }>(
      "select blocked_until from job_quotas where quota = 'openai:embeddings'",
    );
    const until = rows[0]?.blocked_until ?? new Date(0);
    const done = async (): Promise<boolean> => {
      await second.drain();
      const jobs = await Promise.all(ids.map((id) => jobRow(database, id)));
      return jobs.every(({ status }) => status === 'completed');
    };
    await vi.waitUntil(done, { timeout: 30_000, interval: 100 });
    expect(standIn.requests.filter(({ receivedAt }) => receivedAt < until.getTime())).toHaveLength(1);
    for (const [index, id] of ids.entries())
      expect(await jobRow(database, id)).toMatchObject({
        retryCount: 0,
        result: { embedded: [2, 3][index] },
      });
  },
  60_000,
);

it("the quota of a user's own key is not the platform's", async () => {
  const [first] = processes as [EmbeddingProcess];
  const theirs = startEmbeddingProcess(database, standIn, 'sk-of-a-user');
  await addIssues(database, 1, `'one'`);
  standIn.faults.add({ kind: 'rate-limit', retryAfterSeconds: 600 });
  await enqueueEmbeddings(database);
  await first.drain();
  const id = await enqueueEmbeddings(database);
  await database.pool.query(
    `insert into job_quotas (quota, token, blocked_until) values ('openai:embeddings', 'another', null)`,
  );
  await theirs.drain();
  await theirs.close();
  expect(await jobRow(database, id)).toMatchObject({ status: 'completed', result: { embedded: 1 } });
});
