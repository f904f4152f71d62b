import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { runJob } from '../../../tests/support/job-context.ts';
import { silentLogger } from '../../../tests/support/silent-logger.ts';
import { createGitHub } from '../../github/create-github.ts';
import type { GitHub } from '../../github/github.ts';
import type { Account, PullRequest, Review } from '../../local/github/data/records.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../local/github/stand-in.ts';
import type { JobRow } from '../../queue/job-queue.ts';

const type = 'update/pr.activity';
const repository = 'octo-org/lively';
let database: TestDatabase;
let standIn: GitHubStandIn;
let github: GitHub;

/** 60 pull requests, all of them captured; every review looks at one of three commits, or at one that is gone. */
beforeAll(async () => {
  database = await createTestDatabase();
  const recipe = { owner: 'octo-org', name: 'lively', pullRequests: 60, seed: 7 };
  standIn = await startGitHubStandIn({ repositories: [recipe] });
  github = createGitHub({ tokenName: 'GITHUB_TOKEN', baseUrl: standIn.url, log: silentLogger });
  for (const pull of pulls()) {
    truth().editPullRequest(pull.number, { reviews: pull.reviews.map(mixUp(pull)) });
    await runJob(database, github, 'capture/pr.details', { repository, prNumber: pull.number });
  }
});

afterAll(async () => {
  await standIn.close();
  await database.close();
});

function truth() {
  const found = standIn.data.repository(repository);
  if (!found) throw new Error('the stand-in has lost the repository');
  return found;
}

const pulls = (): PullRequest[] => truth().pullRequests();

const bot: Account = {
  ...{ type: 'Bot', login: 'review-bot[bot]', databaseId: 77_000_001, nodeId: 'BOT_kgDO77' },
  ...{ name: null, avatarUrl: 'https://avatars.githubusercontent.com/u/77000001?v=4' },
};

/** Reviews by the author, by a bot and by deleted accounts, pending ones, and several commits, in turns. */
function mixUp({ author, number }: PullRequest) {
  return (review: Review, index: number): Review => {
    const turn = (number * 7 + index * 3) % 8;
    const commitOid = turn === 0 ? null : `${'abc'.charAt(turn % 3)}`.repeat(40);
    if (turn === 1) return { ...review, commitOid, author };
    if (turn === 2) return { ...review, commitOid, author: bot };
    if (turn === 3) return { ...review, commitOid, author: null };
    if (turn === 4) return { ...review, commitOid, state: 'PENDING', submittedAt: null };
    return { ...review, commitOid };
  };
}

interface Metrics {
  pullRequest: number;
  firstReviewAt: string | null;
  timeToFirstReviewSeconds: number | null;
  reviewRounds: number;
  reviews: number;
  reviewComments: number;
  conversationComments: number;
  comments: number;
  participants: number;
  lastActivityAt: string;
}

/** The metrics by their definitions, from what the stand-in knows. */
function trueMetrics(pull: PullRequest): Metrics {
  const login = (account: Account | null): string => account?.login ?? 'deleted';
  const submitted = pull.reviews.flatMap(({ submittedAt, ...review }) =>
    submittedAt === null ? [] : [{ ...review, submittedAt }],
  );
  const byOthers = submitted.filter(
    ({ author }) => login(author) !== login(pull.author) && author?.type !== 'Bot',
  );
  const comments = [...pull.reviewComments, ...pull.comments];
  const accounts = [pull, ...submitted, ...comments].map(({ author }) => author);
  const people = accounts.filter((account) => account !== null && account.type !== 'Bot').map(login);
  const firstReviewAt = byOthers.map(({ submittedAt }) => submittedAt).sort()[0] ?? null;
  const moments = [
    ...[pull.updatedAt, pull.mergedAt, pull.closedAt],
    ...submitted.map(({ submittedAt }) => submittedAt),
    ...comments.flatMap(({ createdAt, updatedAt }) => [createdAt, updatedAt]),
  ];
  return {
    pullRequest: pull.number,
    firstReviewAt,
    timeToFirstReviewSeconds:
      firstReviewAt === null ? null : (Date.parse(firstReviewAt) - Date.parse(pull.createdAt)) / 1000,
    reviewRounds: new Set(byOthers.flatMap(({ commitOid }) => commitOid ?? [])).size,
    reviews: submitted.length,
    reviewComments: pull.reviewComments.length,
    conversationComments: pull.comments.length,
    comments: comments.length,
    participants: new Set(people).size,
    lastActivityAt:
      moments
        .filter((moment) => moment !== null)
        .sort()
        .at(-1) ?? '',
  };
}

const update = (payload: object): Promise<JobRow> => runJob(database, github, type, payload);

/** Times as GitHub writes them. */
function asGitHubWrites(result: unknown): unknown {
  const metrics = result as Metrics;
  const time = (text: string): string => new Date(text).toISOString().replace(/\.000/, '');
  return {
    ...metrics,
    firstReviewAt: metrics.firstReviewAt && time(metrics.firstReviewAt),
    lastActivityAt: time(metrics.lastActivityAt),
  };
}

async function stored(): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    `select pull.number, activity.* from pull_request_activity activity
     join pull_requests pull on pull.id = activity.pull_request_id order by pull.number`,
  );
  return rows;
}

describe('update/pr.activity', () => {
  it('computes what the definitions say, and stores it', async () => {
    const expected = pulls().map(trueMetrics);
    const results = [];
    for (const { number: prNumber } of pulls()) results.push((await update({ repository, prNumber })).result);
    expect(results.map(asGitHubWrites)).toEqual(expected);
    expect(await stored()).toMatchObject(
      expected.map((metrics) => ({
        number: metrics.pullRequest,
        first_review_at: metrics.firstReviewAt && new Date(metrics.firstReviewAt),
        review_rounds: metrics.reviewRounds,
        comments: metrics.comments,
        participants: metrics.participants,
        last_activity_at: new Date(metrics.lastActivityAt),
      })),
    );
    // The data is worth the comparison.
    expect(expected.some(({ reviewRounds }) => reviewRounds > 1)).toBe(true);
    expect(expected.some(({ reviews, firstReviewAt }) => reviews > 0 && firstReviewAt === null)).toBe(true);
    expect(expected.some(({ reviews }) => reviews > 100)).toBe(true);
    expect(pulls().some(({ author }) => author === null)).toBe(true);
  });

  it('asks GitHub nothing, and run again changes nothing but computed_at', async () => {
    const { number: prNumber } = pulls()[10] ?? { number: 0 };
    await update({ repository, prNumber });
    const [before, asked] = [await stored(), standIn.requests.length];
    await update({ owner: 'OCTO-org', repo: 'lively', pr_number: prNumber });
    const after = await stored();
    const withoutTime = (rows: typeof after): object[] => rows.map((row) => ({ ...row, computed_at: null }));
    expect(withoutTime(after)).toEqual(withoutTime(before));
    expect(after).not.toEqual(before);
    expect(standIn.requests).toHaveLength(asked);
  });

  it('takes up what was captured since', async () => {
    const pull = pulls()[11];
    const prNumber = pull?.number ?? 0;
    await update({ repository, prNumber });
    const later = new Date().toISOString().replace(/\.\d+/, '');
    const comments = (pull?.comments ?? []).map((comment) => ({ ...comment, updatedAt: later }));
    truth().editPullRequest(prNumber, { reviews: [], reviewComments: [], comments, updatedAt: later });
    await database.pool.query('delete from reviews');
    await runJob(database, github, 'capture/pr.details', { repository, prNumber, force: true });
    const again = await update({ repository, prNumber });
    expect(again.result).toMatchObject({ reviews: 0, reviewRounds: 0, firstReviewAt: null });
    expect(asGitHubWrites(again.result)).toMatchObject({ lastActivityAt: later });
  });

  it('is gone with its pull request', async () => {
    const { number: prNumber } = pulls()[12] ?? { number: 0 };
    await update({ repository, prNumber });
    await database.pool.query('delete from pull_requests where number = $1', [prNumber]);
    expect((await stored()).map(({ number }) => number)).not.toContain(prNumber);
  });

  it('fails for good for a pull request that is not captured, and says what to do', async () => {
    const job = await update({ repository, prNumber: 999 });
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(job.error).toContain('got 999 of octo-org/lively: capture it with capture/pr.details first');
    const stranger = await update({ repositoryId: '00000000-0000-4000-8000-000000000000', prNumber: 1 });
    expect(stranger).toMatchObject({ status: 'failed', retryCount: 0 });
  });

  it('answers to its older name too', async () => {
    const { number: prNumber } = pulls()[13] ?? { number: 0 };
    const job = await runJob(database, github, 'update-pr-activity', { repository, prNumber });
    expect(job).toMatchObject({ status: 'completed', result: { pullRequest: prNumber } });
  });

  it('shows its rows to signed-in users, and to nobody else', async () => {
    const client = await database.pool.connect();
    try {
      await client.query('begin; set local role authenticated');
      const { rowCount } = await client.query('select from pull_request_activity');
      expect(rowCount).toBeGreaterThan(0);
      await client.query('rollback; begin; set local role anon');
      await expect(client.query('select from pull_request_activity')).rejects.toThrow('permission denied');
      await client.query('rollback; begin; set local role authenticated');
      await expect(client.query(`select update_pull_request_activity('{}', 1)`)).rejects.toThrow(
        'permission denied',
      );
    } finally {
      await client.query('rollback');
      client.release();
    }
  });
});
