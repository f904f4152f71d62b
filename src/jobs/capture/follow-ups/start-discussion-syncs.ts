import type { JobContext } from '../../job-context.ts';

/** As often as the cron time comes: a repository's discussions are captured once in such a period of the clock. */
const periodMinutes = 360;

export interface StartedSyncs {
  /** Repositories whose discussions a job of their own captures now. */
  enqueued: number;
  /** Repositories that are switched on. The others had their job in this period already. */
  switchedOn: number;
}

interface Found {
  switched_on: number;
  due: { github_id: number; owner: string; name: string; idempotency_key: string }[];
}

/**
 * Enqueues one `sync/discussions` for every repository that `tracked_repositories` switches on.
 * @param options - what else is in the payload; each job gets it
 */
export async function startDiscussionSyncs(
  ctx: JobContext<unknown>,
  options: Record<string, unknown>,
): Promise<StartedSyncs | { skipped: string }> {
  const found = await ctx.rpc<Found>(
    'find_discussion_repositories',
    { period_minutes: periodMinutes },
    { signal: ctx.signal },
  );
  if (found.switched_on === 0)
    return {
      skipped:
        'no repository is switched on: update tracked_repositories set sync_discussions = true where repository_id = …',
    };
  for (const { owner, name, github_id, idempotency_key: idempotencyKey } of found.due)
    ctx.enqueue({
      type: 'sync/discussions',
      payload: { repository: { owner, name, github_id }, ...options },
      idempotencyKey,
    });
  return { enqueued: found.due.length, switchedOn: found.switched_on };
}
