import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { createPgRpc } from './pg-rpc.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.pool.query(`
    create function add(a integer, b integer default 2) returns integer language sql as 'select a + b';
    create function wait_seconds(seconds integer) returns text language sql as $$ select pg_sleep(seconds)::text $$;
  `);
});
afterAll(async () => await database.close());

async function statements(pool: pg.Pool, pattern: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::integer as count from pg_stat_activity
     where query ~ $1 and state = 'active' and pid <> pg_backend_pid() and datname = current_database()`,
    [pattern],
  );
  return rows[0]?.count ?? 0;
}

test('an aborted statement is cancelled in the server', async () => {
  const controller = new AbortController();
  const call = database.rpc('wait_seconds', { seconds: 3600 }, { signal: controller.signal });
  const rejected = expect(call).rejects.toThrow('stopped');
  await vi.waitFor(async () => expect(await statements(database.pool, 'wait_seconds')).toBe(1), 20_000);
  controller.abort(new Error('stopped'));
  await rejected;
  await vi.waitFor(async () => expect(await statements(database.pool, 'wait_seconds')).toBe(0), 20_000);
});

test('an abort while waiting for a connection rejects at once and costs the pool nothing', async () => {
  const pool = new pg.Pool({ connectionString: database.url, max: 1 });
  const rpc = createPgRpc(pool);
  const taken = await pool.connect();
  const controller = new AbortController();
  const call = rpc('add', { a: 1 }, { signal: controller.signal });
  controller.abort(new Error('stopped'));
  await expect(call).rejects.toThrow('stopped');
  taken.release();
  await expect(rpc('add', { a: 1 })).resolves.toBe(3);
  await pool.end();
});

test('a second call of a function is one statement', async () => {
  const pool = new pg.Pool({ connectionString: database.url, max: 1 });
  const rpc = createPgRpc(pool);
  await rpc('add', { a: 1 });
  const client = await pool.connect();
  const query = vi.spyOn(client, 'query');
  client.release();
  await rpc('add', { a: 2 });
  expect(query).toHaveBeenCalledTimes(1);
  await pool.end();
});

describe('prepared statements', () => {
  async function preparedAfterTwoCalls(prepare: boolean): Promise<number> {
    const pool = new pg.Pool({ connectionString: database.url, max: 1 });
    const rpc = createPgRpc(pool, { prepare });
    expect(await rpc('add', { a: 1 })).toBe(3);
    expect(await rpc('add', { a: 2 })).toBe(4);
    const { rows } = await pool.query('select name from pg_prepared_statements');
    await pool.end();
    return rows.length;
  }

  test('are not used unless asked for, since transaction poolers break them', async () => {
    expect(await preparedAfterTwoCalls(false)).toBe(0);
  });

  test('are shared by all calls with the same arguments when asked for', async () => {
    expect(await preparedAfterTwoCalls(true)).toBe(1);
  });
});
