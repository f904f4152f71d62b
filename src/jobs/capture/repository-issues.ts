import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import type { RepositoryRow } from './store/capture-page.ts';
import { freshnessPayload, isFresh, nameOnGitHub } from './store/capture-state.ts';
import { ContributorRows } from './rows/contributor-rows.ts';
import { earlierOf, markBefore } from './pages/github-times.ts';
import {
  lookUpIssues,
  storeIssuesPage,
  type IssuesProgress,
  type IssuesState,
} from './store/issues-state.ts';
import { repositoryKey, repositoryPayload } from './payload/repository-reference.ts';
import { hasNextPage } from './pages/rest-pages.ts';
import { issueFromRest, repositoryFromRest } from './rows/rows-from-rest.ts';

const payload = repositoryPayload.and(freshnessPayload).and(
  z.object({
    /**
     * Lists what changed since then. Default: where the last capture ended. A time after that leaves the time where the
     * next capture begins as it is, for there would be a gap.
     */
    since: z.iso.datetime({ offset: true }).optional(),
    /** Pages of 100 issues and pull requests that one run reads; the next run continues. Default: 50. */
    maxPages: z.int().positive().default(50),
  }),
);

type Context = JobContext<z.output<typeof payload>>;

interface CapturedIssues {
  /** Read from GitHub by this run, changed or not: 0 when the database was fresh. */
  issues: number;
  pages: number;
  /** True when `maxPages` ended the run before it had reached the latest change. */
  truncated: boolean;
  githubRequests: number;
  source: 'cache' | 'github';
}

/**
 * The issues of a repository that changed since the last capture, the longest unchanged first.
 *
 * Each page begins at the time of the last change on the page before, not at a page number: an issue that changes
 * meanwhile moves to the end, and all others would move up, past a page number.
 */
export const captureRepositoryIssues = defineJob({
  type: 'capture/repository.issues',
  title: 'Capture the issues of a repository',
  lane: 'edge',
  quota: ['github:core'],
  payload,
  concurrency: { key: ({ repository }) => `issues of ${repositoryKey(repository)}`, limit: 1 },
  run: capture,
});

async function capture(ctx: Context): Promise<CapturedIssues> {
  const start = await ctx.step('look', () => look(ctx));
  if (start === null) return { issues: 0, pages: 0, truncated: false, githubRequests: 0, source: 'cache' };
  const { maxPages } = ctx.payload;
  let { githubRequests } = start;
  let [issues, pages] = [0, 0];
  let position: Position | null = { since: start.since, page: 1, seen: [] };
  // Never ends among issues of the same second: the next run would begin with that second, and come no further.
  while (position !== null && (pages < maxPages || position.page > 1)) {
    const here: Position = position;
    pages += 1;
    const captured: Captured = await ctx.step(`page ${pages}`, () => capturePage(ctx, start, here));
    issues += captured.issues;
    githubRequests += captured.githubRequests;
    position = captured.next;
    await ctx.progress(Math.min(99, (100 * pages) / maxPages), `${issues} issues on ${pages} pages`);
  }
  return { issues, pages, truncated: position !== null, githubRequests, source: 'github' };
}

interface Start {
  asOf: string;
  repository: RepositoryRow;
  since: string | null;
  /** False when the run leaves a gap between what is known and what it reads. */
  movesMark: boolean;
  githubRequests: number;
}

/** Null when the database is fresh. */
async function look({ rpc, signal, payload, github: anyGitHub }: Context): Promise<Start | null> {
  const state = await lookUpIssues(rpc, payload.repository, { signal });
  if (isFresh(state.issues?.age_seconds, payload)) return null;
  const github = anyGitHub.withSignal(signal);
  const { data } = await github.rest.repos.get(nameOnGitHub(payload.repository, state));
  return {
    asOf: state.as_of,
    repository: repositoryFromRest(data),
    ...begin(state, payload.since),
    githubRequests: github.requestCount,
  };
}

function begin(state: IssuesState, since: string | undefined): Pick<Start, 'since' | 'movesMark'> {
  const mark = state.issues?.synced_until ?? null;
  const from = since ?? mark;
  const hasGap = since !== undefined && (mark === null || Date.parse(since) > Date.parse(mark));
  return { since: from === null ? null : earlierOf(from), movesMark: !hasGap };
}

interface Position {
  /** Null: from the beginning. */
  since: string | null;
  /** Above 1 only while more issues than fit on a page changed in one second. */
  page: number;
  /** GitHub ids at the end of the page before, which come again. */
  seen: number[];
}

interface Captured {
  issues: number;
  githubRequests: number;
  /** Null when this was the last page. */
  next: Position | null;
}

async function capturePage(ctx: Context, start: Start, position: Position): Promise<Captured> {
  const { rpc, signal } = ctx;
  const github = ctx.github.withSignal(signal);
  const list = (page: number) =>
    github.rest.issues.listForRepo({
      ...{ owner: start.repository.owner, repo: start.repository.name, page, per_page: 100 },
      ...{ state: 'all', sort: 'updated', direction: 'asc', since: position.since ?? undefined },
    });
  const { data: items, headers } = await list(position.page);
  // Page numbers again: what moved up from this page, before it was read, is on the page before by now.
  const movedUp = position.page > 1 ? (await list(position.page - 1)).data : [];
  const contributors = new ContributorRows();
  const issues = [...movedUp, ...items]
    .filter((item) => item.pull_request === undefined)
    .map((item) => issueFromRest(item, contributors));
  const last = items.at(-1)?.updated_at ?? null;
  const isLast = !hasNextPage(headers);
  await storeIssuesPage(
    rpc,
    { fetched_at: start.asOf, repository: start.repository, issues, contributors: contributors.all() },
    start.movesMark ? progress(start.asOf, last, isLast) : {},
    signal,
  );
  const seen = issues.filter((issue) => issue.updated_at === last).map((issue) => issue.github_id);
  return {
    issues: issues.filter((issue) => !position.seen.includes(issue.github_id)).length,
    githubRequests: github.requestCount,
    next: isLast ? null : { ...after(position, last), seen },
  };
}

function progress(asOf: string, last: string | null, isLast: boolean): IssuesProgress {
  return {
    ...(last === null ? {} : { issues_synced_until: earlierOf(last, markBefore(asOf)) }),
    ...(isLast ? { issues_synced_at: asOf } : {}),
  };
}

function after({ since, page }: Position, last: string | null): Pick<Position, 'since' | 'page'> {
  const isLater = last !== null && (since === null || Date.parse(last) > Date.parse(since));
  return isLater ? { since: last, page: 1 } : { since, page: page + 1 };
}
