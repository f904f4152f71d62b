import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { Logger } from '../runtime/logger.ts';
import { connect } from './external-database.ts';

const MIGRATIONS = fileURLToPath(new URL('../../supabase/migrations/', import.meta.url));
const ROLES = fileURLToPath(new URL('./roles.sql', import.meta.url));

/** Any constant will do, as long as every start uses the same. */
const LOCK = 727_001;

/**
 * How long a migration waits for a lock. What it waits for, everybody behind it waits for, too: better to let go, and try
 * again once the long transaction of somebody else, or the deadlock with a running queue, is over.
 */
const lockTimeoutMs = 3_000;
const lockTries = 20;
const lockPauseMs = 500;
/** Deadlock detected, lock not available. */
const lockedOut = /^(40P01|55P03)$/;

interface Migration {
  version: string;
  name: string;
  path: string;
}

/**
 * Applies `supabase/migrations/*.sql` in name order, each in its own transaction, where not applied yet; before that
 * the roles of hosted Supabase where they are missing. Applied versions are recorded in the table that the Supabase
 * CLI uses, so `supabase db push` and this function agree. Two of them at once wait for each other.
 * A queue may be at work meanwhile: a migration that does not get its locks is undone and repeated, for a minute.
 *
 * @param url - a direct connection of the database's owner (advisory locks do not survive a transaction pooler)
 * @param folder - of the migrations, for tests
 * @returns the versions applied by this call, in order
 * @throws {Error} that names file and line; the failed file left nothing behind, earlier ones stay applied
 */
export async function migrate(url: string, log: Logger, folder = MIGRATIONS): Promise<string[]> {
  const client = await connect(url);
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    await createRoles(client, log);
    await createHistory(client);
    const applied = await appliedVersions(client);
    const pending = (await listMigrations(folder)).filter(({ version }) => !applied.has(version));
    for (const migration of pending) {
      await applyAmongOthers(client, migration, log);
      log.info({ version: migration.version, name: migration.name }, 'migration applied');
    }
    return pending.map(({ version }) => version);
  } finally {
    await client.end();
  }
}

async function createRoles(client: pg.Client, log: Logger): Promise<void> {
  const { rows } = await client.query<{ missing: boolean }>(
    `select count(*) < 3 as missing from pg_roles where rolname in ('anon', 'authenticated', 'service_role')`,
  );
  if (!rows[0]?.missing) return;
  await inTransaction(client, ROLES, await readFile(ROLES, 'utf8'), async () => {});
  log.info({}, 'roles anon, authenticated and service_role made');
}

async function createHistory(client: pg.Client): Promise<void> {
  await client.query(`
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (version text primary key);
    alter table supabase_migrations.schema_migrations add column if not exists statements text[];
    alter table supabase_migrations.schema_migrations add column if not exists name text;
  `);
}

async function appliedVersions(client: pg.Client): Promise<Set<string>> {
  const { rows } = await client.query<{ version: string }>(
    'select version from supabase_migrations.schema_migrations',
  );
  return new Set(rows.map(({ version }) => version));
}

/** File names are `<version>_<name>.sql`, as the Supabase CLI makes them. */
async function listMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return files.map((file) => {
    const [, version, name] = /^(\d+)_(.+)\.sql$/.exec(file) ?? [];
    if (!version || !name)
      throw new Error(`Migration ${file}: expected a name like 20261122000000_queue.sql`);
    return { version, name, path: join(folder, file) };
  });
}

async function applyAmongOthers(client: pg.Client, migration: Migration, log: Logger): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await apply(client, migration);
    } catch (error) {
      if (tries === lockTries || !isLockedOut(error)) throw error;
      log.warn({ version: migration.version, error: (error as Error).message }, 'migration repeated');
    }
    await sleep(lockPauseMs);
  }
}

function isLockedOut(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof pg.DatabaseError && lockedOut.test(cause.code ?? '');
}

async function apply(client: pg.Client, { version, name, path }: Migration): Promise<void> {
  const sql = await readFile(path, 'utf8');
  await inTransaction(client, path, sql, async () => {
    await client.query(
      'insert into supabase_migrations.schema_migrations (version, statements, name) values ($1, $2, $3)',
      [version, [sql], name],
    );
  });
}

async function inTransaction(
  client: pg.Client,
  path: string,
  sql: string,
  record: () => Promise<void>,
): Promise<void> {
  await client.query(`begin; set local lock_timeout = ${lockTimeoutMs}`);
  try {
    await client.query(sql);
    await record();
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw new Error(`${basename(path)}${place(sql, error)}: ${(error as Error).message}`, { cause: error });
  }
}

/** The line of the file that the server complains about, where it says so. */
function place(sql: string, error: unknown): string {
  if (!(error instanceof pg.DatabaseError) || error.position === undefined) return '';
  return ` line ${sql.slice(0, Number(error.position)).split('\n').length}`;
}
