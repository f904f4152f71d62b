import { join } from 'node:path';
import type { EnvRecord } from '../runtime/config-reader.ts';
import type { Logger } from '../runtime/logger.ts';
import { connect, externalDatabaseUrl, withoutPassword } from './external-database.ts';
import { migrate } from './migrate.ts';
import { startPostgres } from './postgres.ts';
import type { StackPart } from './stack-state.ts';

export interface StackDatabase {
  url: string;
  part: StackPart;
  stop(): Promise<void>;
}

/**
 * The stack's database: the one that `DATABASE_URL` names, else an embedded Postgres with its data in `dataDir`.
 * A database that is not ours is migrated only when that was asked for.
 *
 * @throws {Error} the named database cannot be reached, or lacks the queue's schema and may not be migrated
 */
export async function openDatabase(options: {
  env: EnvRecord;
  dataDir: string;
  mayMigrate: boolean;
  log: Logger;
}): Promise<StackDatabase> {
  const { env, dataDir, log } = options;
  const external = externalDatabaseUrl(env);
  if (external) {
    if (options.mayMigrate) await migrate(external, log);
    else await assertSchema(external);
    const part = { name: 'Database', where: withoutPassword(external), note: 'yours, from DATABASE_URL' };
    return { url: external, part, stop: () => Promise.resolve() };
  }
  const folder = join(dataDir, 'postgres');
  const server = await startPostgres({ dataDir: folder, port: 54322, persistent: true, log });
  try {
    await migrate(server.url, log);
  } catch (error) {
    await server.stop();
    throw error;
  }
  const part = { name: 'Postgres 17', where: server.url, note: `data is kept in ${folder}` };
  return { url: server.url, part, stop: () => server.stop() };
}

async function assertSchema(url: string): Promise<void> {
  const client = await connect(url);
  try {
    const { rows } = await client.query<{ ready: boolean }>(
      `select to_regclass('public.background_jobs') is not null as ready`,
    );
    if (!rows[0]?.ready)
      throw new Error(
        `${withoutPassword(url)} has no table background_jobs: start with --migrate to apply supabase/migrations there`,
      );
  } finally {
    await client.end();
  }
}
