import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateLocalEmbeddingsBatch } from '../../src/jobs/embeddings/local-batch.ts';
import { generateLocalEmbeddings } from '../../src/jobs/embeddings/local-generate.ts';
import { createJobQueue, type JobRow } from '../../src/queue/job-queue.ts';
import { createLocalEmbedder } from '../../src/worker/local-embedder.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../support/database.ts';
import { writeTinyModel } from '../support/tiny-model.ts';
import { startTestWorker } from '../support/worker.ts';
import { type Sql, storeItems, uuidOf } from './embedded-items.ts';

const catalog = [generateLocalEmbeddings, generateLocalEmbeddingsBatch];

let database: TestDatabase;
let sql: Sql;
let folder: string;

beforeEach(async () => {
  database = await createTestDatabase();
  sql = async <Row>(text: string, values?: unknown[]) =>
    (await database.pool.query(text, values)).rows as Row[];
  folder = await mkdtemp(join(tmpdir(), 'local-embeddings-'));
  await writeTinyModel(folder, ['crash', 'login', 'cache']);
  await storeItems(sql, 40);
});
afterEach(async () => {
  await expectSoundQueue(database.pool);
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

/** Has a worker run the job to its end. @param modelFolder - empty: none is set */
async function run(type: string, payload: unknown, modelFolder = folder): Promise<JobRow> {
  const worker = await startTestWorker(database, catalog, {
    openEmbedder: createLocalEmbedder(modelFolder || undefined),
    pollMs: 20,
  });
  const queue = createJobQueue(database.rpc);
  try {
    const [job] = await queue.enqueue([{ type, payload }]);
    const row = async () => await queue.get(job?.id ?? '');
    await expect.poll(async () => (await row())?.status, { timeout: 30_000 }).toMatch(/completed|failed/);
    return (await row())!;
  } finally {
    await worker.stop();
  }
}

describe('the local model on the worker', () => {
  it('embeds all that is due, and finds what is similar', async () => {
    await sql(`update issues set title = 'Login crash' where number = 1`);
    await sql(
      `update pull_requests set title = 'Fix the crash at login', repository_id = '00000000-0000-7000-9000-000000000001' where number = 2`,
    );
    const job = await run('embeddings/batch.generate', {});
    expect(job).toMatchObject({
      status: 'completed',
      result: {
        embedded: 40,
        failed: 0,
        pages: 2,
        truncated: false,
        model: expect.stringContaining('local/') as unknown,
      },
    });
    expect(await sql(`select title from match_similar_items('issue', $1, 1)`, [uuidOf(1)])).toEqual([
      { title: 'Fix the crash at login' },
    ]);
    expect(await run('embeddings/batch.generate', {})).toMatchObject({ result: { embedded: 0, pages: 0 } });
  });

  it('embeds a repository, or the named items, and no more than it was asked for', async () => {
    expect(await run('embeddings.generate', { repository: 'octo-org/r1', maxItems: 4 })).toMatchObject({
      result: { embedded: 4, truncated: true },
    });
    const items = [{ type: 'issue', id: uuidOf(4) }];
    expect(await run('embeddings.generate', { items })).toMatchObject({ result: { embedded: 1 } });
    expect(await sql('select count(*)::integer as n from embeddings')).toEqual([{ n: 5 }]);
  });

  it.each([
    [{}, 'expected either items [{type, id}] or a repository'],
    [{ repository: 'octo-org/unknown' }, 'repository: expected one that the database has'],
    [{ items: [{ type: 'comment', id: uuidOf(1) }] }, 'items'],
  ])('refuses %j for good', async (payload, message) => {
    expect(await run('embeddings.generate', payload)).toMatchObject({
      status: 'failed',
      retryCount: 0,
      error: expect.stringContaining(message) as unknown,
    });
  });

  it('fails for good with what to set where its folder holds no model', async () => {
    expect(await run('embeddings/batch.generate', {}, join(folder, 'nothing'))).toMatchObject({
      status: 'failed',
      retryCount: 0,
      error: expect.stringContaining(
        'EMBEDDING_MODEL_PATH: expected a folder with onnx/model.onnx',
      ) as unknown,
    });
  });
});

it('where no model is set the batch does nothing, and who asks for items is told what to set', async () => {
  expect(await run('embeddings/batch.generate', {}, '')).toMatchObject({
    status: 'completed',
    result: { skipped: expect.stringContaining('EMBEDDING_MODEL_PATH') as unknown },
  });
  expect(await run('embeddings.generate', { repository: 'octo-org/r1' }, '')).toMatchObject({
    status: 'failed',
    retryCount: 0,
    error: expect.stringContaining('EMBEDDING_MODEL_PATH: expected the folder') as unknown,
  });
});
