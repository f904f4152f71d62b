import type pg from 'pg';
import type { Account, Pull } from './workspace-truth.ts';

type Client = Pick<pg.ClientBase, 'query'>;

export async function storeAccount(client: Client, githubId: number, isBot = false): Promise<Account> {
  const { rows } = await client.query<{ id: string }>(
    `insert into contributors (github_id, username, account_type, is_bot)
     values ($1, $2, $3, $4) returning id`,
    [githubId, `account-${githubId}`, isBot ? 'Bot' : 'User', isBot],
  );
  return { id: rows[0]?.id ?? '', isBot };
}

export async function storeWorkspace(
  client: Client,
  slug: string,
  owner: string | null = null,
): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    'insert into workspaces (name, slug, owner_id) values ($1, $1, $2) returning id',
    [slug, owner],
  );
  return rows[0]?.id ?? '';
}

export async function addRepository(client: Client, workspace: string, repository: string): Promise<void> {
  await client.query(
    'insert into workspace_repositories (workspace_id, repository_id) values ($1, $2) on conflict do nothing',
    [workspace, repository],
  );
}

/** Stores a pull request as a capture leaves it, over an earlier state of it; GitHub moves `updated_at` with every event. */
export async function storePull(
  client: Client,
  pull: Pull,
  githubId: number,
  repositoryId: string,
): Promise<void> {
  const { author, createdAt, mergedAt, closedAt, reviews, comments } = pull;
  const happened = [createdAt, mergedAt, closedAt, ...[...reviews, ...comments].map(({ at }) => at)];
  const updatedAt = new Date(Math.max(...happened.map((time) => time?.getTime() ?? 0)));
  await client.query(
    `insert into pull_requests as known (github_id, number, repository_id, author_id, title, state, merged, base_branch,
       head_branch, created_at, updated_at, merged_at, closed_at)
     values ($1::bigint, $1::bigint, $2, $3, 'a title', $4, $5, 'main', 'topic', $6, $7, $8, $9)
     on conflict (github_id) do update set state = excluded.state, merged = excluded.merged,
       updated_at = excluded.updated_at, merged_at = excluded.merged_at, closed_at = excluded.closed_at
       where (known.updated_at, known.closed_at) is distinct from (excluded.updated_at, excluded.closed_at)`,
    [
      githubId,
      repositoryId,
      author?.id ?? null,
      closedAt ? 'closed' : 'open',
      mergedAt !== null,
      ...[createdAt, updatedAt, mergedAt, closedAt],
    ],
  );
  const { rows } = await client.query<{ id: string }>('select id from pull_requests where github_id = $1', [
    githubId,
  ]);
  const id = rows[0]?.id;
  for (const [n, { by, at }] of reviews.entries())
    await client.query(
      `insert into reviews (github_id, pull_request_id, reviewer_id, state, submitted_at)
       values ($1, $2, $3, 'COMMENTED', $4) on conflict do nothing`,
      [githubId * 1000 + n, id, by?.id ?? null, at],
    );
  for (const [n, { by, at }] of comments.entries())
    await client.query(
      `insert into comments (github_id, comment_type, pull_request_id, commenter_id, created_at, updated_at)
       values ($1, 'issue_comment', $2, $3, $4, $4) on conflict do nothing`,
      [githubId * 1000 + n, id, by?.id ?? null, at],
    );
}
