/** What happened to a pull request. */
export interface Pull {
  repository: number;
  author: Account | null;
  createdAt: Date;
  mergedAt: Date | null;
  /** Also of a merged one. */
  closedAt: Date | null;
  reviews: { by: Account | null; at: Date }[];
  comments: { by: Account | null; at: Date }[];
}

/** Null: the account was deleted. */
export interface Account {
  id: string;
  isBot: boolean;
}

/** The columns of `workspace_metrics` and `workspace_daily_metrics`. */
export type Numbers = Record<string, number | null>;

const dayMs = 86_400_000;

export function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}

export function daysBefore(day: string, days: number): string {
  return dayOf(new Date(Date.parse(day) - days * dayMs));
}

/** The definitions of the metrics, applied to the pull requests one by one: slow, and nothing like the SQL. */
export function truthOf(pulls: readonly Pull[], firstDay: string, lastDay: string): Numbers {
  const within = (time: Date | null): boolean =>
    time !== null && dayOf(time) >= firstDay && dayOf(time) <= lastDay;
  const existing = pulls.filter(({ createdAt }) => dayOf(createdAt) <= lastDay);
  const merged = pulls.filter(({ mergedAt }) => within(mergedAt));
  const reviewed = pulls.filter((pull) => within(firstReview(pull)));
  const reviews = pulls.flatMap(othersReviews).filter(({ at }) => within(at));
  const comments = pulls
    .flatMap((pull) => pull.comments)
    .filter(({ by, at }) => within(at) && by?.isBot !== true);
  const opened = pulls.filter(({ createdAt }) => within(createdAt));
  const people = [...opened.map(({ author }) => author), ...[...reviews, ...comments].map(({ by }) => by)];
  const withReview = merged.filter((pull) => firstReview(pull) !== null).length;
  return {
    pull_requests: existing.length,
    open: existing.filter(({ closedAt }) => closedAt === null || dayOf(closedAt) > lastDay).length,
    opened: opened.length,
    merged: merged.length,
    closed: pulls.filter(({ mergedAt, closedAt }) => mergedAt === null && within(closedAt)).length,
    ...times(
      'merge',
      merged.map(({ createdAt, mergedAt }) => secondsBetween(createdAt, mergedAt)),
    ),
    active_contributors: distinct(people),
    reviews: reviews.length,
    reviewers: distinct(reviews.map(({ by }) => by)),
    ...times(
      'first_review',
      reviewed.map((pull) => secondsBetween(pull.createdAt, firstReview(pull))),
    ),
    merged_with_review: withReview,
    review_coverage: merged.length === 0 ? null : Math.round((withReview / merged.length) * 10_000) / 10_000,
    comments: comments.length,
  };
}

function othersReviews({ author, reviews }: Pull): Pull['reviews'] {
  return reviews.filter(({ by }) => by?.isBot !== true && by?.id !== author?.id);
}

function firstReview(pull: Pull): Date | null {
  const [first] = othersReviews(pull).toSorted((a, b) => a.at.getTime() - b.at.getTime());
  return first?.at ?? null;
}

function secondsBetween(since: Date, until: Date | null): number {
  return Math.max(0, Math.floor(((until?.getTime() ?? 0) - since.getTime()) / 1000));
}

function distinct(accounts: readonly (Account | null)[]): number {
  return new Set(accounts.flatMap((account) => (account && !account.isBot ? [account.id] : []))).size;
}

function times(of: string, seconds: readonly number[]): Numbers {
  const sorted = seconds.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const [low = 0, high = 0] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  const sum = sorted.reduce((total, each) => total + each, 0);
  const none = sorted.length === 0;
  return {
    [`average_${of}_seconds`]: none ? null : Math.round(sum / sorted.length),
    [`median_${of}_seconds`]: none ? null : Math.round((low + high) / 2),
  };
}
