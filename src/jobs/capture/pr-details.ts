import type { z } from 'zod';
import type { GitHub } from '../../github/github.ts';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { storePage, type CapturePage, type CommentRow, type ReviewRow } from './store/capture-page.ts';
import { freshnessPayload, isFresh, lookUp, nameOnGitHub } from './store/capture-state.ts';
import { ContributorRows } from './rows/contributor-rows.ts';
import { repositoryExpression } from './payload/repository-expression.ts';
import { pullRequestPayload, repositoryKey } from './payload/repository-reference.ts';
import {
  issueCommentFromRest,
  pullRequestFromRest,
  repositoryFromRest,
  reviewCommentFromRest,
  reviewFromRest,
} from './rows/rows-from-rest.ts';

const payload = pullRequestPayload.and(freshnessPayload);

interface PullRequestDetails {
  /** Its number. */
  pullRequest: number;
  reviews: number;
  /** Review comments and conversation comments. */
  comments: number;
  githubRequests: number;
  source: 'cache' | 'github';
}

/** One pull request with all its reviews and comments, over REST. */
export const captureDetails = defineJob({
  type: 'capture/pr.details',
  title: 'Capture one pull request',
  lane: 'inline',
  quota: ['github:core'],
  // A burst of webhooks of one repository leaves room for the others.
  concurrency: {
    key: ({ repository }) => `details of ${repositoryKey(repository)}`,
    limit: 5,
    expression: repositoryExpression,
  },
  payload,
  timeoutSeconds: 60,
  // One step, so that the answer of a run that has stored the details cannot become "cache" when it is entered again.
  run: (ctx: JobContext<z.output<typeof payload>>): Promise<PullRequestDetails> =>
    ctx.step('capture', () => capture(ctx)),
});

async function capture(ctx: JobContext<z.output<typeof payload>>): Promise<PullRequestDetails> {
  const { rpc, signal } = ctx;
  const { repository, prNumber } = ctx.payload;
  const state = await lookUp(rpc, repository, { prNumber, signal });
  const known = state.pull_request;
  if (known !== null && isFresh(known.details_age_seconds, ctx.payload)) {
    const { reviews, comments } = known;
    return { pullRequest: prNumber, reviews, comments, githubRequests: 0, source: 'cache' };
  }
  const github = ctx.github.withSignal(signal);
  const page = await fetchPage(
    github,
    { ...nameOnGitHub(repository, state), pull_number: prNumber },
    state.as_of,
  );
  await storePage(rpc, page, signal);
  return {
    pullRequest: prNumber,
    reviews: page.reviews.length,
    comments: page.comments.length,
    githubRequests: github.requestCount,
    source: 'github',
  };
}

type DetailsPage = CapturePage & { reviews: ReviewRow[]; comments: CommentRow[] };

/** One request after the other, as GitHub asks for, all pages of each list. */
async function fetchPage(
  github: GitHub,
  pull: { owner: string; repo: string; pull_number: number },
  asOf: string,
): Promise<DetailsPage> {
  const { rest, paginate } = github;
  const list = { ...pull, per_page: 100 };
  const { data: found } = await rest.pulls.get(pull);
  const reviews = await paginate(rest.pulls.listReviews, list);
  const reviewComments = await paginate(rest.pulls.listReviewComments, list);
  const conversation = { owner: pull.owner, repo: pull.repo, issue_number: pull.pull_number, per_page: 100 };
  const issueComments = await paginate(rest.issues.listComments, conversation);
  const contributors = new ContributorRows();
  return {
    fetched_at: asOf,
    repository: repositoryFromRest(found.base.repo),
    pull_requests: [{ ...pullRequestFromRest(found, contributors), details_synced_at: asOf }],
    reviews: reviews.map((review) => reviewFromRest(review, found.id, contributors)),
    comments: [
      ...reviewComments.map((comment) => reviewCommentFromRest(comment, found.id, contributors)),
      ...issueComments.map((comment) =>
        issueCommentFromRest(comment, { pull_request_github_id: found.id }, contributors),
      ),
    ],
    contributors: contributors.all(),
  };
}
