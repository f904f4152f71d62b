import { z } from 'zod';
import type { GitHub } from '../../../github/github.ts';
import type { JobContext } from '../../job-context.ts';
import { storePage } from '../store/capture-page.ts';
import {
  freshnessPayload,
  isFresh,
  lookUp,
  nameOnGitHub,
  type CaptureState,
} from '../store/capture-state.ts';
import { ContributorRows } from '../rows/contributor-rows.ts';
import { pullRequestPayload, repositoryKey } from '../payload/repository-reference.ts';
import { pullRequestFromRest, repositoryFromRest } from '../rows/rows-from-rest.ts';

/** The payload of a job that captures lists of one pull request page by page. */
export const pullRequestPagesPayload = pullRequestPayload.and(freshnessPayload).and(
  z.object({
    /** Of each list, at most so many pages of 100 are fetched. Default: 50. */
    maxPages: z.int().positive().default(50),
  }),
);

export type PullRequestPagesPayload = z.output<typeof pullRequestPagesPayload>;

/** Two captures of one pull request at once would fetch everything twice; the second one finds it fresh. */
export const onePerPullRequest = {
  key: ({ repository, prNumber }: PullRequestPagesPayload): string =>
    `${repositoryKey(repository)}#${prNumber}`,
  limit: 1,
};

/** The rows that the pages belong to, and how to ask GitHub for them. */
export interface KnownPullRequest {
  /** The database's time of the look that came before every request. */
  asOf: string;
  owner: string;
  repo: string;
  /** GitHub's ids. */
  repositoryId: number;
  pullRequestId: number;
}

type Found =
  | { source: 'cache'; rows: number }
  | { source: 'github'; pullRequest: KnownPullRequest; githubRequests: number };

/**
 * The first step: looks whether the list is fresh, and makes sure that the pages will find their pull request, which is
 * fetched when the database does not know it. A step of its own, so that what a run has stored cannot make it "fresh"
 * when it is entered again.
 */
export function findPullRequest(
  ctx: JobContext<PullRequestPagesPayload>,
  list: 'reviews' | 'comments',
): Promise<Found> {
  return ctx.step('pull request', async () => {
    const { repository, prNumber } = ctx.payload;
    const state = await lookUp(ctx.rpc, repository, { prNumber, signal: ctx.signal });
    const known = state.pull_request;
    if (known !== null && isFresh(known[`${list}_age_seconds`], ctx.payload))
      return { source: 'cache', rows: known[list] };
    const github = ctx.github.withSignal(ctx.signal);
    const name = nameOnGitHub(repository, state);
    const ids = knownIds(state) ?? (await storePullRequest(ctx, github, name, state.as_of));
    return {
      source: 'github',
      pullRequest: { asOf: state.as_of, ...name, ...ids },
      githubRequests: github.requestCount,
    };
  });
}

type Ids = Pick<KnownPullRequest, 'repositoryId' | 'pullRequestId'>;

function knownIds({ repository, pull_request }: CaptureState): Ids | null {
  if (repository === null || pull_request === null) return null;
  return { repositoryId: repository.github_id, pullRequestId: pull_request.github_id };
}

async function storePullRequest(
  ctx: JobContext<PullRequestPagesPayload>,
  github: GitHub,
  name: { owner: string; repo: string },
  asOf: string,
): Promise<Ids> {
  const { data: found } = await github.rest.pulls.get({ ...name, pull_number: ctx.payload.prNumber });
  const contributors = new ContributorRows();
  const page = {
    fetched_at: asOf,
    repository: repositoryFromRest(found.base.repo),
    pull_requests: [pullRequestFromRest(found, contributors)],
    contributors: contributors.all(),
  };
  await storePage(ctx.rpc, page, ctx.signal);
  return { repositoryId: found.base.repo.id, pullRequestId: found.id };
}

export interface CapturedPages {
  rows: number;
  pages: number;
  /** True when GitHub has more than `maxPages` pages. */
  truncated: boolean;
  githubRequests: number;
}

/**
 * All pages of a list up to `maxPages`, each fetched and stored in a step of its own: a run that is entered again goes
 * on at the first page that was not saved.
 *
 * @param list - names the steps
 * @param capture - fetches and stores one page, numbered from 1, with one request
 */
export async function capturePages(
  ctx: JobContext<PullRequestPagesPayload>,
  list: string,
  capture: (page: number, github: GitHub) => Promise<{ rows: number; last: boolean }>,
): Promise<CapturedPages> {
  const total = { rows: 0, pages: 0, truncated: true, githubRequests: 0 };
  while (total.truncated && total.pages < ctx.payload.maxPages) {
    const number = total.pages + 1;
    const page = await ctx.step(`${list} ${number}`, async () => {
      const github = ctx.github.withSignal(ctx.signal);
      const captured = await capture(number, github);
      return { ...captured, githubRequests: github.requestCount };
    });
    total.rows += page.rows;
    total.pages = number;
    total.truncated = !page.last;
    total.githubRequests += page.githubRequests;
  }
  return total;
}
