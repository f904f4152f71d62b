import type { JobContext } from '../../job-context.ts';
import type { RepositoryRow } from '../store/capture-page.ts';

interface MissingDetails {
  /** How many there are, beyond `pull_requests` too. */
  total: number;
  pull_requests: { number: number; idempotency_key: string }[];
}

export interface FollowUps {
  enqueued: number;
  /** Still without a job, because there are more than may be enqueued at once. */
  left: number;
}

/**
 * Enqueues `capture/pr.details` for the pull requests that changed since then and whose reviews or comments were not
 * captured afterwards, the latest changed first. One job a day for a state of a pull request: run again, this enqueues
 * nothing twice, and what failed is tried again the next day.
 */
export async function enqueueMissingDetails(
  ctx: Pick<JobContext<unknown>, 'rpc' | 'signal' | 'enqueue'>,
  { github_id, owner, name }: Pick<RepositoryRow, 'github_id' | 'owner' | 'name'>,
  options: { since: string; atMost: number },
): Promise<FollowUps> {
  const missing = await ctx.rpc<MissingDetails>(
    'get_pull_requests_without_details',
    { repository: { github_id }, since: options.since, max_rows: options.atMost },
    { signal: ctx.signal },
  );
  for (const { number, idempotency_key } of missing.pull_requests)
    ctx.enqueue({
      type: 'capture/pr.details',
      // What was captured a moment ago is not the state that is missing.
      payload: { repository: { owner, name, github_id }, prNumber: number, maxAgeSeconds: 0 },
      idempotencyKey: idempotency_key,
    });
  const enqueued = missing.pull_requests.length;
  return { enqueued, left: missing.total - enqueued };
}
