import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toBase64 } from '../../src/local/openai/vectors.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { hashOf, type Sql, storeItems, uuidOf } from './embedded-items.ts';

let database: TestDatabase;
let sql: Sql;

beforeEach(async () => {
  database = await createTestDatabase();
  sql = async <Row>(text: string, values?: unknown[]) =>
    (await database.pool.query(text, values)).rows as Row[];
  await storeItems(sql, 12);
});
afterEach(async () => await database.close());

interface Due {
  item_type: string;
  item_id: string;
  repository_id: string;
  content: string;
  content_hash: string;
}

interface Scope {
  items?: unknown;
  repositoryId?: string;
  model?: string;
  maxItems?: number;
  maxBytes?: number;
}

async function due({ items, repositoryId, model, maxItems, maxBytes }: Scope = {}): Promise<Due[]> {
  return await database.rpc<Due[]>('list_due_embeddings', {
    items: items ?? null,
    repository_id: repositoryId ?? null,
    model: model ?? 'a-model',
    max_items: maxItems ?? 100,
    max_bytes: maxBytes ?? 1_000_000,
  });
}

const numbers = (rows: Due[]): number[] => rows.map(({ item_id }) => Number(item_id.slice(-12)));

async function store(rows: Due[], more: object = { vector: [1, 0] }, model = 'a-model'): Promise<number> {
  return await database.rpc<number>('store_embeddings', {
    rows: rows.map((row) => ({ ...row, model, ...more })),
  });
}

const repositoryOne = '00000000-0000-7000-9000-000000000001';
const all = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

describe('what is due', () => {
  it('is everything at first, the longest unchanged first, with its text and hash', async () => {
    const rows = await due();
    expect(numbers(rows)).toEqual(all);
    expect(rows[0]).toEqual({
      item_type: 'issue',
      item_id: uuidOf(1),
      repository_id: repositoryOne,
      content: 'Item 1\n\n',
      content_hash: hashOf('Item 1', null),
    });
  });

  it('is nothing once all is stored, for this model alone', async () => {
    expect(await store(await due())).toBe(12);
    expect(await due()).toEqual([]);
    expect(numbers(await due({ model: 'another' }))).toEqual(all);
  });

  it('is an item whose title or body changed, or that is new', async () => {
    await store(await due());
    await sql(`update pull_requests set body = 'More' where number = 5`);
    await sql(`update issues set title = 'Other' where number = 1`);
    await sql(`update discussions set body = '' where number = 3`);
    await sql(`insert into issues (github_id, repository_id, number, title, state, created_at, updated_at)
      values (99, '${repositoryOne}', 99, 'New', 'open', now(), now())`);
    const rows = await due();
    // An empty body and none are one content.
    expect(rows.map(({ content }) => content)).toEqual(['Item 5\n\nMore', 'Other\n\n', 'New\n\n']);
    expect(rows[0]?.content_hash).toBe(hashOf('Item 5', 'More'));
  });

  it('is not what a capture touched without changing title and body', async () => {
    await store(await due());
    for (const table of ['issues', 'pull_requests', 'discussions'])
      await sql(
        `update ${table} set state = 'closed', updated_at = now(), last_synced_at = now(), title = title`,
      );
    expect(await sql('select * from embedding_due')).toEqual([]);
    expect(await due()).toEqual([]);
  });

  it('is not what was changed and changed back', async () => {
    await store(await due());
    await sql(`update issues set title = 'Other' where number = 1`);
    await sql(`update issues set title = 'Item 1' where number = 1`);
    expect(await due()).toEqual([]);
    expect(await sql('select * from embedding_due')).toEqual([]);
  });

  it('is not what the model refused, until its content changes', async () => {
    await store(await due(), { error: 'too long' });
    expect(await due()).toEqual([]);
    expect(await sql('select distinct error, vector, dimensions from embeddings')).toEqual([
      { error: 'too long', vector: null, dimensions: null },
    ]);
    await sql(`update issues set title = 'Shorter' where number = 4`);
    expect(numbers(await due())).toEqual([4]);
  });

  it('is still what changed while the model had it', async () => {
    const rows = await due();
    await sql(`update issues set title = 'Meanwhile' where number = 7`);
    expect(await store(rows)).toBe(12);
    expect((await due()).map(({ content }) => content)).toEqual(['Meanwhile\n\n']);
  });

  it('is again what was stored late, over the vector of a newer content', async () => {
    const old = await due();
    await sql(`update issues set title = 'Newer' where number = 10`);
    await store(await due());
    expect(await due()).toEqual([]);
    await store(old.filter(({ item_id }) => item_id === uuidOf(10)));
    expect(numbers(await due())).toEqual([10]);
  });

  it('may be asked of one repository, and of named items', async () => {
    expect(numbers(await due({ repositoryId: repositoryOne }))).toEqual([1, 5, 9]);
    const items = [
      { type: 'issue', id: uuidOf(10) },
      { type: 'discussion', id: uuidOf(3) },
      { type: 'issue', id: uuidOf(3) },
      { type: 'issue', id: uuidOf(500) },
    ];
    expect(numbers(await due({ items }))).toEqual([3, 10]);
    expect(await due({ items: [] })).toEqual([]);
    await store(await due({ items }));
    expect(await due({ items })).toEqual([]);
    await sql(`update issues set body = 'Seen, though nobody asked for its repository' where number = 10`);
    expect(numbers(await due({ items }))).toEqual([10]);
    expect(numbers(await due())).toEqual([1, 2, 4, 5, 6, 7, 8, 9, 11, 12, 10]);
  });

  it('comes in pages, by number and by bytes, and never an empty one', async () => {
    expect(numbers(await due({ maxItems: 5 }))).toEqual([1, 2, 3, 4, 5]);
    expect(numbers(await due({ maxBytes: 17 }))).toEqual([1, 2]);
    expect(numbers(await due({ maxBytes: 1 }))).toEqual([1]);
    const seen: number[] = [];
    for (let page = await due({ maxItems: 5 }); page.length > 0; page = await due({ maxItems: 5 })) {
      seen.push(...numbers(page));
      await store(page);
    }
    expect(seen.toSorted((a, b) => a - b)).toEqual(all);
  });

  it('forgets deleted items, and follows transferred ones', async () => {
    await store(await due());
    await sql(`update issues set title = 'Other' where number in (1, 4)`);
    await sql(`delete from issues where number = 1`);
    await sql(`update pull_requests set repository_id = '${repositoryOne}' where number = 2`);
    expect(numbers(await due())).toEqual([4]);
    const where = `where item_id in ('${uuidOf(1)}', '${uuidOf(2)}')`;
    expect(await sql(`select item_id, repository_id from embeddings ${where}`)).toEqual([
      { item_id: uuidOf(2), repository_id: repositoryOne },
    ]);
    await sql('delete from repositories');
    expect(await sql('select * from embeddings')).toEqual([]);
  });

  it('is found without reading the items that are not due', async () => {
    await store(await due());
    await sql(`insert into issues (github_id, repository_id, number, title, body, state, created_at, updated_at)
      select 1000 + n, '${repositoryOne}', 1000 + n, 'One of many ' || n, 'a body', 'open', now(), now()
      from generate_series(1, 20000) n`);
    await sql(`insert into embeddings (item_type, item_id, model, repository_id, content_hash, error)
      select 'issue', id, 'a-model', repository_id, encode(sha256(convert_to(title || E'\n\n' || body, 'UTF8')), 'hex'), 'not now'
      from issues where number > 1000`);
    expect(await due()).toEqual([]);
    await sql('update issues set body = $1 where number between 1001 and 1050', ['changed']);
    await sql('vacuum analyze');
    const client = await database.pool.connect();
    const rowsRead = async (): Promise<number> => {
      const { rows } = await client.query<{ read: number }>(
        `select sum(seq_tup_read + idx_tup_fetch)::integer as read from pg_stat_xact_user_tables
         where relname in ('issues', 'pull_requests', 'discussions', 'embeddings')`,
      );
      return rows[0]?.read ?? NaN;
    };
    try {
      await client.query('begin');
      // So few items would be read as a whole, and rightly so; where there are a million, each is looked up.
      await client.query('set local enable_seqscan = off');
      const before = await rowsRead();
      const { rows } = await client.query(
        `select item_id from list_due_embeddings(null, null, 'a-model', 2048, 3000000)`,
      );
      expect(rows).toHaveLength(50);
      // Each of the fifty a few times.
      expect((await rowsRead()) - before).toBeLessThan(1_000);
      await client.query('rollback');
    } finally {
      client.release();
    }
  }, 60_000);

  it('sees what a capture adds while the repository is met for the first time', async () => {
    const capture = await database.pool.connect();
    await capture.query('begin');
    await capture.query(`insert into issues (github_id, repository_id, number, title, state, created_at, updated_at)
      values (99, '${repositoryOne}', 99, 'Not committed', 'open', now(), now())`);
    const asking = due({ repositoryId: repositoryOne });
    await waitsForLock();
    await capture.query('commit');
    capture.release();
    expect((await asking).map(({ content }) => content)).toContain('Not committed\n\n');
  });
});

async function waitsForLock(): Promise<void> {
  const waiting =
    "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  await expect.poll(async () => (await sql(waiting)).length, { timeout: 20_000 }).toBe(1);
}

describe('vectors', () => {
  const stored = async () =>
    await sql<{ vector: number[] }>('select vector from embeddings order by item_id');

  it('are stored with length 1, whether they come as numbers or as float32 in base64', async () => {
    const [first, second, third] = await due();
    const vector = [0.5, -1.25, 3e-9, 0];
    await store([first!], { vector });
    await store([second!], { vector: toBase64(Float32Array.from(vector)) });
    await store([third!], { vector: toBase64(Float32Array.of(0.6, 0.8)) });
    const [a, b, c] = await stored();
    expect(b).toEqual(a);
    const length = Math.hypot(...vector);
    a?.vector.forEach((number, index) => expect(number).toBeCloseTo(vector[index]! / length, 7));
    expect(c?.vector).toEqual([0.6, 0.8]);
  });

  it.each([
    [
      { vector: 'not base64!' },
      'rows[0].vector: expected an array of numbers or little-endian float32 in base64',
    ],
    [{ vector: 'AAAA' }, 'rows[0].vector: expected an array of numbers or little-endian float32 in base64'],
    [{ vector: ['x'] }, 'rows[0].vector: expected an array of numbers or little-endian float32 in base64'],
    [{ vector: [1, null] }, 'rows[0].vector: expected 1 to 16000 numbers'],
    [{ vector: [] }, 'rows[0].vector: expected 1 to 16000 numbers, got 0'],
    [{}, 'rows[0].vector: expected 1 to 16000 numbers, got none'],
    [{ vector: [0, 0] }, 'rows[0].vector: expected finite numbers that are not all zero'],
    [
      { vector: toBase64(Float32Array.of(1, Infinity)) },
      'rows[0].vector: expected finite numbers that are not all zero',
    ],
    [{ vector: [1], error: 'refused' }, 'rows[0].vector: expected none beside an error'],
    [{ vector: [1], content_hash: 'x' }, `rows[0].content_hash: expected a SHA-256 in hex, got 'x'`],
    [
      { vector: [1], item_type: 'comment' },
      `rows[0].item_type: expected issue, pull_request or discussion, got 'comment'`,
    ],
    [{ vector: [1], item_id: 7 }, `rows[0].item_id: expected a uuid, got '7'`],
    [{ vector: [1], tokens: -1 }, `rows[0].tokens: expected a whole number from 0, got '-1'`],
    [
      { vector: [1], model: 'a b' },
      `rows[0].model: expected a name of 1 to 200 characters without spaces, got 'a b'`,
    ],
  ])('are refused when a row has %j, and none is stored', async (bad, message) => {
    const [first, second] = await due();
    const rows = [
      { ...first, model: 'a-model', ...bad },
      { ...second, model: 'a-model', vector: [1] },
    ];
    const storing = database.rpc('store_embeddings', { rows });
    await expect(storing).rejects.toThrow(message);
    await expect(storing).rejects.toMatchObject({ code: 'PT400' });
    expect(await stored()).toEqual([]);
  });

  it('of items that are gone are left out, and the last of two counts', async () => {
    const [first, second] = await due();
    await sql('delete from issues where number = 1');
    const rows = [first, second, second].map((row, at) => ({
      ...row,
      model: 'a-model',
      vector: at < 2 ? [1, 0] : [0, 1],
    }));
    expect(await database.rpc('store_embeddings', { rows })).toBe(1);
    expect(await stored()).toEqual([{ vector: [0, 1] }]);
  });
});

describe('list_due_embeddings refuses', () => {
  it.each([
    [{ items: {} }, 'items: expected an array of {type, id}, got object'],
    [
      { items: [{ type: 'comment', id: uuidOf(1) }] },
      'items[].type: expected issue, pull_request or discussion',
    ],
    [{ items: [{ type: 'issue', id: '7' }] }, `items[].id: expected a uuid, got '7'`],
    [{ model: '' }, 'model: expected a name'],
    [{ maxItems: 0 }, 'max_items: expected a whole number from 1 to 10000, got 0'],
    [{ maxBytes: 0 }, 'max_bytes: expected a whole number from 1'],
  ])('%j', async (scope, message) => {
    await expect(due(scope)).rejects.toThrow(message);
  });
});
