import type { TestDatabase } from './database.ts';

/** Stores a repository that was never synced, and returns its id. */
export async function storeRepository(
  { pool }: TestDatabase,
  fullName: string,
  githubId: number,
): Promise<string> {
  const [owner, name] = fullName.split('/');
  const { rows } = await pool.query<{ id: string }>(
    'insert into repositories (github_id, owner, name) values ($1, $2, $3) returning id',
    [githubId, owner, name],
  );
  return rows[0]?.id ?? '';
}
