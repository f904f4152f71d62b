import type { Rpc } from '../../../database/rpc.ts';
import type { ContributorRow, RepositoryRow } from './capture-page.ts';
import type { CaptureState } from './capture-state.ts';
import type { RepositoryReference } from '../payload/repository-reference.ts';
import type { TableRow } from './table-row.ts';

/** How far the discussions of a repository are captured. */
export interface DiscussionsState extends CaptureState {
  /** Null for an unknown repository. */
  discussions: {
    /** Whether `tracked_repositories` says that they are to be captured. */
    switched_on: boolean;
    /** Seconds since the last complete capture; null: never. */
    age_seconds: number | null;
    /** GitHub's cursor behind which the next capture goes on; null: it begins at the beginning. */
    cursor: string | null;
  } | null;
}

/** What storing a page tells about the progress of its capture; what is left out stays as it is. */
export interface DiscussionsProgress {
  /** Of the last discussion of which every change is stored. */
  cursor?: string;
  /** When that changed; given with the cursor. */
  synced_until?: string;
  /** Only on the page that completes a capture. */
  synced_at?: string;
}

/** One page of captured rows. Keys are columns; `…_github_id` names a row of another table by GitHub's id. */
export interface DiscussionsPage {
  /** The `as_of` of the look into the database before the fetch: older pages never overwrite newer ones. */
  fetched_at: string;
  /** Or only the id of one that the database knows. */
  repository: TableRow<'repositories', RepositoryRow> | Pick<RepositoryRow, 'github_id'>;
  contributors: TableRow<'contributors', ContributorRow>[];
  discussions: TableRow<'discussions', DiscussionRow>[];
  discussion_comments: TableRow<'discussion_comments', DiscussionCommentRow>[];
  progress: DiscussionsProgress;
}

export interface DiscussionRow {
  github_id: number;
  author_github_id: number | null;
  number: number;
  title: string;
  body: string | null;
  category: string;
  state: 'open' | 'closed';
  state_reason: string | null;
  locked: boolean;
  /** Null where the category takes no answers. */
  is_answered: boolean | null;
  answer_github_id: number | null;
  answer_chosen_at: string | null;
  answer_chosen_by_github_id: number | null;
  upvotes: number;
  html_url: string;
  created_at: string;
  updated_at: string;
  closed_at: string | null;
}

export interface DiscussionCommentRow {
  github_id: number;
  discussion_github_id: number;
  author_github_id: number | null;
  /** Of a reply; null at the top. */
  parent_github_id: number | null;
  is_answer: boolean;
  upvotes: number;
  body: string | null;
  html_url: string;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

/** Looks the repository and its discussions up in the database. */
export async function lookUpDiscussions(
  rpc: Rpc,
  repository: RepositoryReference,
  signal: AbortSignal,
): Promise<DiscussionsState> {
  const { id, githubId: github_id, owner, name } = repository;
  return await rpc<DiscussionsState>(
    'get_discussions_state',
    { repository: { id, github_id, owner, name } },
    { signal },
  );
}

/**
 * Stores the page and its progress in one call, all or nothing. Storing it twice changes no row but `…_synced_at` times.
 * @throws {RpcError} the database refused it: a column that does not exist, or a comment without its discussion
 */
export async function storeDiscussionsPage(
  rpc: Rpc,
  page: DiscussionsPage,
  signal: AbortSignal,
): Promise<void> {
  await rpc('upsert_discussions_page', { page }, { signal });
}
