import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../src/local/migrate.ts';
import { startPostgres, type PostgresServer } from '../src/local/postgres.ts';
import { createTestDatabase, type TestDatabase } from './support/database.ts';
import { memoryFolder } from './support/memory-folder.ts';
import { silentLogger } from './support/silent-logger.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const postgres15 = join(root, 'node_modules/postgres-15-linux-x64/native/bin');

/** Postgres 15 comes from an optional package that exists for Linux on x64 only. */
const hasPostgres15 = process.platform === 'linux' && process.arch === 'x64';
const servers = [
  { version: '17', binaries: undefined },
  ...(hasPostgres15 ? [{ version: '15', binaries: postgres15 }] : []),
];

/**
 * What hosted Supabase brings: its roles, and an owner `postgres` that is no superuser and whose new objects in schema
 * public are open to all three roles. The owner is called otherwise here, for the superuser has that name.
 */
const HOSTED_ROLES = `
  create role hosted_owner login createrole createdb bypassrls password 'hosted';
  grant anon, authenticated, service_role to hosted_owner with admin option;`;
const HOSTED_DATABASE = `
  grant usage on schema public to anon, authenticated, service_role;
  alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
  alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
  alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;`;

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return rows;
  } finally {
    await client.end();
  }
}

/** The first column of every row. */
async function list(url: string, text: string): Promise<unknown[]> {
  return (await query(url, text)).map((row) => Object.values(row)[0]);
}

async function versionsOfFiles(): Promise<string[]> {
  const files = await readdir(join(root, 'supabase/migrations'));
  return files
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.split('_')[0] ?? '')
    .sort();
}

const RECORDED = 'select version from supabase_migrations.schema_migrations order by version';
const ROLES = `select rolname, rolcanlogin, rolbypassrls from pg_roles
  where rolname in ('anon', 'authenticated', 'service_role') order by rolname`;

/** Our functions in schema public; those of extensions are not ours. */
const OUR_FUNCTIONS = `
  from pg_proc as p
  where p.pronamespace = 'public'::regnamespace
    and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')`;

function describeAccess(url: () => string): void {
  test('there are functions, tables and views to speak of', async () => {
    expect((await list(url(), `select p.oid ${OUR_FUNCTIONS}`)).length).toBeGreaterThan(20);
    expect(
      await list(url(), `select 1 from pg_class where relname = 'background_jobs' and relkind = 'r'`),
    ).toEqual([1]);
  });

  const executable = (role: string): string =>
    `select p.oid::regprocedure::text ${OUR_FUNCTIONS} and has_function_privilege('${role}', p.oid, 'execute') order by 1`;

  test.each(['anon', 'public'])('%s may execute none of our functions', async (role) => {
    expect(await list(url(), executable(role))).toEqual([]);
  });

  test('authenticated may execute those that ask who is signed in, and whether an operator is', async () => {
    const own = ['get_signed_in_user()', 'start_analysis(uuid)'];
    const operators = await list(
      url(),
      `select p.oid::regprocedure::text ${OUR_FUNCTIONS} and p.prosrc like '%job_queue.require_operator()%' order by 1`,
    );
    expect(operators.length).toBeGreaterThan(15);
    expect(await list(url(), executable('authenticated'))).toEqual([...own, ...operators].sort());
  });

  test.each(['anon', 'authenticated'])('%s may enter no schema of ours but public', async (role) => {
    const open = `select nspname from pg_namespace
      where nspname !~ '^(pg_|information_schema$|public$)' and has_schema_privilege('${role}', oid, 'usage')`;
    expect(await list(url(), open)).toEqual([]);
  });

  test('anon may touch no table, view or sequence', async () => {
    const open = `select oid::regclass::text from pg_class
      where relnamespace = 'public'::regnamespace and case relkind
        when 'S' then has_sequence_privilege('anon', oid, 'usage,select,update')
        when 'r' then has_table_privilege('anon', oid, 'select,insert,update,delete,truncate,references,trigger')
          or has_any_column_privilege('anon', oid, 'select,insert,update,references')
        when 'v' then has_table_privilege('anon', oid, 'select,insert,update,delete,truncate,references,trigger')
        else false end`;
    expect(await list(url(), open)).toEqual([]);
  });

  test('row level security is on for every table of schema public', async () => {
    const open = `select oid::regclass::text from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relrowsecurity`;
    expect(await list(url(), open)).toEqual([]);
  });

  test('every view runs with the rights of who reads it', async () => {
    const open = `select oid::regclass::text from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'v'
        and not coalesce(reloptions && '{security_invoker=true,security_invoker=on}', false)`;
    expect(await list(url(), open)).toEqual([]);
  });

  test('every function has a comment and a fixed search path', async () => {
    const bare = `select p.oid::regprocedure::text ${OUR_FUNCTIONS} and obj_description(p.oid, 'pg_proc') is null`;
    expect(await list(url(), bare)).toEqual([]);
    const loose = `select p.oid::regprocedure::text ${OUR_FUNCTIONS}
      and not exists (select from unnest(p.proconfig) as setting where setting like 'search_path=%')`;
    expect(await list(url(), loose)).toEqual([]);
  });
}

describe.each(servers)('on Postgres $version', ({ version, binaries }) => {
  let server: PostgresServer;
  let dataDir: string;

  beforeAll(async () => {
    dataDir = join(memoryFolder(), `migrations-test-${process.pid}-${version}`);
    const settings = { fsync: 'off' };
    server = await startPostgres({ dataDir, binaries, persistent: false, log: silentLogger, settings });
  });
  afterAll(async () => await server.stop());

  test('it is that version', async () => {
    expect(await list(server.url, 'show server_version_num')).toEqual([expect.stringMatching(`^${version}`)]);
  });

  describe('a bare database', () => {
    let applied: string[];

    beforeAll(async () => {
      applied = await migrate(server.url, silentLogger);
    });

    test('gets every migration, in order', async () => {
      expect(applied).toEqual(await versionsOfFiles());
      expect(await list(server.url, RECORDED)).toEqual(applied);
    });

    test('gets the roles of hosted Supabase', async () => {
      expect(await query(server.url, ROLES)).toEqual([
        { rolname: 'anon', rolcanlogin: false, rolbypassrls: false },
        { rolname: 'authenticated', rolcanlogin: false, rolbypassrls: false },
        { rolname: 'service_role', rolcanlogin: false, rolbypassrls: true },
      ]);
    });

    test('gets nothing the second time', async () => {
      expect(await migrate(server.url, silentLogger)).toEqual([]);
    });

    describeAccess(() => server.url);
  });

  describe('a hosted database, where the roles exist and the owner is no superuser', () => {
    let url: string;
    let applied: string[];

    beforeAll(async () => {
      await query(server.url, HOSTED_ROLES);
      await query(server.url, 'create database hosted owner hosted_owner');
      const hosted = new URL(server.url);
      Object.assign(hosted, { username: 'hosted_owner', password: 'hosted', pathname: '/hosted' });
      url = hosted.href;
      await query(url, HOSTED_DATABASE);
      applied = await migrate(url, silentLogger);
    });

    test('gets every migration, in order, and nothing the second time', async () => {
      expect(applied).toEqual(await versionsOfFiles());
      expect(await migrate(url, silentLogger)).toEqual([]);
    });

    describeAccess(() => url);
  });
});

describe('migrate', () => {
  let database: TestDatabase;
  let folder: string;

  beforeEach(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'migrations-'));
  });
  afterEach(async () => {
    await database.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function write(file: string, sql: string): Promise<void> {
    await writeFile(join(folder, file), sql);
  }

  test('applies what is new, in the order of the names', async () => {
    await write('20300101000000_first.sql', 'create table first (id integer); insert into first values (1);');
    expect(await migrate(database.url, silentLogger, folder)).toEqual(['20300101000000']);
    await write('20300102000000_third.sql', 'alter table first add column third integer;');
    await write('20300101500000_second.sql', 'alter table first add column second integer;');
    expect(await migrate(database.url, silentLogger, folder)).toEqual(['20300101500000', '20300102000000']);
    expect(await query(database.url, 'select * from first')).toEqual([{ id: 1, second: null, third: null }]);
  });

  test('records what the Supabase CLI records', async () => {
    await write('20300101000000_a_name.sql', 'create table a (id integer);');
    await migrate(database.url, silentLogger, folder);
    const recorded = `select version, name, statements from supabase_migrations.schema_migrations where version ~ '^2030'`;
    const statements = ['create table a (id integer);'];
    expect(await query(database.url, recorded)).toEqual([
      { version: '20300101000000', name: 'a_name', statements },
    ]);
  });

  test('says in which file and line a migration failed, and undoes that file alone', async () => {
    await write('20300101000000_good.sql', 'create table good (id integer);');
    await write(
      '20300102000000_bad.sql',
      'create table bad (id integer);\n\nselect no_such_column\n  from bad;\n',
    );
    await expect(migrate(database.url, silentLogger, folder)).rejects.toThrow(
      '20300102000000_bad.sql line 3: column "no_such_column" does not exist',
    );
    const [tables] = await query(
      database.url,
      `select to_regclass('good')::text as good, to_regclass('bad')::text as bad`,
    );
    expect(tables).toEqual({ good: 'good', bad: null });
  });

  test('refuses a file whose name says no version', async () => {
    await write('queue.sql', 'select 1');
    await expect(migrate(database.url, silentLogger, folder)).rejects.toThrow(
      'Migration queue.sql: expected a name',
    );
  });

  test('started five times at once applies everything once', async () => {
    await write('20300101000000_slow.sql', 'create table slow (id integer); select pg_sleep(0.1);');
    const starts = Array.from({ length: 5 }, () => migrate(database.url, silentLogger, folder));
    expect((await Promise.all(starts)).flat()).toEqual(['20300101000000']);
  });
});
