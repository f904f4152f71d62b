import pg from 'pg';

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
  databaseUrl: string,
  size: WorkspaceSize,
  progress: (what: string, done?: number) => void,
): Promise<{ workspace: string; spare: string }> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // Filling is not what is measured: no checks, no notes, no waits for the disk.
    await client.query('set session_replication_role = replica');
    await client.query('set synchronous_commit = off');
    return await fill(client, size, progress);
  } finally {
    await client.end();
  }
}

async function fill(client: pg.Client, size: WorkspaceSize, progress: (what: string, done?: number) => void) {
  const people = await client.query<{ id: string }>(
    `insert into contributors (github_id, username, account_type, is_bot)
     select n, 'account-' || n, 'User', n % 50 = 0 from generate_series(1, $1::integer) n returning id`,
    [size.contributors],
  );
  const { rows } = await client.query<{ id: string; n: number }>(
    `insert into repositories (github_id, owner, name)
     select n, 'octo', 'repository-' || n from generate_series(1, $1::integer) n returning id, github_id::integer as n`,
    [size.repositories + 1],
  );
  const ids = people.rows.map(({ id }) => id);
  for (const { id, n } of rows) {
    if (n % 10 === 0) progress(`filling, repository ${n} of ${rows.length}`, n / rows.length);
    await fillRepository(client, id, n, ids, size);
  }
  const spare = rows.at(-1)?.id ?? '';
  const workspace = await createWorkspace(client, spare);
  progress('vacuum and analyze');
  await client.query('vacuum analyze');
  return { workspace, spare };
}

async function createWorkspace(client: pg.Client, spare: string): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `insert into workspaces (name, slug) values ('Benchmark', 'benchmark') returning id`,
  );
  const workspace = rows[0]?.id ?? '';
  await client.query(
    `insert into workspace_repositories (workspace_id, repository_id)
     select $1, id from repositories where id <> $2`,
    [workspace, spare],
  );
  return workspace;
}

async function fillRepository(
  client: pg.Client,
  id: string,
  number: number,
  people: readonly string[],
  size: WorkspaceSize,
): Promise<void> {
  await client.query(
    `with pull as (
       insert into pull_requests (github_id, number, repository_id, author_id, title, body, state, merged, base_branch,
         head_branch, created_at, updated_at, merged_at, closed_at)
       select $2::bigint * 1000000 + n, n, $1, ($5::uuid[])[1 + (n * 7 + $2::integer) % cardinality($5)],
              'a title', repeat('a body ', 30), case when n % 10 = 0 then 'open' else 'closed' end, n % 10 > 0, 'main',
              'topic', at, coalesce(merged, at), merged, merged
       from generate_series(1, $3::integer) n,
         lateral (select now() - (n::float / $3::integer) * $4::integer * interval '1 day' as at) c,
         lateral (select case when n % 10 > 0 then least(now(), at + (n % 14) * interval '1 day') end as merged) m
       returning id, github_id, number, created_at, updated_at
     ), review as (
       insert into reviews (github_id, pull_request_id, reviewer_id, state, body, submitted_at)
       select p.github_id * 10 + n, p.id, ($5::uuid[])[1 + (p.number + n) % cardinality($5)], 'APPROVED', 'a review',
              least(p.updated_at, p.created_at + n * interval '3 hours')
       from pull p, generate_series(1, $6::integer) n
     )
     insert into comments (github_id, comment_type, pull_request_id, commenter_id, body, created_at, updated_at)
     select p.github_id * 10 + n, 'issue_comment', p.id, ($5::uuid[])[1 + (p.number * n) % cardinality($5)],
            'a comment', t.at, t.at
     from pull p, generate_series(1, $7::integer) n,
       lateral (select least(p.updated_at, p.created_at + n * interval '5 hours') as at) t`,
    [
      ...[id, number, size.pullRequests / size.repositories, size.days, people],
      ...[size.reviewsPerPullRequest, size.commentsPerPullRequest],
    ],
  );
}
