import type { TestDatabase } from '../support/database.ts';

/** A row with times in ISO 8601, and with other rows named by GitHub's ids. */
export type Row = Record<string, string | number | boolean | null>;

/** Tables that hold what jobs capture, parents first. */
export const capturedTables = [
  'repositories',
  'contributors',
  'pull_requests',
  'issues',
  'reviews',
  'comments',
  'discussions',
  'discussion_comments',
] as const;

/** Columns that say when and how far something was captured, not what GitHub has. */
export const syncTime =
  /_synced_(at|until|since)$|_pages_left$|_cursor$|^pull_request_changes_(from|until)$|_classified_at$|^computed_at$/;

/** Whole tables, each in the order of GitHub's ids, apart from our own ids and the times of captures. */
export type StoredRows = Record<string, Row[]>;

/**
 * All rows of the captured tables. Ids of rows become GitHub's ids, so that two databases compare; times become ISO 8601.
 */
export async function storedRows({ pool }: TestDatabase): Promise<StoredRows> {
  const githubIds = new Map<string, number>();
  const stored: StoredRows = {};
  for (const table of capturedTables) {
    const { rows } = await pool.query<Record<string, unknown>>(`select * from ${table}`);
    for (const row of rows) githubIds.set(String(row.id), Number(row.github_id));
    stored[table] = rows.map((row) => comparable(row, githubIds)).sort(byGitHubId);
  }
  return stored;
}

/** Comments on code and comments of a conversation may share an id. */
export function byGitHubId(a: Row, b: Row): number {
  const byType = String(a.comment_type).localeCompare(String(b.comment_type));
  return Number(a.github_id) - Number(b.github_id) || byType;
}

/** The tables as they are, ids included; only the times of captures are left out. */
export async function snapshot({ pool }: TestDatabase): Promise<unknown> {
  const entries = capturedTables.map(async (table) => {
    const { rows } = await pool.query<Record<string, unknown>>(`select * from ${table} order by id`);
    return [table, rows.map((row) => withoutTimes(row))] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

function withoutTimes(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).filter(([column]) => !syncTime.test(column)));
}

function comparable(row: Record<string, unknown>, githubIds: ReadonlyMap<string, number>): Row {
  const entries = Object.entries(withoutTimes(row)).filter(([column]) => column !== 'id');
  return Object.fromEntries(
    entries.map(([column, value]) => {
      if (value instanceof Date) return [column, value.toISOString()];
      if (column.endsWith('github_id') && value !== null) return [column, Number(value)];
      if (column.endsWith('_id') && value !== null)
        return [column, githubIds.get(value as string) ?? (value as string)];
      return [column, value as Row[string]];
    }),
  );
}

/** Empties the captured tables and the queue. */
export async function clear({ pool }: TestDatabase): Promise<void> {
  await pool.query('truncate repositories, contributors cascade');
  await pool.query('delete from background_jobs');
}
