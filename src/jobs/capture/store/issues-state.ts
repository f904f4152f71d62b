import type { Rpc } from '../../../database/rpc.ts';
import type { CapturePage } from './capture-page.ts';
import type { CaptureState } from './capture-state.ts';
import type { RepositoryReference } from '../payload/repository-reference.ts';

/** How far the issues of a repository, and the comments of one of them, are captured. */
export interface IssuesState extends CaptureState {
  issues: {
    /** Seconds since the last complete capture; null: never. */
    age_seconds: number | null;
    /** Every change up to this time is stored; null: none is. */
    synced_until: string | null;
  } | null;
  issue: {
    /** Seconds since the last complete capture; null: never. */
    comments_age_seconds: number | null;
    /** Later changes are not captured yet; null: nothing is. */
    comments_synced_until: string | null;
    /** Of 100 comments, from the oldest, that are still to be captured. */
    comments_pages_left: number;
  } | null;
}

/** What storing a page tells about the progress of its capture; what is left out stays as it is. */
export interface IssuesProgress {
  issues_synced_until?: string;
  /** Only on the page that completes a capture. */
  issues_synced_at?: string;
  issue?: {
    github_id: number;
    comments_synced_until: string;
    comments_pages_left: number;
    /** Only on the page that completes a capture. */
    comments_synced_at?: string;
  };
}

/** Looks the repository's issues, and one of them when a number is given, up in the database. */
export async function lookUpIssues(
  rpc: Rpc,
  repository: RepositoryReference,
  options: { issueNumber?: number; signal: AbortSignal },
): Promise<IssuesState> {
  const { id, githubId: github_id, owner, name } = repository;
  return await rpc<IssuesState>(
    'get_issues_state',
    { repository: { id, github_id, owner, name }, issue_number: options.issueNumber },
    { signal: options.signal },
  );
}

/**
 * Stores a page and the progress it means in one call, all or nothing.
 * @throws {RpcError} the database refused it: a column that does not exist, or a row whose parent is missing
 */
export async function storeIssuesPage(
  rpc: Rpc,
  page: CapturePage,
  progress: IssuesProgress,
  signal: AbortSignal,
): Promise<void> {
  await rpc('upsert_issues_page', { page, progress }, { signal });
}
