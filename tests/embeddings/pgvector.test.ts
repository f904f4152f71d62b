import type { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createPglite } from '../support/pglite.ts';
import { embeddedItems, type Sql, storeEmbeddings, storeItems, uuidOf } from './embedded-items.ts';

/**
 * The same items in a Postgres without pgvector and in one that has the real extension: what is asked of both must be
 * answered the same.
 */

const count = 1000;
/** Of different dimensions, beside each other in one table. */
const models = [
  { model: 'small', dimensions: 24 },
  { model: 'large', dimensions: 48 },
];
const asked = Array.from({ length: 24 }, (_, index) => 1 + index * 41);

let portable: TestDatabase;
let pglite: PGlite;
let without: Sql;
let withVector: Sql;

beforeAll(async () => {
  [portable, pglite] = await Promise.all([createTestDatabase(), createPglite()]);
  without = async <Row>(text: string, values?: unknown[]) =>
    (await portable.pool.query(text, values)).rows as Row[];
  withVector = async <Row>(text: string, values?: unknown[]) => (await pglite.query<Row>(text, values)).rows;
  for (const sql of [without, withVector]) {
    await storeItems(sql, count);
    for (const { model, dimensions } of models)
      await storeEmbeddings(sql, embeddedItems(count, dimensions, model));
    await sql('analyze embeddings');
  }
  // So few rows the planner would rather read and sort.
  await withVector('set enable_seqscan = off');
  await withVector('set enable_sort = off');
}, 180_000);

afterAll(async () => {
  await portable.close();
  await pglite.close();
});

interface Match {
  item_id: string;
  similarity: number;
}

async function matches(sql: Sql, item: number, model: string, sameRepository: boolean): Promise<Match[]> {
  const type = ['issue', 'pull_request', 'discussion'][(item - 1) % 3];
  return await sql<Match>('select * from match_similar_items($1, $2, 10, -100, $3, $4)', [
    type,
    uuidOf(item),
    model,
    sameRepository,
  ]);
}

const extensions = "select extname from pg_extension where extname = 'vector'";
const indexes = "select indexname from pg_indexes where indexdef like '%hnsw%' order by 1";

it('one database has pgvector with an HNSW index for each model, the other has neither', async () => {
  expect(await withVector(extensions)).toHaveLength(1);
  expect(await withVector(indexes)).toEqual([
    { indexname: expect.stringMatching('^embeddings_hnsw_24_') as unknown },
    { indexname: expect.stringMatching('^embeddings_hnsw_48_') as unknown },
  ]);
  expect(await without(extensions)).toEqual([]);
});

describe.each(models)('similar items by $model', ({ model }) => {
  it.each([
    ['of the same repository', true],
    ['of all repositories', false],
  ])(
    '%s are the same, in the same order and to the last digit',
    async (_, sameRepository) => {
      for (const item of asked) {
        const expected = await matches(without, item, model, sameRepository);
        expect(expected).toHaveLength(10);
        expect(await matches(withVector, item, model, sameRepository)).toEqual(expected);
      }
    },
    60_000,
  );
});

it('over all repositories pgvector asks its index', async () => {
  const index =
    "select idx_scan > 0 as used from pg_stat_user_indexes where indexrelname like 'embeddings_hnsw_48%'";
  await withVector('select pg_stat_force_next_flush()');
  expect(await withVector(index)).toEqual([{ used: true }]);
});

interface Pair {
  item_id: string;
  similar_id: string;
  similarity: number;
}

const pairOf = ({ item_id, similar_id }: Pair): string => `${item_id} ${similar_id}`;

/** The cache of the first repository, calculated to the end. */
async function cache(sql: Sql, model: string): Promise<Pair[]> {
  const step = 'select recalculate_similarities($1, 5, $2) as lists';
  for (let left = 1; left > 0;) {
    const [row] = await sql<{ lists: number }>(step, ['00000000-0000-7000-9000-000000000001', model]);
    left = row?.lists ?? 0;
  }
  return await sql<Pair>(
    `select item_id, similar_id, similarity from similarity_cache where model = $1
     order by item_id, similarity desc, similar_id`,
    [model],
  );
}

it('the similarity caches hold the same pairs, within the precision of pgvector’s numbers', async () => {
  const [expected, got] = [await cache(without, 'small'), await cache(withVector, 'small')];
  expect(expected).toHaveLength((count / 4) * 5);
  expect(got.map(pairOf)).toEqual(expected.map(pairOf));
  const largest = Math.max(
    ...got.map(({ similarity }, at) => Math.abs(similarity - expected[at]!.similarity)),
  );
  expect(largest).toBeLessThan(1e-6);
}, 120_000);

it('a database that gets pgvector later is moved over by use_pgvector', async () => {
  const [item, model] = [41, 'large'];
  const before = await matches(withVector, item, model, false);
  await withVector('drop extension vector cascade');
  expect(await withVector(indexes)).toEqual([]);
  expect(await matches(withVector, item, model, false)).toEqual(before);
  expect(await withVector('select use_pgvector()')).toEqual([
    { use_pgvector: 'pgvector is used; indexes created: 2' },
  ]);
  expect(await matches(withVector, item, model, false)).toEqual(before);
  expect(await withVector('select use_pgvector()')).toEqual([
    { use_pgvector: 'pgvector is used; indexes created: 0' },
  ]);
  expect(await without('select use_pgvector()')).toEqual([
    { use_pgvector: 'pgvector is not installed on this server: vectors are compared without it' },
  ]);
}, 60_000);
