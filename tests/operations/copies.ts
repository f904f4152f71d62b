import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { memoryFolder } from '../support/memory-folder.ts';

const run = promisify(execFile);

/**
 * Copies the files of a running server.
 * @param start - and `stop`: the statements of the runbook that frame the copy
 */
export async function copyFiles(
  url: string,
  { start, stop, from, to }: { start: string; stop: string; from: string; to: string },
): Promise<void> {
  const session = new pg.Client({ connectionString: url });
  await session.connect();
  try {
    await session.query(start);
    await run('cp', ['-a', from, to]).catch(tolerateVanished);
    const { rows } = await session.query<{ labelfile: string }>(stop);
    await rm(join(to, 'pg_wal'), { recursive: true });
    await run('cp', ['-a', join(from, 'pg_wal'), join(to, 'pg_wal')]);
    const label = join(to, 'backup_label');
    await writeFile(label, rows[0]?.labelfile ?? '');
    const { uid, gid } = await stat(to);
    await chown(label, uid, gid);
    for (const file of ['postmaster.pid', 'started-by.pid']) await rm(join(to, file), { force: true });
  } finally {
    await session.end();
  }
}

/** A server removes its scratch files as it goes on; nothing else may be missing. */
function tolerateVanished(error: unknown): void {
  const lines = String((error as { stderr?: unknown }).stderr)
    .trim()
    .split('\n');
  if (!lines.every((line) => line.includes('No such file or directory'))) throw error;
}

const tablesQuery = `
  select format('%I.%I', n.nspname, c.relname) as name
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and n.nspname !~ '^(pg_|information_schema$|supabase_migrations$|graphile_worker$)'
  order by 1`;

/**
 * Copies the rows of all tables, as they are at one moment, into another migrated database: what a dump and its restore
 * do, without the programs.
 */
export async function copyRows(from: string, to: string): Promise<void> {
  const folder = await mkdtemp(join(memoryFolder(), 'copy-rows-'));
  const [source, target] = [from, to].map((url) => new pg.Client({ connectionString: url })) as [
    pg.Client,
    pg.Client,
  ];
  // Written and read by the server, which may be another user.
  await chmod(folder, 0o777);
  await Promise.all([source.connect(), target.connect()]);
  try {
    await source.query('begin isolation level repeatable read');
    const tables = (await source.query<{ name: string }>(tablesQuery)).rows.map(({ name }) => name);
    // As a restore does it: no trigger takes the rows for somebody's edits.
    await target.query(`set session_replication_role = 'replica'`);
    await target.query(`truncate ${tables.join(', ')}`);
    for (const table of tables) {
      const file = join(folder, table);
      await source.query(`copy ${table} to '${file}'`);
      await target.query(`copy ${table} from '${file}'`);
    }
  } finally {
    await Promise.all([source.end(), target.end()]);
    await rm(folder, { recursive: true });
  }
}
