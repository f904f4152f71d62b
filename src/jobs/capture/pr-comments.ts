import type { GitHub } from '../../github/github.ts';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { storePage, type CommentRow } from './store/capture-page.ts';
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
import { issueCommentFromRest, reviewCommentFromRest } from './rows/rows-from-rest.ts';

type Context = JobContext<PullRequestPagesPayload>;

interface CapturedComments {
  /** Review comments and conversation comments. */
  comments: number;
  /** Of both lists. */
  pages: number;
  /** True when GitHub has more than `maxPages` pages of a list; such a capture does not make the comments fresh. */
  truncated: boolean;
  /** Requests of all pages, whichever attempt made them; those that GitHub refused are not among them. */
  githubRequests: number;
  source: 'cache' | 'github';
}

/** All comments of a pull request, on its code with their threads and in its conversation, over REST. */
export const captureComments = defineJob({
  type: 'capture/pr.comments',
  title: 'Capture the comments of a pull request',
  lane: 'edge',
  quota: ['github:core'],
  payload: pullRequestPagesPayload,
  concurrency: onePerPullRequest,
  run: capture,
});

async function capture(ctx: Context): Promise<CapturedComments> {
  const found = await findPullRequest(ctx, 'comments');
  if (found.source === 'cache')
    return { comments: found.rows, pages: 0, truncated: false, githubRequests: 0, source: 'cache' };
  const { pullRequest } = found;
  const onCode = await capturePages(ctx, 'review comments', async (page, github) => {
    const fetched = await fetchReviewComments(ctx, github, pullRequest, page);
    return await store(ctx, pullRequest, fetched, false);
  });
  const inConversation = await capturePages(ctx, 'conversation comments', async (page, github) => {
    const fetched = await fetchConversation(ctx, github, pullRequest, page);
    return await store(ctx, pullRequest, fetched, fetched.last && !onCode.truncated);
  });
  return {
    comments: onCode.rows + inConversation.rows,
    pages: onCode.pages + inConversation.pages,
    truncated: onCode.truncated || inConversation.truncated,
    githubRequests: found.githubRequests + onCode.githubRequests + inConversation.githubRequests,
    source: 'github',
  };
}

interface FetchedPage {
  comments: CommentRow[];
  contributors: ContributorRows;
  /** No page of this list comes after it. */
  last: boolean;
}

async function fetchReviewComments(
  ctx: Context,
  github: GitHub,
  { owner, repo, pullRequestId }: KnownPullRequest,
  page: number,
): Promise<FetchedPage> {
  const list = { owner, repo, pull_number: ctx.payload.prNumber, per_page: 100, page };
  const answer = await github.rest.pulls.listReviewComments(list);
  const contributors = new ContributorRows();
  const comments = answer.data.map((comment) => reviewCommentFromRest(comment, pullRequestId, contributors));
  return { comments, contributors, last: !hasNextPage(answer.headers) };
}

async function fetchConversation(
  ctx: Context,
  github: GitHub,
  { owner, repo, pullRequestId }: KnownPullRequest,
  page: number,
): Promise<FetchedPage> {
  const list = { owner, repo, issue_number: ctx.payload.prNumber, per_page: 100, page };
  const answer = await github.rest.issues.listComments(list);
  const contributors = new ContributorRows();
  const comments = answer.data.map((comment) =>
    issueCommentFromRest(comment, { pull_request_github_id: pullRequestId }, contributors),
  );
  return { comments, contributors, last: !hasNextPage(answer.headers) };
}

/** @param complete - with this page the database has all comments of both lists */
async function store(
  { rpc, signal }: Context,
  { asOf, repositoryId, pullRequestId }: KnownPullRequest,
  { comments, contributors, last }: FetchedPage,
  complete: boolean,
): Promise<{ rows: number; last: boolean }> {
  const page = {
    fetched_at: asOf,
    repository: { github_id: repositoryId },
    pull_requests: complete ? [{ github_id: pullRequestId, comments_synced_at: asOf }] : [],
    comments,
    contributors: contributors.all(),
  };
  await storePage(rpc, page, signal);
  return { rows: comments.length, last };
}
