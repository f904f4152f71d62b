import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { freshnessPayload, isFresh, nameOnGitHub } from './store/capture-state.ts';
import { DiscussionPages, type DiscussionSource } from './pages/discussion-pages.ts';
import { lookUpDiscussions, type DiscussionsState } from './store/discussions-page.ts';
import {
  optionalRepositoryPayload,
  repositoryKey,
  type RepositoryReference,
} from './payload/repository-reference.ts';
import { startDiscussionSyncs, type StartedSyncs } from './follow-ups/start-discussion-syncs.ts';

const payload = optionalRepositoryPayload.and(freshnessPayload).and(
  z.object({
    /**
     * Reads all discussions again, not only those that changed: edits and votes of comments need not change a
     * discussion. Default: false.
     */
    full: z.boolean().default(false),
    /**
     * Pages of 25 discussions that one run reads, smaller ones where GitHub wants them; the next run continues, unless
     * it is `full`. Default: 200.
     */
    maxPages: z.int().positive().default(200),
  }),
);

type Context = JobContext<z.output<typeof payload>>;

/** Nothing was done, and why. */
interface Skipped {
  skipped: string;
}

interface SyncedDiscussions {
  /** Read from GitHub by this run, changed or not: 0 when the database was fresh. */
  discussions: number;
  /** Replies included; those of a discussion that changed meanwhile are counted again. */
  comments: number;
  pages: number;
  /** True when `maxPages` ended the run before it had reached the latest change. */
  truncated: boolean;
  githubRequests: number;
  source: 'cache' | 'github';
}

/**
 * The discussions of a repository that changed since the last capture, with all their comments, the longest unchanged
 * first. Without a repository: starts that for every repository that is switched on.
 *
 * In this order a discussion that changes meanwhile moves to the end, where it is read again, and cursors name a place
 * between two changes, so that none is passed over. GitHub has no filter by time; the last capture's cursor is kept.
 */
export const syncDiscussions = defineJob({
  type: 'sync/discussions',
  functionId: 'sync-discussions-cron',
  title: 'Capture the discussions of a repository',
  lane: 'edge',
  payload,
  cron: ['17 */6 * * *'],
  quota: ['github:graphql'],
  concurrency: {
    key: ({ repository }) => `discussions of ${repository === null ? 'all' : repositoryKey(repository)}`,
    limit: 1,
  },
  run: async (ctx: Context): Promise<SyncedDiscussions | StartedSyncs | Skipped> => {
    const { repository, ...options } = ctx.payload;
    return repository === null
      ? await startDiscussionSyncs(ctx, options)
      : await syncRepository(ctx, repository);
  },
});

async function syncRepository(
  ctx: Context,
  repository: RepositoryReference,
): Promise<SyncedDiscussions | Skipped> {
  const start = await ctx.step('look', () => look(ctx, repository));
  if ('skipped' in start) return start;
  const none = { discussions: 0, comments: 0, pages: 0, truncated: false, githubRequests: 0 };
  return start.isFresh ? { ...none, source: 'cache' } : await capture(ctx, start);
}

interface Start extends DiscussionSource {
  cursor: string | null;
  isFresh: boolean;
}

async function look(ctx: Context, repository: RepositoryReference): Promise<Start | Skipped> {
  const { rpc, signal, payload } = ctx;
  const state = await lookUpDiscussions(rpc, repository, signal);
  if (!payload.force && state.discussions?.switched_on !== true) return { skipped: howToSwitchOn(state) };
  return {
    ...nameOnGitHub(repository, state),
    asOf: state.as_of,
    cursor: payload.full ? null : (state.discussions?.cursor ?? null),
    isFresh: !payload.full && isFresh(state.discussions?.age_seconds, payload),
  };
}

function howToSwitchOn({ repository }: DiscussionsState): string {
  const otherwise = 'or send force: true';
  if (repository === null)
    return `the repository is not known: send discover/repository.new, then switch its discussions on in tracked_repositories, ${otherwise}`;
  return `discussions of ${repository.owner}/${repository.name} are not switched on: insert into tracked_repositories (repository_id, sync_discussions) values ('${repository.id}', true) on conflict (repository_id) do update set sync_discussions = true, ${otherwise}`;
}

async function capture(ctx: Context, { cursor, ...source }: Start): Promise<SyncedDiscussions> {
  const { maxPages } = ctx.payload;
  const discussions = new DiscussionPages(ctx, source);
  const numbers = new Set<number>();
  let [comments, pages, githubRequests] = [0, 0, 0];
  let after = cursor;
  do {
    const page = await discussions.capture(after);
    for (const number of page.numbers) numbers.add(number);
    comments += page.comments;
    githubRequests += page.githubRequests;
    pages += 1;
    after = page.next;
    await ctx.progress(
      Math.min(99, (100 * pages) / maxPages),
      `${numbers.size} discussions on ${pages} pages`,
    );
  } while (after !== null && pages < maxPages);
  const counts = { discussions: numbers.size, comments, pages, githubRequests };
  return { ...counts, truncated: after !== null, source: 'github' };
}
