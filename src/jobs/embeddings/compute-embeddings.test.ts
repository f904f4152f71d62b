import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../../tests/support/database.ts';
import {
  addIssues,
  type EmbeddingProcess,
  enqueueEmbeddings,
  jobRow,
  startEmbeddingProcess,
} from '../../../tests/support/embedding-process.ts';
import { expireLease } from '../../../tests/support/killed-attempt.ts';
import { type OpenAiStandIn, startOpenAiStandIn } from '../../local/openai/stand-in.ts';
import { createJobQueue } from '../../queue/job-queue.ts';
import { catalog } from '../catalog.ts';

let database: TestDatabase;
let standIn: OpenAiStandIn;
let process: EmbeddingProcess;

beforeEach(async () => {
  database = await createTestDatabase();
  await begin();
  await createJobQueue(database.rpc).syncJobTypes(catalog);
});

afterEach(async () => {
  await expectSoundQueue(database.pool);
  await process.close();
  await standIn.close();
  await database.close();
});

async function begin(limits: Parameters<typeof startOpenAiStandIn>[0] = {}): Promise<void> {
  standIn = await startOpenAiStandIn(limits);
  process = startEmbeddingProcess(database, standIn);
}

async function compute(payload: unknown = {}) {
  const id = await enqueueEmbeddings(database, payload);
  await process.drain();
  return await jobRow(database, id);
}

async function query<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
  return (await database.pool.query<Row>(sql, values)).rows;
}

const short = `'What happened in number ' || n`;
const served = () => standIn.requests.filter(({ status }) => status === 200);
const tokensServed = (): number => served().reduce((sum, { tokens }) => sum + tokens, 0);

describe('a backlog', () => {
  it('of 10,000 short items takes as many requests as their number asks for', async () => {
    await addIssues(database, 10_000, short);
    const row = await compute();
    expect(row).toMatchObject({ status: 'completed', retryCount: 0 });
    expect(row.result).toMatchObject({
      items: 10_000,
      embedded: 10_000,
      failed: 0,
      requests: 5,
      truncated: false,
    });
    expect(standIn.requests.map(({ inputs }) => inputs)).toEqual([2048, 2048, 2048, 2048, 1808]);
    const [stored] = await query(
      `select count(*)::integer as rows, min(dimensions) as least, max(dimensions) as most, sum(tokens)::integer as tokens
       from embeddings where model = 'text-embedding-3-small' and vector is not null`,
    );
    expect(stored).toMatchObject({ rows: 10_000, least: 512, most: 512 });
    expect(Math.abs(Number((stored as { tokens: number }).tokens) - tokensServed())).toBeLessThan(5_000);
  }, 120_000);

  it('of 10,000 long items takes as many requests as their tokens ask for', async () => {
    await addIssues(database, 10_000, `repeat('the worker stopped while it was draining ', 10 + n % 90)`);
    const { result } = await compute();
    const least = Math.ceil(tokensServed() / 300_000);
    expect(result).toMatchObject({ embedded: 10_000, failed: 0, tokens: tokensServed(), requests: least });
    expect(standIn.requests).toHaveLength(least);
  }, 180_000);

  it('costs what OpenAI counted, a day and a model', async () => {
    await addIssues(database, 30, short);
    const { result } = await compute();
    const cost = Math.ceil(tokensServed() * 0.02);
    expect(result).toMatchObject({ tokens: tokensServed(), costMicroUsd: cost });
    expect(await query('select * from ai_usage')).toMatchObject([
      {
        ...{ provider: 'openai', model: 'text-embedding-3-small', purpose: 'embeddings', user_id: null },
        ...{
          requests: '1',
          input_tokens: String(tokensServed()),
          output_tokens: '0',
          cost_micro_usd: String(cost),
        },
      },
    ]);
  });

  it('that was embedded costs nothing, and what changed is embedded again', async () => {
    await addIssues(database, 20, short);
    await compute();
    expect((await compute()).result).toMatchObject({ items: 0, requests: 0 });
    await query(`update issues set body = 'changed' where number <= 3`);
    expect((await compute()).result).toMatchObject({ items: 3, embedded: 3, requests: 1 });
    expect(standIn.requests.map(({ inputs }) => inputs)).toEqual([20, 3]);
  });

  it('may be limited to a few, or to more than one request holds, and says that it was', async () => {
    await addIssues(database, 3_000, short);
    expect((await compute({ maxItems: 10 })).result).toMatchObject({ items: 10, truncated: true });
    expect(standIn.requests.map(({ inputs }) => inputs)).toEqual([10]);
    expect((await compute({ maxItems: 2_500 })).result).toMatchObject({ items: 2_500, truncated: true });
  }, 60_000);
});

describe('a bad item', () => {
  it('without text is recorded with the reason, and the others are embedded', async () => {
    await addIssues(database, 10, short);
    await query(
      `update issues set title = ' ', body = case when number = 4 then null else ' ' end where number in (4, 7)`,
    );
    expect((await compute()).result).toMatchObject({ items: 10, embedded: 8, failed: 2, requests: 1 });
    const failed = await query('select error from embeddings where vector is null');
    expect(failed).toEqual(Array(2).fill({ error: 'there is no text: title and body are empty' }));
    expect((await compute()).result).toMatchObject({ items: 0 });
  });

  it('that is too long is embedded by its beginning', async () => {
    await addIssues(database, 10, `repeat('too long ', case when n = 5 then 20000 else 1 end)`);
    expect((await compute()).result).toMatchObject({ embedded: 10, failed: 0, shortened: 1, requests: 1 });
  });

  it('that is longer than estimated is cut as OpenAI says, and the others are embedded whole', async () => {
    await addIssues(database, 40, `repeat('1a2b', case when n % 20 = 5 then 5000 else 3 end)`);
    const { result } = await compute();
    expect(result).toMatchObject({ items: 40, embedded: 40, failed: 0, shortened: 2 });
    expect(Math.max(...served().map(({ inputs }) => inputs))).toBe(38);
  });

  it('that OpenAI refuses for another reason is found among the others', async () => {
    await process.close();
    await standIn.close();
    await begin({ refusedText: 'unspeakable' });
    await addIssues(database, 64, `case when n in (10, 40) then 'unspeakable' else 'fine' end`);
    expect((await compute()).result).toMatchObject({ items: 64, embedded: 62, failed: 2 });
    const failed = await query<{ error: string }>('select error from embeddings where vector is null');
    expect(failed).toHaveLength(2);
    expect(failed[0]?.error).toContain("OpenAI answered 400 to embeddings: '$.input' is invalid");
  });
});

describe('many items without text', () => {
  it('do not make one that OpenAI refuses look like a refusal of all', async () => {
    await process.close();
    await standIn.close();
    await begin({ refusedText: 'unspeakable' });
    await addIssues(database, 30, `case when n = 1 then 'unspeakable' end`);
    await query(`update issues set title = ' ' where number > 4`);
    expect(await compute()).toMatchObject({
      status: 'completed',
      result: { items: 30, embedded: 3, failed: 27 },
    });
  });
});

describe('a request', () => {
  it('that turns out too large goes again with what has room, and the next ones are as large as they may be', async () => {
    await process.close();
    await standIn.close();
    await begin({ limits: { requestTokens: 10_000 } });
    await addIssues(database, 300, `repeat('tiny words are many in it ', 20)`);
    const { result } = await compute();
    expect(result).toMatchObject({ items: 300, embedded: 300, failed: 0 });
    expect(standIn.requests.some(({ status }) => status === 400)).toBe(true);
    for (const { tokens } of served()) expect(tokens).toBeLessThanOrEqual(10_000);
  });

  it('that is lost with its process is the only one to be made again', async () => {
    await addIssues(database, 5_000, short);
    standIn.faults.add({ kind: 'hang', skip: 1 });
    const id = await enqueueEmbeddings(database);
    const shutdown = new AbortController();
    const lost = process.drain({ shutdown: shutdown.signal });
    await vi.waitUntil(() => standIn.requests.length === 2, { timeout: 30_000 });
    await expireLease(database, id);
    shutdown.abort();
    await lost;
    await query('update background_jobs set run_at = now() where id = $1', [id]);
    await process.drain();
    expect(await jobRow(database, id)).toMatchObject({
      status: 'completed',
      result: { embedded: 5_000, requests: 3 },
    });
    expect(standIn.requests.map(({ inputs, fault }) => [inputs, fault])).toEqual([
      [2048, null],
      [0, 'hang'],
      [2048, null],
      [904, null],
    ]);
  }, 120_000);

  it('without a key fails for good, and names the variable', async () => {
    await addIssues(database, 1, short);
    const keyless = startEmbeddingProcess(database, standIn, '');
    const id = await enqueueEmbeddings(database);
    await keyless.drain();
    await keyless.close();
    expect(await jobRow(database, id)).toMatchObject({
      status: 'failed',
      retryCount: 0,
      error: expect.stringContaining('OPENAI_API_KEY is not set') as string,
    });
  });
});

describe('a payload', () => {
  it('may name items, a repository, or a repository whose similarities are wanted', async () => {
    const first = await addIssues(database, 5, short);
    const second = await addIssues(database, 6, short);
    const [issue] = await query<{ id: string }>('select id from issues where repository_id = $1 limit 1', [
      first,
    ]);
    expect((await compute({ items: [{ type: 'issue', id: issue?.id }] })).result).toMatchObject({
      embedded: 1,
    });
    expect((await compute({ repositoryId: second })).result).toMatchObject({
      embedded: 6,
      similarities: null,
    });
    const asked = { repository: 'octo-org/embedded1', similarities: true };
    expect((await compute(asked)).result).toMatchObject({ embedded: 4, similarities: 5 });
    const cached = await query('select distinct repository_id from similarity_cache');
    expect(cached).toEqual([{ repository_id: first }]);
  });

  it.each([
    [{ items: [{ type: 'wiki', id: crypto.randomUUID() }] }, 'payload.items[0].type: expected "issue"'],
    [{ items: [{ type: 'issue', id: '7' }] }, 'expected the uuid of an item'],
    [{ similarities: true }, 'expected the repository whose similarities are to be recalculated'],
    [{ repository: 'octo-org/unknown' }, 'expected one that the database has, got octo-org/unknown'],
  ])('is refused for good: %j', async (payload, message) => {
    const row = await compute(payload);
    expect(row).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(row.error).toContain(message);
  });
});
