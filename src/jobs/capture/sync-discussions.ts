import { z } from 'zod';
import type { GitHub } from '../../github/github.ts';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';
import { actorFields } from './actor-from-graphql.ts';
import { freshnessPayload, isFresh, nameOnGitHub } from './capture-state.ts';
import { DiscussionRows, type UnfinishedThread } from './discussion-rows.ts';
import { fetchThreads } from './discussion-threads.ts';
import { discussionFields, type DiscussionNode } from './discussions-from-graphql.ts';
import {
  lookUpDiscussions,
  storeDiscussionsPage,
  type DiscussionsProgress,
  type DiscussionsState,
} from './discussions-page.ts';
import { markBefore } from './issues-state.ts';
import {
  optionalRepositoryPayload,
  repositoryKey,
  type RepositoryReference,
} from './repository-reference.ts';
import {
  rateLimitField,
  repositoryFields,
  repositoryFromGraphQL,
  type RepositoryNode,
} from './rows-from-graphql.ts';
import { ShrinkingPage } from './shrinking-page.ts';
import { startDiscussionSyncs, type StartedSyncs } from './start-discussion-syncs.ts';

const payload = optionalRepositoryPayload.and(freshnessPayload).and(
  z.object({
    /**
     * Reads all discussions again, not only those that changed: edits and votes of comments need not change a
     * discussion. Default: false.
     */
    full: z.boolean().default(false),
    /** Pages of 25 discussions that one run reads; the next run continues, unless it is `full`. Default: 200. */
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
  /** Replies included. */
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
  const result: SyncedDiscussions = {
    ...{ discussions: 0, comments: 0, pages: 0, truncated: false, githubRequests: 0, source: 'cache' },
  };
  if (start.isFresh) return result;
  const pages = { list: new ShrinkingPage(ctx, 25), threads: new ShrinkingPage(ctx, 100) };
  const numbers = new Set<number>();
  let after: string | null = start.cursor;
  do {
    result.pages += 1;
    const page = await captureWhole(ctx, pages, start, after, result.pages);
    for (const number of page.numbers) numbers.add(number);
    result.comments += page.comments;
    result.githubRequests += page.githubRequests;
    after = page.next;
    const percent = Math.min(99, (100 * result.pages) / ctx.payload.maxPages);
    await ctx.progress(percent, `${numbers.size} discussions on ${result.pages} pages`);
  } while (after !== null && result.pages < ctx.payload.maxPages);
  return { ...result, discussions: numbers.size, truncated: after !== null, source: 'github' };
}

interface Start {
  asOf: string;
  owner: string;
  repo: string;
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

interface CapturedPage {
  /** Of the discussions on the page, for counting each once. */
  numbers: number[];
  comments: number;
  unfinished: UnfinishedThread[];
  /** GitHub's id of the repository. */
  repositoryId: number;
  progress: DiscussionsProgress;
  /** Null when this was the last page. */
  next: string | null;
}

/** Threads that one request goes on with. */
const threadsPerRequest = 5;

/** One page of discussions, and all the rest of their comments: a step for each request. */
async function captureWhole(
  ctx: Context,
  pages: { list: ShrinkingPage; threads: ShrinkingPage },
  start: Start,
  after: string | null,
  number: number,
): Promise<CapturedPage & { githubRequests: number }> {
  const page = await pages.list.step(`page ${number}`, (size, github) =>
    capturePage(ctx, github, start, after, size),
  );
  let { comments, githubRequests, unfinished } = page;
  for (let rest = 1; unfinished.length > 0; rest += 1) {
    const threads = unfinished;
    const captured = await pages.threads.step(`page ${number}, rest ${rest}`, (size, github) =>
      captureThreads(ctx, github, start, page, threads, size),
    );
    comments += captured.comments;
    githubRequests += captured.githubRequests;
    unfinished = captured.unfinished;
  }
  return { ...page, comments, githubRequests };
}

const query = `query discussions($owner: String!, $name: String!, $size: Int!, $after: String) {
  ${rateLimitField}
  repository(owner: $owner, name: $name) {
    ...repositoryFields
    discussions(first: $size, after: $after, orderBy: { field: UPDATED_AT, direction: ASC }) {
      pageInfo { hasNextPage endCursor }
      edges { cursor node { ...discussionFields } }
    }
  }
}
${repositoryFields}
${discussionFields}
${actorFields}`;

interface Edge {
  cursor: string;
  node: DiscussionNode | null;
}

interface Answer {
  repository:
    | (RepositoryNode & {
        discussions: {
          pageInfo: { hasNextPage: boolean; endCursor: string | null };
          edges: (Edge | null)[] | null;
        };
      })
    | null;
}

async function capturePage(
  { rpc, signal }: Context,
  github: GitHub,
  { asOf, owner, repo }: Start,
  after: string | null,
  size: number,
): Promise<CapturedPage> {
  const { repository } = await github.graphql<Answer>(query, { owner, name: repo, size, after });
  if (repository === null) throw new NonRetryableError(`GitHub has no repository ${owner}/${repo}`);
  const { pageInfo, edges } = repository.discussions;
  const rows = new DiscussionRows();
  for (const edge of edges ?? []) if (edge?.node) rows.addDiscussion(edge.node);
  const { numbers, comments, unfinished } = rows;
  const next = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  const progress = { ...settled(edges ?? [], asOf), ...(next === null ? { synced_at: asOf } : {}) };
  // A page counts as captured when the last of its comments is.
  const done = unfinished.length === 0 ? progress : {};
  await storeDiscussionsPage(rpc, rows.toPage(asOf, repositoryFromGraphQL(repository), done), signal);
  return { numbers, comments, unfinished, repositoryId: repository.databaseId, progress, next };
}

/** The last discussion that no change which GitHub shows late can come before. */
function settled(edges: readonly (Edge | null)[], asOf: string): DiscussionsProgress {
  const until = Date.parse(markBefore(asOf));
  const last = edges.findLast((edge) => edge?.node && Date.parse(edge.node.updatedAt) <= until);
  return last?.node ? { cursor: last.cursor, synced_until: last.node.updatedAt } : {};
}

async function captureThreads(
  { rpc, signal }: Context,
  github: GitHub,
  { asOf }: Start,
  { repositoryId, progress }: CapturedPage,
  threads: readonly UnfinishedThread[],
  size: number,
): Promise<Pick<CapturedPage, 'comments' | 'unfinished'>> {
  const rows = await fetchThreads(github, threads.slice(0, threadsPerRequest), size);
  const unfinished = [...threads.slice(threadsPerRequest), ...rows.unfinished];
  const done = unfinished.length === 0 ? progress : {};
  await storeDiscussionsPage(rpc, rows.toPage(asOf, { github_id: repositoryId }, done), signal);
  return { comments: rows.comments, unfinished };
}
