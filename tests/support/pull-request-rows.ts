import type { PullRequest } from '../../src/local/github/data/records.ts';
import type { TestDatabase } from './database.ts';

/** What REST's lists leave out. */
export const columnsOfDetails = ['additions', 'deletions', 'changed_files', 'commits', 'merged_by'];

/** The stored pull requests with the names of their people, without our ids and the times of captures. */
export async function pullRequestRows({ pool }: TestDatabase): Promise<object[]> {
  const { rows } = await pool.query<object>(
    `select pull.github_id::text, number, title, body, state, draft, merged, base_branch, head_branch, head_sha,
       additions, deletions, changed_files, commits, html_url, created_at, updated_at, closed_at, merged_at,
       author.username as author, author.is_bot as by_bot, merger.username as merged_by
     from pull_requests pull
     left join contributors author on author.id = pull.author_id
     left join contributors merger on merger.id = pull.merged_by_id
     order by number`,
  );
  return rows;
}

/** What `pullRequestRows` should hold of a pull request. */
export function truePullRequest(pull: PullRequest, fullName: string): object {
  const time = (text: string | null): Date | null => (text === null ? null : new Date(text));
  return {
    github_id: String(pull.databaseId),
    number: pull.number,
    title: pull.title,
    body: pull.body || null,
    state: pull.state === 'OPEN' ? 'open' : 'closed',
    draft: pull.isDraft,
    merged: pull.state === 'MERGED',
    base_branch: pull.baseRefName,
    head_branch: pull.headRefName,
    head_sha: pull.headRefOid,
    additions: pull.additions,
    deletions: pull.deletions,
    changed_files: pull.changedFiles,
    commits: pull.commits,
    html_url: `https://github.com/${fullName}/pull/${pull.number}`,
    created_at: time(pull.createdAt),
    updated_at: time(pull.updatedAt),
    closed_at: time(pull.closedAt),
    merged_at: time(pull.mergedAt),
    author: pull.author?.login ?? null,
    by_bot: pull.author && pull.author.type === 'Bot',
    merged_by: pull.mergedBy?.login ?? null,
  };
}
