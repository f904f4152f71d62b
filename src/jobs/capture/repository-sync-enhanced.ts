import { z } from 'zod';
import type { GitHub } from '../../github/github.ts';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';
import { actorFields } from './rows/actor-from-graphql.ts';
import { storePage } from './store/capture-page.ts';
import { freshnessPayload, isFresh, nameOnGitHub } from './store/capture-state.ts';
import { nextCursor, type Connection } from './rows/connection.ts';
import { detailFields, type DetailedPullRequestNode, type UnfinishedList } from './rows/detail-lists.ts';
import { DetailRows } from './rows/detail-rows.ts';
import { lookUpDetails, noteDetailsSynced, type DetailsState } from './store/details-state.ts';
import { repositoryKey, repositoryPayload } from './payload/repository-reference.ts';
import {
  pullRequestFields,
  rateLimitField,
  repositoryFields,
  repositoryFromGraphQL,
  type RepositoryNode,
} from './rows/rows-from-graphql.ts';
import { ShrinkingPage } from './pages/shrinking-page.ts';
import { addCounts, UnfinishedLists, type Place } from './pages/unfinished-lists.ts';

const payload = repositoryPayload.and(freshnessPayload).and(
  z.object({
    /** Pull requests on a page. Default, and GitHub's largest: 100. */
    pageSize: z.int().min(1).max(100).default(100),
    /**
     * At most `maxPages` × `pageSize` pull requests are captured, on more pages where GitHub wants smaller ones.
     * Default: 200, which is 20,000 pull requests by 100.
     */
    maxPages: z.int().positive().default(200),
    /** Only pull requests that were created since then. Default: all. */
    since: z.iso.datetime({ offset: true }).optional(),
  }),
);

type Context = JobContext<z.output<typeof payload>>;

interface SyncedRepository {
  /** Captured by this run: 0 when the database was fresh. */
  pullRequests: number;
  reviews: number;
  /** Review comments and conversation comments. */
  comments: number;
  /** Of pull requests; rests of long lists apart. */
  pages: number;
  /** True when `maxPages` ended the run; such a capture does not make the repository fresh. */
  truncated: boolean;
  /** Requests whose answers were stored, and those that asked for too large a page. */
  githubRequests: number;
  source: 'cache' | 'github';
}

/**
 * All pull requests of a repository with their reviews and comments, the newest first: a page takes one GraphQL request,
 * one upsert and one checkpoint. By creation, since what is edited meanwhile keeps its place in that order.
 */
export const syncRepositoryEnhanced = defineJob({
  type: 'capture/repository.sync.enhanced',
  aliases: ['capture/repository.sync-enhanced'],
  title: 'Capture all pull requests with their reviews and comments',
  lane: 'edge',
  payload,
  // On a lane without a limit of its own; where the host has less time, the job goes on in the next slice.
  timeoutSeconds: 3_600,
  // Apart from the quick sync of the newest pull requests, which need not wait for it.
  concurrency: { key: ({ repository }) => `enhanced sync of ${repositoryKey(repository)}`, limit: 1 },
  quota: ['github:graphql'],
  run: capture,
});

async function capture(ctx: Context): Promise<SyncedRepository> {
  const total = { pullRequests: 0, reviews: 0, comments: 0, pages: 0, githubRequests: 0 };
  const start = await ctx.step('look', () => look(ctx));
  if (start === null) return { ...total, truncated: false, source: 'cache' };
  const { pageSize, maxPages } = ctx.payload;
  const limit = pageSize * maxPages;
  const pages = new ShrinkingPage(ctx, pageSize);
  const rest = new UnfinishedLists(ctx);
  let place = { asOf: start.asOf, repositoryId: 0 };
  let position: Position | null = { after: null, read: 0 };
  while (position !== null && position.read < limit) {
    const here: Position = position;
    total.pages += 1;
    const page: Captured = await pages.step(`page ${total.pages}`, (size, github) =>
      capturePage(ctx, github, start, here, Math.min(size, limit - here.read)),
    );
    total.pullRequests += page.pullRequests;
    addCounts(total, page);
    place = { ...place, repositoryId: page.repositoryId };
    rest.add(page.unfinished);
    addCounts(total, await rest.completeMost(place));
    position = page.next;
    await report(ctx, total.pullRequests, Math.min(limit, page.totalCount));
  }
  addCounts(total, await rest.completeAll(place));
  const truncated = position !== null;
  if (!truncated) await noteEnd(ctx, place);
  return { ...total, truncated, source: 'github' };
}

interface Start {
  /** The database's time of the look that came before every request. */
  asOf: string;
  owner: string;
  repo: string;
}

/** Null when the database is fresh. A step of its own, so that what a run has stored cannot make it "fresh". */
async function look({ rpc, signal, payload }: Context): Promise<Start | null> {
  const state = await lookUpDetails(rpc, payload.repository, { signal });
  if (reachesBack(state, payload.since) && isFresh(state.details?.age_seconds, payload)) return null;
  return { asOf: state.as_of, ...nameOnGitHub(payload.repository, state) };
}

/** Whether the capture that made the repository fresh had all that this one is to have. */
function reachesBack({ details }: DetailsState, since: string | undefined): boolean {
  const known = details?.since ?? null;
  return known === null || (since !== undefined && Date.parse(known) <= Date.parse(since));
}

interface Position {
  /** Cursor; null: from the beginning. */
  after: string | null;
  /** Pull requests before it. */
  read: number;
}

interface Captured {
  repositoryId: number;
  totalCount: number;
  pullRequests: number;
  reviews: number;
  comments: number;
  unfinished: UnfinishedList[];
  /** Null when nothing that is wanted comes after this page. */
  next: Position | null;
  githubRequests: number;
}

const query = `query pullRequestsWithDetails($owner: String!, $name: String!, $first: Int!, $after: String) {
  ${rateLimitField}
  repository(owner: $owner, name: $name) {
    ...repositoryFields
    pullRequests(first: $first, after: $after, orderBy: { field: CREATED_AT, direction: DESC }) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes { ...pullRequestFields ...detailFields }
    }
  }
}
${repositoryFields}
${pullRequestFields}
${detailFields}
${actorFields}`;

interface Answer {
  repository:
    (RepositoryNode & { pullRequests: Connection<DetailedPullRequestNode> & { totalCount: number } }) | null;
}

async function capturePage(
  { rpc, signal, payload }: Context,
  github: GitHub,
  { asOf, owner, repo }: Start,
  { after, read }: Position,
  first: number,
): Promise<Omit<Captured, 'githubRequests'>> {
  const { repository } = await github.graphql<Answer>(query, { owner, name: repo, first, after });
  if (repository === null) throw new NonRetryableError(`GitHub has no repository ${owner}/${repo}`);
  const { pullRequests: list } = repository;
  const nodes = (list.nodes ?? []).filter((node) => node !== null);
  const wanted = nodes.filter(({ createdAt }) => isSince(createdAt, payload.since));
  const rows = new DetailRows();
  for (const node of wanted) rows.addPullRequest(node, asOf);
  await storePage(rpc, rows.toPage(asOf, repositoryFromGraphQL(repository)), signal);
  const end = wanted.length < nodes.length ? null : nextCursor(list);
  return {
    repositoryId: repository.databaseId,
    totalCount: list.totalCount,
    ...rows.counts(),
    next: end === null ? null : { after: end, read: read + first },
  };
}

function isSince(createdAt: string, since: string | undefined): boolean {
  return since === undefined || Date.parse(createdAt) >= Date.parse(since);
}

async function report(ctx: Context, captured: number, total: number): Promise<void> {
  const count = (number: number): string => number.toLocaleString('en-US');
  const percent = (99 * captured) / Math.max(1, total);
  await ctx.progress(percent, `${count(captured)} of ${count(total)} pull requests`);
}

async function noteEnd({ rpc, signal, payload }: Context, { asOf, repositoryId }: Place): Promise<void> {
  const progress = { github_id: repositoryId, as_of: asOf, since: payload.since ?? null };
  await noteDetailsSynced(rpc, progress, signal);
}
