import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import type { RepositoryRow } from './store/capture-page.ts';
import { freshnessPayload, isFresh, nameOnGitHub } from './store/capture-state.ts';
import {
  captureChanges,
  fromTheTop,
  type CapturedPage,
  type Place,
  type Window,
} from './pages/changes-page.ts';
import { enqueueMissingDetails, type FollowUps } from './follow-ups/missing-details.ts';
import { lookUpChanges } from './store/pull-requests-state.ts';
import { repositoryKey, repositoryPayload } from './payload/repository-reference.ts';
import { ShrinkingPage } from './pages/shrinking-page.ts';

const payload = repositoryPayload.and(freshnessPayload).and(
  z.object({
    /** Pull requests that changed within so many days. Default: 30. */
    days: z.int().positive().max(36_500).default(30),
    /** Those that changed since then instead; a gap it leaves after the known times leaves these. Default: by `days`. */
    since: z.iso.datetime({ offset: true }).optional(),
    /** Pages of 100 pull requests that one run reads at most. Default: 200. */
    maxPages: z.int().positive().default(200),
    /** Forces one API, without a fallback. Default: GraphQL, or REST when GraphQL cannot serve. */
    api: z.enum(['graphql', 'rest']).optional(),
    /** Jobs that one run enqueues for missing reviews and comments at most. Default: 500. */
    maxFollowUps: z.int().nonnegative().max(5000).default(500),
  }),
);

type Context = JobContext<z.output<typeof payload>>;

interface SyncedRepository {
  /** Read from GitHub by this run, changed or not, each once: 0 when the database was fresh. */
  pullRequests: number;
  pages: number;
  /** True when `maxPages` ended the run before it had all changes: nothing counts as known then. */
  truncated: boolean;
  githubRequests: number;
  source: 'cache' | 'github';
  /** The API that read the last page; null when none was asked. */
  api: 'graphql' | 'rest' | null;
  /** Why REST took over from GraphQL, and at which page; null when it did not. */
  fallback: string | null;
  /** Jobs for the pull requests of the window whose reviews or comments are missing. */
  details: FollowUps;
}

/**
 * The pull requests that changed in the last days, the latest changed first, page by page until the first older one.
 *
 * Incremental: the database notes between which of GitHub's times every change is stored. A run whose window begins
 * among them reads only what changed after them; one that begins earlier, and one with `force`, reads its whole window.
 * They are moved by the page that completes a run, never by a truncated run, and never past a minute before the run
 * began or past the newest change it saw: two clocks differ, and the next run reads that change again.
 *
 * Pull requests that change while the run reads move to the front. A run is complete when nothing has changed since it
 * began at the top; otherwise it reads from the top again, down to the change that was the newest when it began before.
 *
 * When GraphQL fails in the middle, REST goes on at that page and stays until the end; the pages before are not read
 * again.
 */
export const syncRepository = defineJob({
  type: 'capture/repository.sync',
  title: 'Capture the pull requests of the last days',
  lane: 'edge',
  payload,
  // An invocation ends earlier, between two pages; an always-on process may take its time.
  timeoutSeconds: 900,
  concurrency: { key: ({ repository }) => repositoryKey(repository), limit: 1 },
  // No quota: a type whose quota is exhausted is not started, and here the other API serves.
  run: sync,
});

async function sync(ctx: Context): Promise<SyncedRepository> {
  const start = await ctx.step('look', () => look(ctx));
  const captured = start.isFresh ? nothing(start) : await captureWindow(ctx, start);
  const { repository, ...result } = captured;
  const details = await enqueueMissingDetails(ctx, repository, {
    since: start.window.wanted,
    atMost: ctx.payload.maxFollowUps,
  });
  return { ...result, details };
}

type Start =
  { isFresh: true; window: Window; repository: KnownRepository } | { isFresh: false; window: Window };

type KnownRepository = Pick<RepositoryRow, 'github_id' | 'owner' | 'name'>;

async function look({ rpc, signal, payload }: Context): Promise<Start> {
  const state = await lookUpChanges(rpc, payload.repository, signal);
  const { as_of: asOf, repository, changes: known } = state;
  const wanted = payload.since ?? new Date(Date.parse(asOf) - payload.days * 86_400_000).toISOString();
  const isKnown = known !== null && Date.parse(known.from) <= Date.parse(wanted);
  const isLater = isKnown && Date.parse(known.until) > Date.parse(wanted);
  const hasGap = known !== null && Date.parse(wanted) > Date.parse(known.until);
  const window = {
    asOf,
    ...nameOnGitHub(payload.repository, state),
    wanted,
    since: isLater && !payload.force ? known.until : wanted,
    movesMarks: payload.since === undefined || !hasGap,
  };
  if (repository !== null && isKnown && isFresh(known.age_seconds, payload))
    return { isFresh: true, window, repository };
  return { isFresh: false, window };
}

type Captured = Omit<SyncedRepository, 'details'> & { repository: KnownRepository };

function nothing({ repository }: { repository: KnownRepository }): Captured {
  const asked = { pullRequests: 0, pages: 0, truncated: false, githubRequests: 0 };
  return { ...asked, source: 'cache', api: null, fallback: null, repository };
}

async function captureWindow(ctx: Context, { window }: { window: Window }): Promise<Captured> {
  const { maxPages, api = 'graphql' } = ctx.payload;
  const steps = new ShrinkingPage(ctx, 100);
  const numbers = new Set<number>();
  let [pages, githubRequests] = [0, 0];
  let fallback: string | null = null;
  let place: Place | null = fromTheTop(api, window.since);
  let page: CapturedPage;
  do {
    const here: Place = place;
    pages += 1;
    const captured = await steps.step(`page ${pages}`, (size, github) =>
      captureChanges(ctx, github, window, here, size),
    );
    page = captured;
    page.numbers.forEach((number) => numbers.add(number));
    githubRequests += captured.githubRequests;
    if (page.fallback !== null) fallback = `page ${pages}: ${page.fallback}`;
    place = page.next;
    await ctx.progress(page.percent, `${numbers.size} pull requests on ${pages} pages`);
  } while (place !== null && pages < maxPages);
  const total = { pullRequests: numbers.size, pages, truncated: place !== null, githubRequests };
  return { ...total, source: 'github', api: page.api, fallback, repository: page.repository };
}
