import type pg from 'pg';

export interface WorkspaceSize {
  repositories: number;
  pullRequests: number;
  /** The pull requests were created evenly over so many days, up to today. */
  days: number;
  reviewsPerPullRequest: number;
  commentsPerPullRequest: number;
  contributors: number;
}

/**
 * Stores repositories with pull requests that were merged up to two weeks after their creation, one in ten excepted, with
 * reviews and comments, all in one workspace; and one repository of the same size outside of it.
 * @returns the workspace, and the repository that it does not have
 */
export async function fillWorkspace(
  pool: pg.Pool,
  size: WorkspaceSize,
  progress: (what: string) => void,
): Promise<{ workspace: string; spare: string }> {
  await pool.query(
    `insert into contributors (github_id, username, account_type, is_bot)
     select n, 'account-' || n, 'User', n % 50 = 0 from generate_series(1, $1::integer) n`,
    [size.contributors],
  );
  const { rows } = await pool.query<{ id: string; github_id: number }>(
    `insert into repositories (github_id, owner, name)
     select n, 'octo', 'repository-' || n from generate_series(1, $1::integer) n returning id, github_id::integer`,
    [size.repositories + 1],
  );
  for (const { id, github_id } of rows) {
    if (github_id % 10 === 0) progress(`filling, repository ${github_id} of ${rows.length}`);
    await fillRepository(pool, id, github_id, size);
  }
  const spare = rows.at(-1)?.id ?? '';
  const workspace = await createWorkspace(pool, spare);
  progress('vacuum and analyze');
  await pool.query('vacuum analyze');
  return { workspace, spare };
}

async function createWorkspace(pool: pg.Pool, spare: string): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(
    `insert into workspaces (name, slug) values ('Benchmark', 'benchmark') returning id`,
  );
  const workspace = rows[0]?.id ?? '';
  await pool.query(
    `insert into workspace_repositories (workspace_id, repository_id)
     select $1, id from repositories where id <> $2`,
    [workspace, spare],
  );
  return workspace;
}

async function fillRepository(pool: pg.Pool, id: string, number: number, size: WorkspaceSize): Promise<void> {
  const each = size.pullRequests / size.repositories;
  await pool.query(
    `insert into pull_requests (github_id, number, repository_id, author_id, title, body, state, merged, base_branch,
       head_branch, created_at, updated_at, merged_at, closed_at)
     select $2::bigint * 1000000 + n, n, $1, (select c.id from contributors c where c.github_id = 1 + (n * 7 + $2) % $5),
            'a title', repeat('a body ', 30), case when n % 10 = 0 then 'open' else 'closed' end, n % 10 > 0, 'main',
            'topic', at, coalesce(merged, at), merged, merged
     from generate_series(1, $3::integer) n,
       lateral (select now() - (n::float / $3) * $4::integer * interval '1 day' as at) c,
       lateral (select case when n % 10 > 0 then least(now(), at + (n % 14) * interval '1 day') end as merged) m`,
    [id, number, each, size.days, size.contributors],
  );
  await pool.query(
    `insert into reviews (github_id, pull_request_id, reviewer_id, state, submitted_at)
     select p.github_id * 10 + n, p.id, (select c.id from contributors c where c.github_id = 1 + (p.number + n) % $3),
            'APPROVED', least(p.updated_at, p.created_at + n * interval '3 hours')
     from pull_requests p, generate_series(1, $2::integer) n where p.repository_id = $1`,
    [id, size.reviewsPerPullRequest, size.contributors],
  );
  await pool.query(
    `insert into comments (github_id, comment_type, pull_request_id, commenter_id, body, created_at, updated_at)
     select p.github_id * 10 + n, 'issue_comment', p.id,
            (select c.id from contributors c where c.github_id = 1 + (p.number * n) % $3), 'a comment', at, at
     from pull_requests p, generate_series(1, $2::integer) n,
       lateral (select least(p.updated_at, p.created_at + n * interval '5 hours') as at) t
     where p.repository_id = $1`,
    [id, size.commentsPerPullRequest, size.contributors],
  );
}
