import { z } from 'zod';
import type { Rpc } from '../../../database/rpc.ts';
import { NonRetryableError } from '../../outcomes.ts';
import type { RepositoryReference } from '../payload/repository-reference.ts';

/** What the database holds of a repository and of one of its pull requests. */
export interface CaptureState {
  /** The database's time of this look. */
  as_of: string;
  repository: {
    id: string;
    github_id: number;
    owner: string;
    name: string;
    /** Seconds since the newest pull requests were captured; null: never. */
    pull_requests_age_seconds: number | null;
  } | null;
  pull_request: {
    id: string;
    github_id: number;
    /** Seconds since its reviews and comments were captured; null: never. */
    details_age_seconds: number | null;
    /** Seconds since its reviews were captured, alone or with the details; null: never. */
    reviews_age_seconds: number | null;
    /** The same of its comments. */
    comments_age_seconds: number | null;
    reviews: number;
    comments: number;
  } | null;
}

/** When a capture may rely on the database. Shared by the payloads of all capture jobs. */
export const freshnessPayload = z.object({
  /** What was captured within so many seconds is not fetched again. Default: 300. */
  maxAgeSeconds: z.int().nonnegative().default(300),
  /** Fetch in any case. Default: false. */
  force: z.boolean().default(false),
});

/** Looks the repository, and the pull request when a number is given, up in the database. */
export async function lookUp(
  rpc: Rpc,
  repository: RepositoryReference,
  options: { prNumber?: number; signal: AbortSignal },
): Promise<CaptureState> {
  const { id, githubId: github_id, owner, name } = repository;
  return await rpc<CaptureState>(
    'get_capture_state',
    { repository: { id, github_id, owner, name }, pr_number: options.prNumber },
    { signal: options.signal },
  );
}

/** `force` and the age, null for "never captured", against the window of the payload. */
export function isFresh(
  ageSeconds: number | null | undefined,
  window: z.output<typeof freshnessPayload>,
): boolean {
  return !window.force && ageSeconds != null && ageSeconds < window.maxAgeSeconds;
}

/**
 * How to ask GitHub for the repository: by the name that we know, which follows renames, else by the payload's.
 * @throws {NonRetryableError} the payload only has a `repositoryId`, and the database does not know it
 */
export function nameOnGitHub(
  reference: RepositoryReference,
  state: CaptureState,
): { owner: string; repo: string } {
  const { owner, name } = state.repository ?? reference;
  if (owner === null || name === null)
    throw new NonRetryableError(
      `repositoryId: expected the id of a row in repositories, got ${reference.id}, which is none`,
    );
  return { owner, repo: name };
}
