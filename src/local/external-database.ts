import pg from 'pg';
import { ConfigError, type EnvRecord } from '../runtime/config-reader.ts';

const names = ['SUPABASE_DB_URL', 'DATABASE_URL'] as const;

/**
 * The database that the environment names; null when it names none.
 * @throws {ConfigError} the variable holds no postgres:// URL
 */
export function externalDatabaseUrl(env: EnvRecord): string | null {
  const name = names.find((candidate) => env[candidate]);
  const url = name && env[name];
  if (!url) return null;
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    throw new ConfigError(`${name}: expected a postgres:// URL, got something else (not shown)`);
  return url;
}

/** @throws {Error} names the database, without its password; the cause is the driver's error */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return client;
  } catch (cause) {
    throw new Error(`cannot connect to ${withoutPassword(url)}`, { cause });
  }
}

export function withoutPassword(url: string): string {
  const shown = new URL(url);
  if (shown.password) shown.password = '***';
  return shown.href;
}
