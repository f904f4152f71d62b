import type { Rpc } from '../../../database/rpc.ts';
import type { CaptureState } from './capture-state.ts';
import type { RepositoryReference } from '../payload/repository-reference.ts';

/** What the database holds of the details of a repository's pull requests: their reviews and comments. */
export interface DetailsState extends CaptureState {
  /** Of all pull requests; null for an unknown repository. */
  details: {
    /** Seconds since they were captured; null: never. */
    age_seconds: number | null;
    /** Pull requests created before were left out; null: none. */
    since: string | null;
  } | null;
  /** Of those that were asked for; unknown ones are left out. */
  pull_requests: { number: number; details_age_seconds: number | null }[];
}

/** Looks the repository, and all of these pull requests, up in one round trip. */
export async function lookUpDetails(
  rpc: Rpc,
  repository: RepositoryReference,
  options: { prNumbers?: readonly number[]; signal: AbortSignal },
): Promise<DetailsState> {
  const { id, githubId: github_id, owner, name } = repository;
  return await rpc<DetailsState>(
    'get_details_state',
    { repository: { id, github_id, owner, name }, pr_numbers: options.prNumbers },
    { signal: options.signal },
  );
}

/**
 * Notes that all pull requests created since then are captured with their details.
 * @param progress - `github_id` of the repository; `as_of` of the look before the first request; null for all
 */
export async function noteDetailsSynced(
  rpc: Rpc,
  progress: { github_id: number; as_of: string; since: string | null },
  signal: AbortSignal,
): Promise<void> {
  await rpc('note_details_synced', { progress }, { signal });
}
