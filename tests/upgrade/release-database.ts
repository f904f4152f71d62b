import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { migrate } from '../../src/local/migrate.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { filesUpTo } from './releases.ts';

const migrations = fileURLToPath(new URL('../../supabase/migrations/', import.meta.url));

export interface ReleaseDatabase extends TestDatabase {
  /** Applies the migrations since the release, as `supabase db push` does while everything goes on. */
  upgrade(): Promise<void>;
}

/** Applies the migrations up to and with this version. */
export async function migrateUpTo(url: string, version: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'release-'));
  try {
    for (const file of filesUpTo(version)) await symlink(join(migrations, file), join(folder, file));
    await migrate(url, silentLogger, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A database whose newest migration is that of a release. */
export async function createReleaseDatabase(version: string): Promise<ReleaseDatabase> {
  const database = await createEmptyDatabase();
  await migrateUpTo(database.url, version);
  return { ...database, upgrade: async () => void (await migrate(database.url, silentLogger)) };
}
