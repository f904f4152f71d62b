import type { z } from 'zod';
import type { GitHub } from '../../github/github.ts';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';
import { actorFields } from './rows/actor-from-graphql.ts';
import { storePage } from './store/capture-page.ts';
import { freshnessPayload, isFresh, lookUp, nameOnGitHub } from './store/capture-state.ts';
import { nextCursor, type Connection } from './rows/connection.ts';
import { ContributorRows } from './rows/contributor-rows.ts';
import { repositoryKey, repositoryPayload } from './payload/repository-reference.ts';
import {
  pullRequestFields,
  pullRequestFromGraphQL,
  rateLimitField,
  repositoryFields,
  repositoryFromGraphQL,
  type PullRequestNode,
  type RepositoryNode,
} from './rows/rows-from-graphql.ts';
import { ShrinkingPage } from './pages/shrinking-page.ts';

const payload = repositoryPayload.and(freshnessPayload);

type Context = JobContext<z.output<typeof payload>>;

interface SyncedRepository {
  /** Captured by this run: 0 when the database was fresh. */
  pullRequests: number;
  pages: number;
  /** True when the repository has older pull requests than the ones captured. */
  truncated: boolean;
  /** Requests whose answers were stored, and those that asked for too large a page. */
  githubRequests: number;
  source: 'cache' | 'github';
}

/** So many of the newest pull requests: a page, as large as GitHub gives one. */
const newest = 100;

/** The 100 newest pull requests of a repository in one GraphQL request and one upsert; in more where GitHub wants it. */
export const syncRepositoryGraphQL = defineJob({
  type: 'capture/repository.sync.graphql',
  aliases: ['capture/repository.sync-graphql'],
  title: 'Capture the newest pull requests',
  lane: 'edge',
  payload,
  concurrency: { key: ({ repository }) => repositoryKey(repository), limit: 1 },
  quota: ['github:graphql'],
  run: capture,
});

async function capture(ctx: Context): Promise<SyncedRepository> {
  const total = { pullRequests: 0, pages: 0, truncated: false, githubRequests: 0 };
  const pages = new ShrinkingPage(ctx, newest);
  let position: Position | null = null;
  for (;;) {
    const here: Position | null = position;
    const page: Captured = await pages.step(`page ${total.pages + 1}`, async (size, github) => {
      // In the step of the first page: one checkpoint less, in a job that usually has one page.
      const start = here ?? (await look(ctx));
      return start === null ? fresh : await capturePage(ctx, github, start, size);
    });
    if (page.source === 'cache') return { ...total, source: 'cache' };
    total.pages += 1;
    total.pullRequests += page.pullRequests;
    total.githubRequests += page.githubRequests;
    position = page.next;
    if (position === null || position.read >= newest)
      return { ...total, truncated: position !== null, source: 'github' };
    await ctx.progress(Math.min(99, position.read), `${total.pullRequests} pull requests captured`);
  }
}

interface Position {
  /** The database's time of the look that came before every request. */
  asOf: string;
  owner: string;
  repo: string;
  /** Cursor; null: from the beginning. */
  after: string | null;
  /** Pull requests before it. */
  read: number;
}

/** Null when the database is fresh; to a run that was lost and began again, what it had stored does not make it so. */
async function look({ rpc, signal, payload, retryCount }: Context): Promise<Position | null> {
  const state = await lookUp(rpc, payload.repository, { signal });
  if (retryCount === 0 && isFresh(state.repository?.pull_requests_age_seconds, payload)) return null;
  return { asOf: state.as_of, ...nameOnGitHub(payload.repository, state), after: null, read: 0 };
}

interface CapturedPage {
  source: 'cache' | 'github';
  pullRequests: number;
  /** Null when there is none after this page. */
  next: Position | null;
}

type Captured = CapturedPage & { githubRequests: number };

const fresh: CapturedPage = { source: 'cache', pullRequests: 0, next: null };

const query = `query newestPullRequests($owner: String!, $name: String!, $first: Int!, $after: String) {
  ${rateLimitField}
  repository(owner: $owner, name: $name) {
    ...repositoryFields
    pullRequests(first: $first, after: $after, orderBy: { field: CREATED_AT, direction: DESC }) {
      pageInfo { hasNextPage endCursor }
      nodes { ...pullRequestFields }
    }
  }
}
${repositoryFields}
${pullRequestFields}
${actorFields}`;

interface Answer {
  repository: (RepositoryNode & { pullRequests: Connection<PullRequestNode> }) | null;
}

/** Fetches and stores a page; the last one makes the repository fresh. */
async function capturePage(
  { rpc, signal }: Context,
  github: GitHub,
  { asOf, owner, repo, after, read }: Position,
  size: number,
): Promise<CapturedPage> {
  const first = Math.min(size, newest - read);
  const { repository } = await github.graphql<Answer>(query, { owner, name: repo, first, after });
  if (repository === null) throw new NonRetryableError(`GitHub has no repository ${owner}/${repo}`);
  const nodes = repository.pullRequests.nodes ?? [];
  const end = nextCursor(repository.pullRequests);
  const next = end === null ? null : { asOf, owner, repo, after: end, read: read + nodes.length };
  const isLast = next === null || next.read >= newest;
  const contributors = new ContributorRows();
  const pullRequests = nodes
    .map((node) => node && pullRequestFromGraphQL(node, contributors))
    .filter((row) => row !== null);
  const page = {
    fetched_at: asOf,
    repository: {
      ...repositoryFromGraphQL(repository),
      ...(isLast ? { pull_requests_synced_at: asOf } : {}),
    },
    pull_requests: pullRequests,
    contributors: contributors.all(),
  };
  await storePage(rpc, page, signal);
  return { source: 'github', pullRequests: pullRequests.length, next };
}
