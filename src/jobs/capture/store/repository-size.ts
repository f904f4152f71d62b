import { z } from 'zod';
import type { Rpc } from '../../../database/rpc.ts';
import type { CaptureState } from './capture-state.ts';
import type { RepositorySize } from '../pages/pull-request-totals.ts';
import type { RepositoryReference } from '../payload/repository-reference.ts';

/** By number of pull requests: under 100, 100 to 500, above. */
export type SizeClass = 'small' | 'medium' | 'large';

/** How many repositories now are of each class, and how many GitHub does not know any more. */
export type SizeCounts = Record<SizeClass | 'unavailable', number>;

/** When a classification may rely on the database. */
export const sizeFreshnessPayload = z.object({
  /** A repository that was classified within so many days is not classified again. Default: 7. */
  staleAfterDays: z.number().nonnegative().max(3650).default(7),
  /** Classify in any case. Default: false. */
  force: z.boolean().default(false),
});

/** The window of the payload in whole seconds: 0 when everything counts as stale. */
export function staleAfterSeconds({ staleAfterDays, force }: z.output<typeof sizeFreshnessPayload>): number {
  return force ? 0 : Math.round(staleAfterDays * 86_400);
}

/** What the database holds of a repository and of its size. */
export interface SizeState extends CaptureState {
  size: {
    pull_request_count: number | null;
    size_class: SizeClass | null;
    /** Seconds since GitHub was last asked; null: never, or GitHub did not know the repository. */
    age_seconds: number | null;
  } | null;
}

/** Looks the repository and its size up in the database. */
export async function lookUpSize(
  rpc: Rpc,
  repository: RepositoryReference,
  signal: AbortSignal,
): Promise<SizeState> {
  const { id, githubId: github_id, owner, name } = repository;
  return await rpc<SizeState>(
    'get_repository_size',
    { repository: { id, github_id, owner, name } },
    { signal },
  );
}

/** Stores sizes that GitHub told at `fetchedAt` (the database's time of the look before), all in one call. */
export async function recordSizes(
  rpc: Rpc,
  sizes: readonly RepositorySize[],
  fetchedAt: string,
  signal: AbortSignal,
): Promise<SizeCounts> {
  return await rpc<SizeCounts>('record_repository_sizes', { sizes, fetched_at: fetchedAt }, { signal });
}
