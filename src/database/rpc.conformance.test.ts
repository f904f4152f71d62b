import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import pg from 'pg';
import { createClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createTestDatabase } from '../../tests/support/database.ts';
import { describeDrivers, testKeys, type OpenDriver } from '../../tests/support/drivers.ts';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { startGateway } from '../local/gateway.ts';
import { createPgRpc } from './pg-rpc.ts';
import { DatabaseUnreachableError, LeaseLostError, RpcError, type UncheckedRpc } from './rpc.ts';
import { createSupabaseClientRpc, createSupabaseRpc } from './supabase-rpc.ts';

const FUNCTIONS = `
  create table pet (id integer primary key, name text, born timestamptz);
  create function add(a integer, b integer default 2) returns integer language sql as 'select a + b';
  create function many(count integer) returns table(rank integer, label text)
    language sql as 'select n, ''row '' || n from generate_series(1, count) as n';
  create function words() returns setof text language sql as $$ values ('one'), ('two') $$;
  create function one_pet(id integer) returns pet
    language sql as $$ select id, 'Ada', timestamptz '2026-02-03 04:05:06.789+00' $$;
  create function nothing_to_say() returns void language sql as 'select 1';
  create function echo(value jsonb) returns jsonb language sql as 'select value';
  create function echo_text(value text) returns text language sql as 'select value';
  create function echo_uuid(value uuid) returns uuid language sql as 'select value';
  create function echo_time(value timestamptz) returns timestamptz language sql as 'select value';
  create function echo_interval(value interval) returns interval language sql as 'select value';
  create function echo_boolean(value boolean) returns boolean language sql as 'select value';
  create function echo_texts(value text[]) returns text[] language sql as 'select value';
  create function is_null(value text) returns boolean language sql as 'select value is null';
  create function big() returns bigint language sql as 'select 9007199254740991';
  create function two_outs(out first integer, out second text) language sql as $$ select 1, 'b' $$;
  create function "Order"("from" text) returns text language sql as 'select "from"';
  create function refuse(code text) returns integer language plpgsql as $$
    begin raise exception 'refused with %', code using errcode = code, detail = 'the detail', hint = 'the hint'; end $$;
  create function forbidden() returns integer language sql as 'select 1';
  revoke execute on function forbidden() from public, anon, authenticated, service_role;
  create function break_a_promise() returns void language sql as 'insert into pet values (1), (1)';
  create function keep_then_fail() returns void language plpgsql as $$
    begin insert into pet values (77); raise exception 'after the insert'; end $$;
  create function wait_seconds(seconds integer) returns text language sql as $$ select pg_sleep(seconds)::text $$;
  create function keep_a_pet(id integer) returns void language sql as 'insert into public.pet values (id)';
  create function die() returns void language sql security definer as 'select pg_terminate_backend(pg_backend_pid())';
`;

const hostileTexts = ['a,b', '"quoted"', 'back\\slash', '{braces}', '', ' ', 'NULL', null, '{"json": [1]}'];

/** What a call answers: title, function, arguments, answer. */
const answers: [string, string, Record<string, unknown>, unknown][] = [
  ['a scalar as its bare value', 'add', { a: 1, b: 4 }, 5],
  ['a set of rows as an array of objects', 'many', { count: 1 }, [{ rank: 1, label: 'row 1' }]],
  ['an empty set as an empty array', 'many', { count: 0 }, []],
  ['a set of scalars as an array of values', 'words', {}, ['one', 'two']],
  ['several OUT arguments as one object', 'two_outs', {}, { first: 1, second: 'b' }],
  ['void as null', 'nothing_to_say', {}, null],
  ['a big integer as a number', 'big', {}, 9007199254740991],
  ['a boolean as a boolean', 'echo_boolean', { value: false }, false],
  ['an interval as text', 'echo_interval', { value: '90 minutes' }, '01:30:00'],
  [
    'a timestamp as ISO 8601',
    'echo_time',
    { value: '2026-02-03T05:05:06+01:00' },
    '2026-02-03T04:05:06+00:00',
  ],
  ['an array of texts as it came', 'echo_texts', { value: hostileTexts }, hostileTexts],
  ['an empty array as an empty array', 'echo_texts', { value: [] }, []],
  ['a null scalar as null', 'echo_text', { value: null }, null],
  ['a function whose names need quotes', 'Order', { from: 'here' }, 'here'],
];

async function failure(call: Promise<unknown>): Promise<RpcError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RpcError);
  return error as RpcError;
}

describeDrivers('the Rpc port', ({ open }) => {
  let driver: OpenDriver;
  let rpc: UncheckedRpc;

  beforeAll(async () => {
    driver = await open();
    rpc = driver.rpc;
    await driver.pool.query(FUNCTIONS);
  });
  afterAll(async () => await driver.close());

  describe('answers', () => {
    test.each(answers)('%s', async (_, name, args, expected) => {
      await expect(rpc(name, args)).resolves.toEqual(expected);
    });

    test('a composite as one object', async () => {
      const pet = { id: 7, name: 'Ada', born: '2026-02-03T04:05:06.789+00:00' };
      await expect(rpc('one_pet', { id: 7 })).resolves.toEqual(pet);
    });

    test('a uuid unchanged', async () => {
      const id = crypto.randomUUID();
      await expect(rpc('echo_uuid', { value: id })).resolves.toBe(id);
    });

    test.each([
      [{ text: 'żółw 🐢 שלום "quoted" \\ \n', deep: [1, 2.5, null, { a: [] }] }],
      [[1, 'two', null]],
      ['a bare string'],
      [42],
      [true],
    ])('jsonb %j as it came', async (value) => {
      await expect(rpc('echo', { value })).resolves.toEqual(value);
    });

    test('2,000 rows whole and in order', async () => {
      const rows = await rpc<{ rank: number }[]>('many', { count: 2000 });
      expect(rows.map(({ rank }) => rank)).toEqual(Array.from({ length: 2000 }, (_, index) => index + 1));
    });
  });

  describe('under a lease', () => {
    async function claim(): Promise<{ jobId: string; leaseToken: string }> {
      await rpc('enqueue_background_jobs', { jobs: [{ type: 'test/lease' }] });
      const claim = { lane: 'edge', worker: 'this test', max_jobs: 1, lease_seconds: 60 };
      const [job] = await rpc<{ id: string; lease_token: string }[]>('claim_background_jobs', claim);
      return { jobId: job!.id, leaseToken: job!.lease_token };
    }

    test.each(answers)('%s', async (_, name, args, expected) => {
      await expect(rpc(name, args, { lease: await claim() })).resolves.toEqual(expected);
    });

    test.each([
      ['a composite', 'one_pet', { id: 7 }],
      ['jsonb', 'echo', { value: { deep: [1, null, { a: [] }] } }],
      ['jsonb null', 'echo', { value: null }],
      ['an argument left out', 'add', { a: 1, b: undefined }],
      ['null', 'is_null', { value: null }],
      ['a bigint', 'echo_text', { value: 12345678901234567890n }],
      ['a Date', 'echo_time', { value: new Date('2026-02-03T04:05:06.789Z') }],
    ])('%s as without one', async (_, name, args) => {
      const answer = await rpc(name, args);
      await expect(rpc(name, args, { lease: await claim() })).resolves.toEqual(answer);
    });

    test('refusals are those of the function', async () => {
      const lease = await claim();
      const refused = async (name: string, args = {}) => await failure(rpc(name, args, { lease }));
      const { code, functionName, message, details, hint } = await refused('refuse', { code: 'PT418' });
      expect({ code, functionName, message, details, hint }).toEqual({
        code: 'PT418',
        functionName: 'refuse',
        message: 'refuse: refused with PT418',
        details: 'the detail',
        hint: 'the hint',
      });
      expect(await refused('no_such_function')).toMatchObject({ code: 'PT400' });
    });

    test('that is lost, nothing changes', async () => {
      const lease = await claim();
      const other = await claim();
      await rpc('hand_off_background_job', { job_id: lease.jobId, lease_token: lease.leaseToken });
      for (const lost of [
        lease,
        { ...lease, leaseToken: other.leaseToken },
        { ...other, jobId: lease.jobId },
      ])
        await expect(rpc('keep_a_pet', { id: 99 }, { lease: lost })).rejects.toThrow(LeaseLostError);
      const { rows } = await driver.pool.query('select from pet where id = 99');
      expect(rows).toEqual([]);
      await rpc('keep_a_pet', { id: 99 }, { lease: other });
      expect((await driver.pool.query('select from pet where id = 99')).rows).toHaveLength(1);
    });

    test('that is lost while the call runs, nothing remains of the call', async () => {
      const lease = await claim();
      const holder = await driver.pool.connect();
      await holder.query('begin; lock table pet in share mode');
      const call = rpc('keep_a_pet', { id: 98 }, { lease }).catch((error: unknown) => error);
      await vi.waitFor(async () => {
        const { rows } = await driver.pool.query('select from pg_locks where not granted');
        expect(rows).toHaveLength(1);
      });
      // It holds up neither a heartbeat nor a hand edit.
      const renewed = { leases: [{ job_id: lease.jobId, lease_token: lease.leaseToken }], lease_seconds: 60 };
      await expect(rpc('heartbeat_background_jobs', renewed)).resolves.toMatchObject([{ state: 'continue' }]);
      await driver.pool.query(`update background_jobs set status = 'failed' where id = $1`, [lease.jobId]);
      await holder.query('rollback');
      holder.release();
      await expect(call).resolves.toBeInstanceOf(LeaseLostError);
      expect((await driver.pool.query('select from pet where id = 98')).rows).toEqual([]);
    });
  });

  describe('arguments', () => {
    test('left out or undefined fall to the default', async () => {
      await expect(rpc('add', { a: 1 })).resolves.toBe(3);
      await expect(rpc('add', { a: 1, b: undefined })).resolves.toBe(3);
    });

    test('null is null, not the default', async () => {
      await expect(rpc('add', { a: 1, b: null })).resolves.toBeNull();
      await expect(rpc('is_null', { value: null })).resolves.toBe(true);
    });

    test('text keeps unicode, quotes and what looks like a number', async () => {
      for (const value of ['żółw 🐢 "q" \'s\' \\', '007', '', 'null', '{"a": 1}']) {
        await expect(rpc('echo_text', { value })).resolves.toBe(value);
      }
    });

    test('a Date becomes a timestamp', async () => {
      const value = new Date('2026-02-03T04:05:06.789Z');
      await expect(rpc('echo_time', { value })).resolves.toBe('2026-02-03T04:05:06.789+00:00');
    });

    test('a bigint keeps all its digits', async () => {
      await expect(rpc('echo_text', { value: 12345678901234567890n })).resolves.toBe('12345678901234567890');
      await expect(rpc('add', { a: 1n })).resolves.toBe(3);
    });

    test('that JSON cannot hold are the caller’s mistake', async () => {
      const value: Record<string, unknown> = {};
      value.self = value;
      await expect(rpc('echo', { value })).rejects.toThrow(TypeError);
    });
  });

  describe('errors', () => {
    test.each([
      ['P0001', 'an exception'],
      ['22P02', 'a malformed value'],
      ['23505', 'a duplicate'],
      ['40001', 'a serialization failure'],
      ['PT400', 'a refusal with a status of its own'],
      ['PT413', 'a refusal of size'],
      ['PT503', 'a refusal that looks like an outage'],
      ['XX000', 'an internal error'],
    ])('%s, %s, arrives with code, message, detail and hint', async (code) => {
      const error = await failure(rpc('refuse', { code }));
      expect(error).toMatchObject({ code, details: 'the detail', hint: 'the hint', functionName: 'refuse' });
      expect(error.message).toBe(`refuse: refused with ${code}`);
    });

    test('a malformed uuid is 22P02', async () => {
      expect((await failure(rpc('echo_uuid', { value: 'no uuid' }))).code).toBe('22P02');
    });

    test('a broken constraint is 23505 and says which key', async () => {
      const error = await failure(rpc('break_a_promise'));
      expect(error).toMatchObject({ code: '23505', details: 'Key (id)=(1) already exists.' });
    });

    test.each([
      ['an unknown function', 'no_such_function', {}, 'public.no_such_function without parameters'],
      ['an unknown argument', 'add', { a: 1, c: 3 }, 'public.add(a, c)'],
      ['a missing argument', 'add', { b: 1 }, 'public.add(b)'],
    ])('%s is PGRST202', async (_, name, args, called) => {
      const error = await failure(rpc(name, args));
      expect(error.code).toBe('PGRST202');
      expect(error.message).toContain(`Could not find the function ${called} in the schema cache`);
    });

    test('a failed call leaves nothing behind', async () => {
      await failure(rpc('keep_then_fail'));
      const { rows } = await driver.pool.query('select * from pet where id = 77');
      expect(rows).toEqual([]);
    });

    test('a function that changes its arguments is found again', async () => {
      await driver.pool.query(
        `create function changing(a integer) returns integer language sql as 'select a'`,
      );
      await expect(rpc('changing', { a: 1 })).resolves.toBe(1);
      await driver.pool.query(
        `drop function changing; create function changing(a text) returns text language sql as 'select a'`,
      );
      await failure(rpc('changing', { a: 'one' }));
      await expect(rpc('changing', { a: 'one' })).resolves.toBe('one');
    });

    test('a connection cut in the middle of a call is an unreachable database, and the next call works', async () => {
      await expect(rpc('die')).rejects.toThrow(DatabaseUnreachableError);
      await expect(rpc('add', { a: 1 })).resolves.toBe(3);
    });
  });

  describe('an abort signal', () => {
    test('that has fired already keeps the call from being sent', async () => {
      const signal = AbortSignal.abort(new Error('stopped'));
      await expect(rpc('add', { a: 1 }, { signal })).rejects.toThrow('stopped');
    });

    test('rejects a running call at once with its reason, and the next call works', async () => {
      const controller = new AbortController();
      const call = rpc('wait_seconds', { seconds: 3600 }, { signal: controller.signal });
      const rejected = expect(call).rejects.toThrow('stopped');
      await vi.waitFor(async () => expect(await running(driver.pool)).toBe(1), { timeout: 20_000 });
      controller.abort(new Error('stopped'));
      await rejected;
      await expect(rpc('add', { a: 1 })).resolves.toBe(3);
    });

    test('does not disturb a call that ended before', async () => {
      const controller = new AbortController();
      await expect(rpc('add', { a: 1 }, { signal: controller.signal })).resolves.toBe(3);
      controller.abort();
      await expect(rpc('add', { a: 2 })).resolves.toBe(4);
    });
  });
});

/** Accepts connections and says nothing. */
async function startMuteServer(): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function running(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::integer as count from pg_stat_activity
     where query ~ 'wait_seconds' and state = 'active' and pid <> pg_backend_pid() and datname = current_database()`,
  );
  return rows[0]?.count ?? 0;
}

describe('an unreachable database', () => {
  const nowhere = 'postgres://postgres:postgres@127.0.0.1:1/postgres';

  test('is told from a refusal by pg', async () => {
    const pool = new pg.Pool({ connectionString: nowhere });
    await expect(createPgRpc(pool)('add')).rejects.toThrow(DatabaseUnreachableError);
    await pool.end();
  });

  test('is told from a refusal by supabase-js when the gateway is gone', async () => {
    const rpc = createSupabaseClientRpc({ url: 'http://127.0.0.1:1', key: testKeys.secret });
    await expect(rpc('add')).rejects.toThrow(DatabaseUnreachableError);
  });

  test('is told from a refusal by supabase-js when the gateway has no database', async () => {
    const gateway = await startGateway({ databaseUrl: nowhere, keys: testKeys, log: silentLogger });
    const rpc = createSupabaseClientRpc({ url: gateway.url, key: testKeys.secret });
    await expect(rpc('add')).rejects.toThrow(DatabaseUnreachableError);
    await gateway.close();
  });

  test.each([502, 503, 504, 522])('is a gateway’s bare %i', async (status) => {
    const answer = () => Promise.resolve(new Response('<html>oops</html>', { status }));
    const rpc = createSupabaseClientRpc({ url: 'http://127.0.0.1:1', key: testKeys.secret, fetch: answer });
    await expect(rpc('add')).rejects.toThrow(DatabaseUnreachableError);
  });

  test('that accepts connections and never answers is one after the pool’s time-out', async () => {
    const mute = await startMuteServer();
    const pool = new pg.Pool({ host: '127.0.0.1', port: mute.port, connectionTimeoutMillis: 200 });
    await expect(createPgRpc(pool)('add')).rejects.toThrow(DatabaseUnreachableError);
    await pool.end();
    mute.close();
  });

  test('is a gateway that accepts connections and never answers, after the client’s time-out', async () => {
    const mute = await startMuteServer();
    const url = `http://127.0.0.1:${mute.port}`;
    const rpc = createSupabaseClientRpc({ url, key: testKeys.secret, timeoutMs: 200 });
    await expect(rpc('add')).rejects.toThrow(DatabaseUnreachableError);
    const reason = new Error('no longer wanted');
    await expect(rpc('add', {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    mute.close();
  });
});

test('an unknown key is refused, not taken for an outage', async () => {
  const gateway = await startGateway({
    databaseUrl: 'postgres://127.0.0.1:1/',
    keys: testKeys,
    log: silentLogger,
  });
  const rpc = createSupabaseClientRpc({ url: gateway.url, key: 'sb_secret_of_somebody_else' });
  expect(await failure(rpc('add'))).toMatchObject({ code: 'HTTP401', message: 'add: Invalid API key' });
  await gateway.close();
});

test('a client that the caller made keeps its own key and role', async () => {
  const database = await createTestDatabase();
  await database.pool.query(`create function who() returns text language sql as 'select current_user'`);
  const gateway = await startGateway({ databaseUrl: database.url, keys: testKeys, log: silentLogger });
  const rpc = createSupabaseRpc(createClient(gateway.url, testKeys.publishable));
  expect(await rpc('who')).toBe('anon');
  await gateway.close();
  await database.close();
});
