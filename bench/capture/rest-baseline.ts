import type pg from 'pg';
import type { GitHub } from '../../src/github/github.ts';
import type { ContributorRow, PullRequestRow } from '../../src/jobs/capture/store/capture-page.ts';
import { ContributorRows } from '../../src/jobs/capture/rows/contributor-rows.ts';
import { pullRequestFromRest, repositoryFromRest } from '../../src/jobs/capture/rows/rows-from-rest.ts';

/**
 * The same 100 pull requests as people write it by hand: list them, get each with a request of its own (the list lacks
 * additions, commits and who merged), and write each row with a statement of its own, one after the other. It is spared
 * what it would do badly: each contributor is written once, and there is neither a queue nor a checkpoint.
 *
 * @returns the number of SQL statements
 */
export async function captureOneByOne(
  { rest }: GitHub,
  pool: pg.Pool,
  { owner, repo }: { owner: string; repo: string },
): Promise<number> {
  const known = new Map<number, string>();
  let statements = 0;
  const upsert = async (table: string, row: object): Promise<string> => {
    statements += 1;
    return await upsertRow(pool, table, row);
  };
  const idOf = async (githubId: number | null, rows: ContributorRow[]): Promise<string | null> => {
    if (githubId === null) return null;
    const row = rows.find(({ github_id }) => github_id === githubId);
    const id = known.get(githubId) ?? (await upsert('contributors', row ?? {}));
    known.set(githubId, id);
    return id;
  };
  const list = { owner, repo, state: 'all', sort: 'created', direction: 'desc', per_page: 100 } as const;
  const { data: listed } = await rest.pulls.list(list);
  let repositoryId: string | undefined;
  for (const { number } of listed) {
    const { data: pull } = await rest.pulls.get({ owner, repo, pull_number: number });
    repositoryId ??= await upsert('repositories', repositoryFromRest(pull.base.repo));
    const contributors = new ContributorRows();
    const row = pullRequestFromRest(pull, contributors);
    const author_id = await idOf(row.author_github_id, contributors.all());
    const merged_by_id = await idOf(row.merged_by_github_id, contributors.all());
    await upsert('pull_requests', {
      ...columnsOf(row),
      repository_id: repositoryId,
      author_id,
      merged_by_id,
    });
  }
  return statements;
}

function columnsOf({ author_github_id: _, merged_by_github_id: __, ...columns }: PullRequestRow): object {
  return columns;
}

async function upsertRow(pool: pg.Pool, table: string, row: object): Promise<string> {
  const columns = Object.keys(row);
  const { rows } = await pool.query<{ id: string }>(
    `insert into ${table} (${columns.join(', ')}) values (${columns.map((_, n) => `$${n + 1}`).join(', ')})
     on conflict (github_id) do update set ${columns.map((name) => `${name} = excluded.${name}`).join(', ')}
     returning id`,
    Object.values(row) as unknown[],
  );
  return rows[0]?.id ?? '';
}
