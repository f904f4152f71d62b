import type { z } from 'zod';
import type { GitHub } from '../../github/github.ts';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';
import { storePage, type CapturePage } from './capture-page.ts';
import { freshnessPayload, isFresh, lookUp, nameOnGitHub } from './capture-state.ts';
import { ContributorRows } from './contributor-rows.ts';
import { repositoryKey, repositoryPayload } from './repository-reference.ts';
import {
  pullRequestFields,
  pullRequestFromGraphQL,
  repositoryFields,
  repositoryFromGraphQL,
  type PullRequestNode,
  type RepositoryNode,
} from './rows-from-graphql.ts';

const payload = repositoryPayload.and(freshnessPayload);

interface SyncedRepository {
  /** Captured by this run: 0 when the database was fresh. */
  pullRequests: number;
  pages: number;
  /** True when the repository has older pull requests than the ones captured. */
  truncated: boolean;
  githubRequests: number;
  source: 'cache' | 'github';
}

/** The 100 newest pull requests of a repository in one GraphQL request and one upsert. */
export const syncRepositoryGraphQL = defineJob({
  type: 'capture/repository.sync.graphql',
  aliases: ['capture/repository.sync-graphql'],
  title: 'Capture the newest pull requests',
  lane: 'edge',
  payload,
  timeoutSeconds: 60,
  concurrency: { key: ({ repository }) => repositoryKey(repository), limit: 1 },
  // One step, so that the answer of a run that has stored its page cannot become "cache" when it is entered again.
  run: (ctx: JobContext<z.output<typeof payload>>): Promise<SyncedRepository> =>
    ctx.step('capture', () => capture(ctx)),
});

async function capture(ctx: JobContext<z.output<typeof payload>>): Promise<SyncedRepository> {
  const { rpc, signal } = ctx;
  const { repository } = ctx.payload;
  const state = await lookUp(rpc, repository, { signal });
  if (isFresh(state.repository?.pull_requests_age_seconds, ctx.payload))
    return { pullRequests: 0, pages: 0, truncated: false, githubRequests: 0, source: 'cache' };
  const github = ctx.github.withSignal(signal);
  const { page, truncated } = await fetchPage(github, nameOnGitHub(repository, state), state.as_of);
  const pullRequests = page.pull_requests.length;
  await ctx.progress(50, `${pullRequests} pull requests fetched`);
  await storePage(rpc, page, signal);
  return { pullRequests, pages: 1, truncated, githubRequests: github.requestCount, source: 'github' };
}

const query = `query newestPullRequests($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) {
    ...repositoryFields
    pullRequests(first: 100, orderBy: { field: CREATED_AT, direction: DESC }) {
      pageInfo { hasNextPage }
      nodes { ...pullRequestFields }
    }
  }
}
${repositoryFields}
${pullRequestFields}`;

interface Answer {
  repository:
    | (RepositoryNode & {
        pullRequests: { pageInfo: { hasNextPage: boolean }; nodes: (PullRequestNode | null)[] };
      })
    | null;
}

async function fetchPage(github: GitHub, { owner, repo }: { owner: string; repo: string }, asOf: string) {
  const { repository } = await github.graphql<Answer>(query, { owner, name: repo });
  if (repository === null) throw new NonRetryableError(`GitHub has no repository ${owner}/${repo}`);
  const { pageInfo, nodes } = repository.pullRequests;
  const contributors = new ContributorRows();
  const page = {
    fetched_at: asOf,
    repository: { ...repositoryFromGraphQL(repository), pull_requests_synced_at: asOf },
    pull_requests: nodes
      .filter((node) => node !== null)
      .map((node) => pullRequestFromGraphQL(node, contributors)),
    contributors: contributors.all(),
  } satisfies CapturePage;
  return { page, truncated: pageInfo.hasNextPage };
}
