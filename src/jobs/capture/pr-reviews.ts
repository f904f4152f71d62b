import type { GitHub } from '../../github/github.ts';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { storePage } from './store/capture-page.ts';
import { ContributorRows } from './rows/contributor-rows.ts';
import {
  capturePages,
  findPullRequest,
  onePerPullRequest,
  pullRequestPagesPayload,
  type KnownPullRequest,
  type PullRequestPagesPayload,
} from './pages/pull-request-pages.ts';
import { hasNextPage } from './pages/rest-pages.ts';
import { reviewFromRest } from './rows/rows-from-rest.ts';

interface CapturedReviews {
  reviews: number;
  pages: number;
  /** True when GitHub has more pages than `maxPages`; such a capture does not make the reviews fresh. */
  truncated: boolean;
  /** Requests of all pages, whichever attempt made them; those that GitHub refused are not among them. */
  githubRequests: number;
  source: 'cache' | 'github';
}

/** All reviews of a pull request, over REST, with a checkpoint per page. */
export const captureReviews = defineJob({
  type: 'capture/pr.reviews',
  title: 'Capture the reviews of a pull request',
  lane: 'edge',
  quota: ['github:core'],
  payload: pullRequestPagesPayload,
  concurrency: onePerPullRequest,
  run: capture,
});

async function capture(ctx: JobContext<PullRequestPagesPayload>): Promise<CapturedReviews> {
  const found = await findPullRequest(ctx, 'reviews');
  if (found.source === 'cache')
    return { reviews: found.rows, pages: 0, truncated: false, githubRequests: 0, source: 'cache' };
  const { rows, pages, truncated, githubRequests } = await capturePages(ctx, 'reviews', (page, github) =>
    capturePage(ctx, github, found.pullRequest, page),
  );
  return {
    reviews: rows,
    pages,
    truncated,
    githubRequests: found.githubRequests + githubRequests,
    source: 'github',
  };
}

async function capturePage(
  { rpc, signal, payload }: JobContext<PullRequestPagesPayload>,
  github: GitHub,
  { asOf, owner, repo, repositoryId, pullRequestId }: KnownPullRequest,
  page: number,
): Promise<{ rows: number; last: boolean }> {
  const list = { owner, repo, pull_number: payload.prNumber, per_page: 100, page };
  const answer = await github.rest.pulls.listReviews(list);
  const last = !hasNextPage(answer.headers);
  const contributors = new ContributorRows();
  const reviews = answer.data.map((review) => reviewFromRest(review, pullRequestId, contributors));
  const captured = {
    fetched_at: asOf,
    repository: { github_id: repositoryId },
    pull_requests: last ? [{ github_id: pullRequestId, reviews_synced_at: asOf }] : [],
    reviews,
    contributors: contributors.all(),
  };
  await storePage(rpc, captured, signal);
  return { rows: reviews.length, last };
}
