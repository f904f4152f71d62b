import { expect } from 'vitest';
import type { PullRequest } from '../../src/local/github/data/records.ts';
import type { GitHubStandIn } from '../../src/local/github/stand-in.ts';
import type { TestDatabase } from './database.ts';
import { commentRows, reviewRows, trueComments, trueReviews } from './pull-request-truth.ts';

const tables = ['repositories', 'contributors', 'pull_requests', 'reviews', 'comments'];

/**
 * All captured rows of a table after the other, by GitHub's ids.
 * @param keep - `content`: what two databases with the same captures have in common; `rows`: with our ids, which stay
 * when a capture is repeated; `everything`: with the times of the captures, too
 */
export async function snapshot(
  { pool }: TestDatabase,
  keep: 'content' | 'rows' | 'everything',
): Promise<unknown[][]> {
  const isKept = (column: string): boolean =>
    column.includes('synced') ? keep === 'everything' : keep !== 'content' || !/^id$|[^b]_id$/.test(column);
  const snapshots = tables.map(async (table) => {
    const { rows } = await pool.query<object>(
      `select * from ${table} as t order by t.github_id, to_jsonb(t) ->> 'comment_type'`,
    );
    return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([column]) => isKept(column))));
  });
  return await Promise.all(snapshots);
}

/** The reviews and comments of these pull requests are stored as the stand-in knows them. */
export async function expectDetails(database: TestDatabase, pulls: readonly PullRequest[]): Promise<void> {
  for (const pull of pulls) {
    expect(await reviewRows(database, pull.number)).toMatchObject(trueReviews(pull));
    expect(await commentRows(database, pull.number)).toMatchObject(trueComments(pull));
  }
}

/** Numbers of the pull requests whose details are not known to be complete. */
export async function incomplete({ pool }: TestDatabase): Promise<number[]> {
  const { rows } = await pool.query<{ number: number }>(
    'select number from pull_requests where details_synced_at is null order by number',
  );
  return rows.map(({ number }) => number);
}

/** What a job says that has stored all of these. */
export function countsOf(pulls: readonly PullRequest[]): {
  pullRequests: number;
  reviews: number;
  comments: number;
} {
  const sum = (count: (pull: PullRequest) => number): number =>
    pulls.reduce((total, pull) => total + count(pull), 0);
  return {
    pullRequests: pulls.length,
    reviews: sum((pull) => pull.reviews.length),
    comments: sum((pull) => pull.reviewComments.length + pull.comments.length),
  };
}

/** The queries that GitHub answered since `from`, with their variables; refusals and unanswered ones apart. */
export function answeredQueries({ requests }: GitHubStandIn, from: number): string[] {
  return requests
    .slice(from)
    .filter(({ status, fault }) => status === 200 && fault === null)
    .map(({ graphql }) => JSON.stringify(graphql));
}

/** The size of each page that was asked for since `from`. */
export function askedSizes({ requests }: GitHubStandIn, from: number): unknown[] {
  return requests
    .slice(from)
    .map(({ graphql }) => graphql?.variables.first)
    .filter((first) => first !== undefined);
}

/** Requests for what does not fit on the page of a pull request: 50 reviews, 50 comments and 10 threads do. */
export function restRequests(pull: PullRequest): number {
  const threads = pull.reviewComments.filter(({ inReplyToId }) => inReplyToId === null).length;
  return Math.max(
    Math.ceil((pull.reviews.length - 50) / 100),
    Math.ceil((pull.comments.length - 50) / 100),
    Math.ceil((threads - 10) / 50),
  );
}
