import type { z } from 'zod';
import type { GitHub } from '../../github/github.ts';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';
import { actorFields } from './rows/actor-from-graphql.ts';
import { storePage } from './store/capture-page.ts';
import { freshnessPayload, isFresh, nameOnGitHub } from './store/capture-state.ts';
import { detailFields, type DetailedPullRequestNode, type UnfinishedList } from './rows/detail-lists.ts';
import { DetailRows } from './rows/detail-rows.ts';
import { lookUpDetails } from './store/details-state.ts';
import { pullRequestsPayload, repositoryKey } from './payload/repository-reference.ts';
import {
  pullRequestFields,
  rateLimitField,
  repositoryFields,
  repositoryFromGraphQL,
  type RepositoryNode,
} from './rows/rows-from-graphql.ts';
import { ShrinkingPage } from './pages/shrinking-page.ts';
import { addCounts, UnfinishedLists } from './pages/unfinished-lists.ts';

const payload = pullRequestsPayload.and(freshnessPayload);

type Context = JobContext<z.output<typeof payload>>;

interface CapturedDetails {
  /** Captured by this run. */
  pullRequests: number;
  /** The pull requests that were not fetched, since the database is fresh. */
  fresh: number;
  /** Numbers that GitHub knows no pull request by. */
  missing: number[];
  reviews: number;
  /** Review comments and conversation comments. */
  comments: number;
  /** Of pull requests; rests of long lists apart. */
  pages: number;
  /** Requests whose answers were stored, and those that asked for too large a page. */
  githubRequests: number;
  source: 'cache' | 'github';
}

/** Pull requests that one request asks for: 325 lists, which are 3 points, and at most 15,275 nodes. */
const pullRequestsPerRequest = 25;

/** Pull requests of one repository with all their reviews and comments, many in one GraphQL request. */
export const captureDetailsGraphQL = defineJob({
  type: 'capture/pr.details.graphql',
  title: 'Capture pull requests with their reviews and comments',
  lane: 'edge',
  payload,
  // For one page after the other; where the host has less time, the job goes on in the next slice.
  timeoutSeconds: 600,
  // Two captures at once might fetch the same; the second one finds it fresh.
  concurrency: { key: ({ repository }) => `details of ${repositoryKey(repository)}`, limit: 1 },
  quota: ['github:graphql'],
  run: capture,
});

async function capture(ctx: Context): Promise<CapturedDetails> {
  const start = await ctx.step('look', () => look(ctx));
  const { stale, fresh } = start;
  const total = { pullRequests: 0, fresh, reviews: 0, comments: 0, pages: 0, githubRequests: 0 };
  const missing: number[] = [];
  const pages = new ShrinkingPage(ctx, pullRequestsPerRequest);
  const rest = new UnfinishedLists(ctx);
  for (let done = 0; done < stale.length;) {
    total.pages += 1;
    const left = stale.slice(done);
    const page = await pages.step(`page ${total.pages}`, (size, github) =>
      capturePage(ctx, github, start, left.slice(0, size)),
    );
    done += page.asked;
    total.pullRequests += page.pullRequests;
    missing.push(...page.missing);
    addCounts(total, page);
    rest.add(page.unfinished);
    const place = { asOf: start.asOf, repositoryId: page.repositoryId };
    addCounts(total, done < stale.length ? await rest.completeMost(place) : await rest.completeAll(place));
    await ctx.progress((99 * done) / stale.length, `${done} of ${stale.length} pull requests`);
  }
  if (fresh === 0 && total.pullRequests === 0)
    throw new NonRetryableError(
      `prNumbers: expected pull requests of ${start.owner}/${start.repo}, but GitHub has none of ${missing.join(', ')}`,
    );
  return { ...total, missing, source: stale.length === 0 ? 'cache' : 'github' };
}

interface Start {
  /** The database's time of the look that came before every request. */
  asOf: string;
  owner: string;
  repo: string;
  /** Numbers of pull requests to fetch, as in the payload. */
  stale: number[];
  fresh: number;
}

/** A step of its own, so that what a run has stored cannot become "fresh" when it is entered again. */
async function look({ rpc, signal, payload }: Context): Promise<Start> {
  const { repository, prNumbers } = payload;
  const state = await lookUpDetails(rpc, repository, { prNumbers, signal });
  const fresh = new Set(
    state.pull_requests
      .filter(({ details_age_seconds }) => isFresh(details_age_seconds, payload))
      .map(({ number }) => number),
  );
  const stale = prNumbers.filter((number) => !fresh.has(number));
  return { asOf: state.as_of, ...nameOnGitHub(repository, state), stale, fresh: fresh.size };
}

interface Captured {
  repositoryId: number;
  asked: number;
  pullRequests: number;
  missing: number[];
  reviews: number;
  comments: number;
  unfinished: UnfinishedList[];
}

async function capturePage(
  { rpc, signal }: Context,
  github: GitHub,
  { asOf, owner, repo }: Start,
  numbers: readonly number[],
): Promise<Captured> {
  const { repository } = await github.graphql<Answer>(pageQuery(numbers), { owner, name: repo });
  if (repository === null) throw new NonRetryableError(`GitHub has no repository ${owner}/${repo}`);
  const rows = new DetailRows();
  const missing: number[] = [];
  for (const number of numbers) {
    const node = repository[`pull${number}`];
    if (node) rows.addPullRequest(node, asOf);
    else missing.push(number);
  }
  await storePage(rpc, rows.toPage(asOf, repositoryFromGraphQL(repository)), signal);
  return { repositoryId: repository.databaseId, asked: numbers.length, missing, ...rows.counts() };
}

interface Answer {
  repository: (RepositoryNode & { [alias: `pull${number}`]: DetailedPullRequestNode | null }) | null;
}

function pageQuery(numbers: readonly number[]): string {
  const fields = numbers.map(
    (number) => `pull${number}: pullRequest(number: ${number}) { ...pullRequestFields ...detailFields }`,
  );
  return `query pullRequestDetails($owner: String!, $name: String!) {
  ${rateLimitField}
  repository(owner: $owner, name: $name) {
    ...repositoryFields
    ${fields.join('\n    ')}
  }
}
${repositoryFields}
${pullRequestFields}
${detailFields}
${actorFields}`;
}
