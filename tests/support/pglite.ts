import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * A database in this process that has the real pgvector, with all migrations applied. It knows one connection only: what
 * several do at once cannot be tested on it.
 */
export async function createPglite(): Promise<PGlite> {
  const database = await PGlite.create({ extensions: { vector } });
  await database.exec(await readFile(join(root, 'src/local/roles.sql'), 'utf8'));
  const folder = join(root, 'supabase/migrations');
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort())
    await database.exec(await readFile(join(folder, file), 'utf8'));
  return database;
}
