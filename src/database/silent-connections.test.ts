import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Proxy, startProxy } from '../../chaos/system/proxy.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { recordingLogger } from '../../tests/support/recording-logger.ts';
import { createPgRpc } from './pg-rpc.ts';
import { DatabaseUnreachableError, type UncheckedRpc } from './rpc.ts';
import { type SilenceWatch, watchForSilence } from './silent-connections.ts';

const log = recordingLogger();
let database: TestDatabase;
let proxy: Proxy;
let pool: pg.Pool;
let rpc: UncheckedRpc;
let watch: SilenceWatch;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.pool.query(`
    create function add(a integer, b integer) returns integer language sql as 'select a + b';
    create function wait_for_lock() returns void language sql as 'select pg_advisory_xact_lock(7)';
  `);
  const url = new URL(database.url);
  proxy = await startProxy(Number(url.port));
  url.port = String(proxy.port);
  const connection = { connectionString: url.href, application_name: 'a worker' };
  pool = new pg.Pool({ ...connection, max: 2 });
  pool.on('error', () => undefined);
  rpc = createPgRpc(pool);
  watch = watchForSilence({ pool, connection, log, everyMs: 100 });
});
afterAll(async () => {
  watch.stop();
  await pool.end();
  await proxy.close();
  await database.close();
});

test('a call on a connection that carries nothing any more fails long before its time-out; the next one is answered', async () => {
  expect(await rpc('add', { a: 1, b: 2 })).toBe(3);
  proxy.freeze();
  await expect(rpc('add', { a: 1, b: 2 })).rejects.toThrow(DatabaseUnreachableError);
  expect(await rpc('add', { a: 1, b: 2 })).toBe(3);
});

test('a call that the database works on may take its time', async () => {
  const holder = await database.pool.connect();
  await holder.query('select pg_advisory_lock(7)');
  const before = log.records.length;
  const call = rpc('wait_for_lock');
  await vi.waitFor(() => expect(log.records.length).toBeGreaterThan(before + 4), 20_000);
  await holder.query('select pg_advisory_unlock(7)');
  holder.release();
  await expect(call).resolves.toBeNull();
  expect(log.records.slice(before).map(({ level }) => level)).not.toContain('warn');
});
