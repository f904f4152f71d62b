import type { GitHub } from '../../../github/github.ts';
import type { JobContext } from '../../job-context.ts';
import { InvalidCursorError, NonRetryableError } from '../../outcomes.ts';
import { actorFields } from '../rows/actor-from-graphql.ts';
import { DiscussionRows, type UnfinishedThread } from '../rows/discussion-rows.ts';
import { fetchThreads } from './discussion-threads.ts';
import { discussionFields, type DiscussionNode } from '../rows/discussions-from-graphql.ts';
import { storeDiscussionsPage, type DiscussionsProgress } from '../store/discussions-page.ts';
import { markBefore } from './github-times.ts';
import {
  rateLimitField,
  repositoryFields,
  repositoryFromGraphQL,
  type RepositoryNode,
} from '../rows/rows-from-graphql.ts';
import { ShrinkingPage } from './shrinking-page.ts';

/** What one run captures. */
export interface DiscussionSource {
  /** The database's time of the look that came before every request. */
  asOf: string;
  owner: string;
  repo: string;
}

interface CapturedList {
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

/** A page of discussions with all their comments. */
export interface CapturedDiscussions extends Pick<CapturedList, 'numbers' | 'comments' | 'next'> {
  githubRequests: number;
}

/** Discussions of a page, before GitHub asks for smaller ones. */
const discussionsPerPage = 25;
/** Threads that one request goes on with, and the largest page of each. */
const [threadsPerRequest, threadEntries] = [5, 100];

/** Captures discussions page by page, the longest unchanged first: a step for each request. */
export class DiscussionPages {
  readonly #ctx: JobContext<unknown>;
  readonly #source: DiscussionSource;
  readonly #lists: ShrinkingPage;
  readonly #threads: ShrinkingPage;
  #pages = 0;

  constructor(ctx: JobContext<unknown>, source: DiscussionSource) {
    this.#ctx = ctx;
    this.#source = source;
    this.#lists = new ShrinkingPage(ctx, discussionsPerPage);
    this.#threads = new ShrinkingPage(ctx, threadEntries);
  }

  /** @param after - GitHub's cursor; null: from the beginning */
  async capture(after: string | null): Promise<CapturedDiscussions> {
    this.#pages += 1;
    const list = await this.#lists.step(`page ${this.#pages}`, (size, github) =>
      captureList(this.#ctx, github, this.#source, after, size),
    );
    let { comments, githubRequests, unfinished } = list;
    for (let rest = 1; unfinished.length > 0; rest += 1) {
      const threads = unfinished;
      const captured = await this.#threads.step(`page ${this.#pages}, rest ${rest}`, (size, github) =>
        captureThreads(this.#ctx, github, this.#source, list, threads, size),
      );
      comments += captured.comments;
      githubRequests += captured.githubRequests;
      unfinished = captured.unfinished;
    }
    return { numbers: list.numbers, next: list.next, comments, githubRequests };
  }
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

async function captureList(
  { rpc, signal, log }: JobContext<unknown>,
  github: GitHub,
  { asOf, owner, repo }: DiscussionSource,
  after: string | null,
  size: number,
): Promise<CapturedList> {
  const ask = (from: string | null) =>
    github.graphql<Answer>(query, { owner, name: repo, size, after: from });
  const { repository } = await ask(after).catch(async (error: unknown) => {
    if (!(error instanceof InvalidCursorError) || after === null) throw error;
    log.warn({ cursor: after }, 'GitHub does not know the stored cursor any more: from the beginning');
    return await ask(null);
  });
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
  { rpc, signal }: JobContext<unknown>,
  github: GitHub,
  { asOf }: DiscussionSource,
  { repositoryId, progress }: CapturedList,
  threads: readonly UnfinishedThread[],
  size: number,
): Promise<Pick<CapturedList, 'comments' | 'unfinished'>> {
  const rows = await fetchThreads(github, threads.slice(0, threadsPerRequest), size);
  const unfinished = [...threads.slice(threadsPerRequest), ...rows.unfinished];
  const done = unfinished.length === 0 ? progress : {};
  await storeDiscussionsPage(rpc, rows.toPage(asOf, { github_id: repositoryId }, done), signal);
  return { comments: rows.comments, unfinished };
}
