import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';
import type { RepositoryRow } from './store/capture-page.ts';
import { freshnessPayload, isFresh, nameOnGitHub } from './store/capture-state.ts';
import { ContributorRows } from './rows/contributor-rows.ts';
import { earlierOf, markBefore } from './pages/github-times.ts';
import { lookUpIssues, storeIssuesPage, type IssuesState } from './store/issues-state.ts';
import { repositoryKey, repositoryPayload } from './payload/repository-reference.ts';
import { hasNextPage } from './pages/rest-pages.ts';
import { issueCommentFromRest, issueFromRest, repositoryFromRest } from './rows/rows-from-rest.ts';

const payload = repositoryPayload.and(freshnessPayload).and(
  z.object({
    issueNumber: z.int32().positive(),
    /** Reads again what changed since then, when that is before the end of the last capture. Default: that end. */
    since: z.iso.datetime({ offset: true }).optional(),
    /** Pages of 100 comments that one run reads; the next run continues. Default: 50. */
    maxPages: z.int().positive().default(50),
  }),
);

type Context = JobContext<z.output<typeof payload>>;

interface CapturedComments {
  /** Read from GitHub by this run, changed or not: 0 when the database was fresh. */
  comments: number;
  pages: number;
  /** True when `maxPages` ended the run before it had all comments. */
  truncated: boolean;
  githubRequests: number;
  source: 'cache' | 'github';
}

/**
 * All comments of an issue; after the first time, those that changed since.
 *
 * GitHub lists them by id, so page numbers move only when a comment is deleted: the later ones move up. Pages are
 * therefore read from the last to the first, where a comment that moves up is still to come. What is written meanwhile
 * is for the next run, which asks for changes since the start of this one. More changes than one page holds could move
 * either way, and are read as all comments are.
 */
export const captureIssueComments = defineJob({
  type: 'capture/issue.comments',
  title: 'Capture the comments of an issue',
  lane: 'edge',
  quota: ['github:core'],
  payload,
  concurrency: {
    key: ({ repository, issueNumber }) => `comments of ${repositoryKey(repository)}#${issueNumber}`,
    limit: 1,
  },
  run: capture,
});

async function capture(ctx: Context): Promise<CapturedComments> {
  const start = await ctx.step('look', () => look(ctx));
  if (start === null) return { comments: 0, pages: 0, truncated: false, githubRequests: 0, source: 'cache' };
  const { maxPages } = ctx.payload;
  let { githubRequests } = start;
  let [comments, pages] = [0, 0];
  let position: Position | null = start.position;
  while (position !== null && pages < maxPages) {
    const here: Position = position;
    pages += 1;
    const captured: Captured = await ctx.step(`page ${pages}`, () => capturePage(ctx, start, here));
    comments += captured.comments;
    githubRequests += captured.githubRequests;
    position = captured.next;
    await ctx.progress(Math.min(99, (100 * pages) / maxPages), `${comments} comments on ${pages} pages`);
  }
  return { comments, pages, truncated: position !== null, githubRequests, source: 'github' };
}

/** Where the run is: on a page of all comments, or at those that changed since a time. */
type Position =
  | {
      page: number;
      /** Changes after this time are for a later look. */
      mark: string;
      /** From the newest comment of all on, so that nothing is left when it has come to the first page. */
      isWhole: boolean;
    }
  | { since: string };

interface Start {
  asOf: string;
  repository: RepositoryRow;
  issueId: number;
  /** How many pages of 100 all its comments are. */
  allPages: number;
  position: Position;
  githubRequests: number;
}

/** Stores the issue, to which the comments belong. Null when the database is fresh. */
async function look({ rpc, signal, payload, github: anyGitHub }: Context): Promise<Start | null> {
  const { repository: reference, issueNumber } = payload;
  const state = await lookUpIssues(rpc, reference, { issueNumber, signal });
  if (isFresh(state.issue?.comments_age_seconds, payload)) return null;
  const github = anyGitHub.withSignal(signal);
  const { data } = await github.rest.repos.get(nameOnGitHub(reference, state));
  const repository = repositoryFromRest(data);
  const name = { owner: repository.owner, repo: repository.name };
  const { data: issue } = await github.rest.issues.get({ ...name, issue_number: issueNumber });
  if (issue.pull_request !== undefined)
    throw new NonRetryableError(`issueNumber: expected an issue, ${issueNumber} is a pull request`);
  const contributors = new ContributorRows();
  const issues = [issueFromRest(issue, contributors)];
  const page = { fetched_at: state.as_of, repository, issues, contributors: contributors.all() };
  await storeIssuesPage(rpc, page, {}, signal);
  const allPages = Math.max(1, Math.ceil(issue.comments / 100));
  return {
    ...{ asOf: state.as_of, repository, issueId: issue.id, allPages },
    position: begin(state, allPages, payload.since),
    githubRequests: github.requestCount,
  };
}

function begin(state: IssuesState, allPages: number, since: string | undefined): Position {
  const mark = state.issue?.comments_synced_until ?? null;
  if (mark === null) return { page: allPages, mark: markBefore(state.as_of), isWhole: true };
  const left = state.issue?.comments_pages_left ?? 0;
  if (left > 0) return { page: left, mark, isWhole: false };
  return { since: earlierOf(since ?? mark, mark) };
}

interface Captured {
  comments: number;
  githubRequests: number;
  /** Null when there is nothing left. */
  next: Position | null;
}

async function capturePage(ctx: Context, start: Start, position: Position): Promise<Captured> {
  const { rpc, signal } = ctx;
  const { asOf, repository, issueId } = start;
  const github = ctx.github.withSignal(signal);
  const { data, headers } = await github.rest.issues.listComments({
    ...{ owner: repository.owner, repo: repository.name, issue_number: ctx.payload.issueNumber },
    ...('since' in position ? { since: position.since } : { page: position.page }),
    per_page: 100,
  });
  const next = after(position, start, hasNextPage(headers));
  const contributors = new ContributorRows();
  const comments = data.map((comment) =>
    issueCommentFromRest(comment, { issue_github_id: issueId }, contributors),
  );
  await storeIssuesPage(
    rpc,
    { fetched_at: asOf, repository, comments, contributors: contributors.all() },
    { issue: { github_id: issueId, ...progress(position, next, asOf) } },
    signal,
  );
  return { comments: comments.length, githubRequests: github.requestCount, next };
}

function after(position: Position, { allPages, asOf }: Start, hasNext: boolean): Position | null {
  if ('since' in position) return hasNext ? { page: allPages, mark: markBefore(asOf), isWhole: true } : null;
  if (position.page > 1) return { ...position, page: position.page - 1 };
  return position.isWhole ? null : { since: position.mark };
}

function progress(position: Position, next: Position | null, asOf: string) {
  if (next === null) {
    const mark = 'since' in position ? markBefore(asOf) : position.mark;
    return { comments_synced_until: mark, comments_pages_left: 0, comments_synced_at: asOf };
  }
  const mark = 'since' in position ? position.since : position.mark;
  return { comments_synced_until: mark, comments_pages_left: 'page' in next ? next.page : 0 };
}
