import type { GitHub } from '../../../github/github.ts';
import { QueryTooLargeError } from '../../outcomes.ts';
import type { JobContext } from '../../job-context.ts';
import type { RepositoryRow } from '../store/capture-page.ts';
import { preferGraphQL, type Served } from './either-api.ts';
import { earlierOf, markBefore } from './github-times.ts';
import type { ListPlace, PullRequestList, RepositoryName } from './pull-request-list.ts';
import { listOverGraphQL } from './pull-requests-over-graphql.ts';
import { listOverRest, resumeOverRest } from './pull-requests-over-rest.ts';
import { storeChanges, type ChangesRange } from '../store/pull-requests-state.ts';

/** What one run captures. */
export interface Window extends RepositoryName {
  /** The database's time of the look that came before every request. */
  asOf: string;
  /** Changes since then were asked for. */
  wanted: string;
  /** Changes since then are read: later than `wanted` where those between are known. */
  since: string;
  /** False when the run leaves a gap between what is known and what it reads. */
  movesMarks: boolean;
}

/** Where a run stands on its way from the latest change down. */
export interface Place {
  list: ListPlace;
  /** It ends with this change. */
  downTo: string;
  /** The newest change when it began at the top; null: it begins now. */
  top: string | null;
  /** Pull requests read on the way, or fewer: answers may repeat them. */
  read: number;
  /** The earliest change among them; null: none was read. */
  oldest: string | null;
}

export interface CapturedPage {
  /** Of the pull requests on the page, for counting each once. */
  numbers: number[];
  repository: Pick<RepositoryRow, 'github_id' | 'owner' | 'name'>;
  api: 'graphql' | 'rest';
  fallback: string | null;
  /** From 0 to 99: how much of the window's time is read. */
  percent: number;
  /** Null when the run is complete. */
  next: Place | null;
}

/** The top of the list, over one API. */
export function fromTheTop(api: 'graphql' | 'rest', downTo: string): Place {
  const list: ListPlace = api === 'graphql' ? { api, after: null } : { api, page: 1 };
  return { list, downTo, top: null, read: 0, oldest: null };
}

type Context = JobContext<{ api?: 'graphql' | 'rest' | undefined }>;

/**
 * Reads the page at this place, and stores those of its pull requests that changed within the window.
 * @param size - of the page over GraphQL
 * @throws {QueryTooLargeError} a smaller page is to be tried
 */
export async function captureChanges(
  ctx: Context,
  github: GitHub,
  window: Window,
  place: Place,
  size: number,
): Promise<CapturedPage> {
  const { answer, fallback } = await read(ctx, github, window, place, size);
  const api = fallback === null ? place.list.api : 'rest';
  const pullRequests = answer.pullRequests.filter(({ updated_at }) => !isBefore(updated_at, place.downTo));
  const top = place.top ?? answer.newest;
  const next = nextPlace(answer, api, { ...place, top });
  const changes = next === null && window.movesMarks ? knownRange(window, top) : null;
  const { repository, contributors } = answer;
  await storeChanges(
    ctx.rpc,
    {
      fetched_at: window.asOf,
      repository: changes === null ? repository : { ...repository, pull_requests_synced_at: window.asOf },
      pull_requests: pullRequests,
      contributors,
    },
    changes,
    ctx.signal,
  );
  const { github_id, owner, name } = repository;
  return {
    numbers: pullRequests.map(({ number }) => number),
    repository: { github_id, owner, name },
    ...{ api, fallback, next },
    percent: percentOf(window, oldestOf(answer)),
  };
}

/** GraphQL gets this far with smaller pages; then REST, whose pages are 100, takes less time for the rest. */
const smallestSize = 25;

async function read(
  ctx: Context,
  github: GitHub,
  { owner, repo }: Window,
  { list, read, oldest }: Place,
  size: number,
): Promise<Served<PullRequestList>> {
  const name = { owner, repo };
  if (list.api === 'rest') return { answer: await listOverRest(github, name, list.page), fallback: null };
  const overGraphQL = () => listOverGraphQL(github, name, { first: size, after: list.after });
  if (ctx.payload.api === 'graphql') return { answer: await overGraphQL(), fallback: null };
  return await preferGraphQL(ctx, overGraphQL, () => resumeOverRest(github, name, read, oldest), {
    unless: (error) => error instanceof QueryTooLargeError && size > smallestSize,
  });
}

/**
 * On, until the list ends or goes past `downTo`. Then from the top again, down to where this way began, unless this
 * answer shows that nothing changed since. REST tells that on its first page only.
 */
function nextPlace(answer: PullRequestList, api: 'graphql' | 'rest', place: Place): Place | null {
  const { top, downTo } = place;
  const oldest = oldestOf(answer) ?? place.oldest;
  const isPast = oldest !== null && isBefore(oldest, downTo);
  if (answer.next !== null && !isPast)
    return { ...place, list: answer.next, read: place.read + countNew(answer, place), oldest };
  return answer.newest === top ? null : fromTheTop(api, top ?? downTo);
}

/**
 * Between which times every change is stored once the run is complete: up to the newest change that it saw, but for the
 * last minute. Null when the whole window is later than that.
 */
function knownRange({ since, asOf }: Window, top: string | null): ChangesRange | null {
  const latest = markBefore(asOf);
  if (isBefore(latest, since)) return null;
  const until = top === null ? since : earlierOf(top, latest);
  return { from: since, until: isBefore(until, since) ? since : until };
}

/** How many pull requests of the page were certainly not on a page before. */
function countNew({ pullRequests }: PullRequestList, { oldest }: Place): number {
  const isNew = (updatedAt: string): boolean => oldest === null || isBefore(updatedAt, oldest);
  const later = pullRequests.filter(({ updated_at }) => isNew(updated_at));
  return new Set(later.map(({ number }) => number)).size;
}

/** Not the last one's change: an answer may show a pull request twice. */
function oldestOf({ pullRequests }: PullRequestList): string | null {
  const times = pullRequests.map(({ updated_at }) => updated_at);
  return times.length === 0 ? null : earlierOf(...times);
}

function percentOf({ asOf, since }: Window, oldest: string | null): number {
  const [now, end] = [Date.parse(asOf), Date.parse(since)];
  const done = oldest === null || now <= end ? 1 : (now - Date.parse(oldest)) / (now - end);
  return Math.floor(99 * Math.min(1, Math.max(0, done)));
}

function isBefore(time: string, other: string): boolean {
  return Date.parse(time) < Date.parse(other);
}
