import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { embeddedItems, hashOf, type Sql, storeEmbeddings, storeItems, uuidOf } from './embedded-items.ts';
import { propertySeed } from '../support/property-seed.ts';

let database: TestDatabase;
let sql: Sql;
const repository = '00000000-0000-7000-9000-000000000001';

beforeEach(async () => {
  database = await createTestDatabase();
  sql = async <Row>(text: string, values?: unknown[]) =>
    (await database.pool.query(text, values)).rows as Row[];
});
afterEach(async () => await database.close());

/** Calculates until nothing is left. @returns how many lists each call calculated */
async function recalculate(maxPerItem = 3): Promise<number[]> {
  const lists: number[] = [];
  while (lists.at(-1) !== 0)
    lists.push(
      await database.rpc<number>('recalculate_similarities', {
        ...{ repository_id: repository, max_per_item: maxPerItem, model: 'tiny' },
      }),
    );
  return lists;
}

const cached = 'select item_id, similar_id, similarity from similarity_cache order by 1, 3 desc, 2';

/** What the cache must hold: of every pair of the repository the best of each item. */
const truth = `
  select item_id, similar_id, similarity from (
    select a.item_id, b.item_id as similar_id, s.similarity,
           row_number() over (partition by a.item_id order by s.similarity desc, b.item_type, b.item_id) as place
    from embeddings a join embeddings b on b.item_id <> a.item_id and b.dimensions = a.dimensions
    cross join lateral (select embedding.similarity(a.vector, b.vector) as similarity) s
    where a.repository_id = '${repository}' and b.repository_id = a.repository_id
  ) as ranked where place <= 3 order by 1, 3 desc, 2`;

describe('recalculate_similarities', () => {
  beforeEach(async () => {
    await storeItems(sql, 48);
    await storeEmbeddings(sql, embeddedItems(48, 4, 'tiny'));
  });

  it('keeps the best of each item, of its repository alone', async () => {
    expect(await recalculate()).toEqual([12, 0]);
    const rows = await sql(cached);
    expect(rows).toHaveLength(36);
    expect(rows).toEqual(await sql(truth));
  });

  it('calculates the lists of what changed, and of those that showed it', async () => {
    await recalculate();
    await storeEmbeddings(sql, embeddedItems(1, 4, 'tiny'));
    const shown = await sql(`select from similarity_cache where similar_id = '${uuidOf(1)}'`);
    const lists = (await recalculate()).reduce((sum, count) => sum + count, 0);
    expect(lists).toBe(1 + shown.length);
    expect(await sql(cached)).toEqual(await sql(truth));
  });

  it('fills the place of what is gone, refused or transferred', async () => {
    await recalculate();
    await sql(`delete from issues where id = '${uuidOf(1)}'`);
    await sql(
      `update pull_requests set repository_id = '00000000-0000-7000-9000-000000000002' where id = '${uuidOf(5)}'`,
    );
    const refused = { item_type: 'discussion', item_id: uuidOf(9), model: 'tiny', error: 'too long' };
    await sql('select store_embeddings($1)', [
      JSON.stringify([{ ...refused, content_hash: hashOf('Item 9', null) }]),
    ]);
    await recalculate();
    const rows = await sql<{ item_id: string }>(cached);
    expect(new Set(rows.map(({ item_id }) => item_id)).size).toBe(9);
    expect(rows).toEqual(await sql(truth));
  });

  it('makes the lists longer or shorter when another length is asked for', async () => {
    await recalculate(5);
    expect(await sql(cached)).toHaveLength(60);
    await recalculate(3);
    expect(await sql(cached)).toEqual(await sql(truth));
  });

  it.each([
    [{ max_per_item: 0 }, 'max_per_item: expected a whole number from 1 to 100, got 0'],
    [{ repository_id: null }, 'repository_id: expected a uuid, got nothing'],
    [{ model: '' }, 'model: expected a name'],
  ])('refuses %j', async (bad, message) => {
    const asked = { repository_id: repository, max_per_item: 3, model: 'tiny', ...bad };
    await expect(database.rpc('recalculate_similarities', asked)).rejects.toThrow(message);
  });
});

it('after any changes the cache is what a calculation from nothing gives', async () => {
  await storeItems(sql, 48);
  const pool = embeddedItems(144, 4, 'tiny');
  const number = fc.integer({ min: 0, max: 11 });
  /** Item `at * 4 + 1` is of the first repository; it gets one of three vectors, or is deleted. */
  const change = fc.record({ at: number, version: fc.integer({ min: 0, max: 2 }), gone: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 4 }), async (rounds) => {
      for (const round of rounds) {
        for (const { at, version, gone } of round) {
          const item = pool[at * 4];
          if (!item) continue;
          if (gone) await sql('delete from embeddings where item_id = $1', [item.item_id]);
          else await storeEmbeddings(sql, [{ ...item, vector: pool[version * 48 + at * 4]?.vector ?? '' }]);
        }
        await recalculate();
        expect(await sql(cached)).toEqual(await sql(truth));
      }
    }),
    { seed: propertySeed, numRuns: 12 },
  );
}, 120_000);
