import type { Rpc } from '../../../database/rpc.ts';
import type { CapturePage } from './capture-page.ts';
import type { CaptureState } from './capture-state.ts';
import type { RepositoryReference } from '../payload/repository-reference.ts';

/** Between which of GitHub's times every change of a pull request is stored. */
export interface ChangesRange {
  from: string;
  until: string;
}

interface PullRequestsState extends CaptureState {
  /** Null: not known of any time. */
  changes: (ChangesRange & { age_seconds: number }) | null;
}

/** Looks the repository, and how far the changes of its pull requests are captured, up in the database. */
export async function lookUpChanges(
  rpc: Rpc,
  { id, githubId: github_id, owner, name }: RepositoryReference,
  signal: AbortSignal,
): Promise<PullRequestsState> {
  return await rpc<PullRequestsState>(
    'get_pull_requests_state',
    { repository: { id, github_id, owner, name } },
    { signal },
  );
}

/**
 * Stores a page, and on the last page of a capture what it makes known, in one call, all or nothing.
 * @param changes - null on all other pages, and where the capture leaves what is known as it is
 * @throws {RpcError} the database refused it: a column that does not exist, or a row whose parent is missing
 */
export async function storeChanges(
  rpc: Rpc,
  page: CapturePage,
  changes: ChangesRange | null,
  signal: AbortSignal,
): Promise<void> {
  await rpc('upsert_pull_requests_page', { page, changes: changes ?? {} }, { signal });
}
