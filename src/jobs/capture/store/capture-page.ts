import type { Rpc } from '../../../database/rpc.ts';
import type { TableRow } from './table-row.ts';

/** One page of captured rows. Keys are columns; `…_github_id` names a row of another table by GitHub's id. */
export interface CapturePage {
  /** The `as_of` of the look into the database before the fetch: older pages never overwrite newer ones. */
  fetched_at: string;
  /** Or only the id of one that the database knows. */
  repository: TableRow<'repositories', RepositoryRow> | Pick<RepositoryRow, 'github_id'>;
  contributors: TableRow<'contributors', ContributorRow>[];
  pull_requests?: (
    | TableRow<'pull_requests', PullRequestRow>
    | TableRow<'pull_requests', ListedPullRequestRow>
    | TableRow<'pull_requests', SyncedPullRequest>
  )[];
  issues?: TableRow<'issues', IssueRow>[];
  reviews?: TableRow<'reviews', ReviewRow>[];
  comments?: TableRow<'comments', CommentRow>[];
}

export interface RepositoryRow {
  github_id: number;
  owner: string;
  name: string;
  description: string | null;
  private: boolean;
  fork: boolean;
  archived: boolean;
  default_branch: string | null;
  language: string | null;
  stargazers_count: number;
  html_url: string;
  created_at: string | null;
  updated_at: string | null;
  pushed_at: string | null;
  /** Only on the page that completes a capture of the newest pull requests. */
  pull_requests_synced_at?: string;
}

export interface ContributorRow {
  github_id: number;
  username: string;
  account_type: string;
  is_bot: boolean;
  avatar_url: string;
}

export interface PullRequestRow {
  github_id: number;
  author_github_id: number | null;
  merged_by_github_id: number | null;
  number: number;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  draft: boolean;
  merged: boolean;
  base_branch: string;
  head_branch: string;
  head_sha: string;
  additions: number;
  deletions: number;
  changed_files: number;
  commits: number;
  html_url: string;
  created_at: string;
  updated_at: string;
  closed_at: string | null;
  merged_at: string | null;
  /** Only on the page that has all its reviews and comments. */
  details_synced_at?: string;
}

/** A pull request as REST lists it. What lists leave out stays in the database as it is. */
export type ListedPullRequestRow = Omit<
  PullRequestRow,
  'merged_by_github_id' | 'additions' | 'deletions' | 'changed_files' | 'commits'
>;

/** A pull request that the database knows, on the page that has the last of its reviews or comments. */
export interface SyncedPullRequest {
  github_id: number;
  details_synced_at?: string;
  reviews_synced_at?: string;
  comments_synced_at?: string;
}

export interface IssueRow {
  github_id: number;
  author_github_id: number | null;
  number: number;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  state_reason: string | null;
  html_url: string;
  created_at: string;
  updated_at: string;
  closed_at: string | null;
}

export interface ReviewRow {
  github_id: number;
  pull_request_github_id: number;
  reviewer_github_id: number | null;
  state: string;
  body: string | null;
  commit_sha: string | null;
  html_url: string;
  submitted_at: string | null;
}

export interface CommentRow {
  github_id: number;
  comment_type: 'review_comment' | 'issue_comment';
  /** Of a comment, exactly one of this and `issue_github_id` is given. */
  pull_request_github_id?: number;
  issue_github_id?: number;
  commenter_github_id: number | null;
  in_reply_to_github_id: number | null;
  review_github_id: number | null;
  body: string | null;
  path: string | null;
  line: number | null;
  html_url: string;
  created_at: string;
  updated_at: string;
}

/**
 * Stores the page in one call, all or nothing. Storing it twice changes no row but its `…_synced_at` times.
 * @throws {RpcError} the database refused it: a column that does not exist, or a row whose parent is missing
 */
export async function storePage(rpc: Rpc, page: CapturePage, signal: AbortSignal): Promise<void> {
  await rpc('upsert_capture_page', { page }, { signal });
}
