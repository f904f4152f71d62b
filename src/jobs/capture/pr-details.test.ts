import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { runJob } from '../../../tests/support/job-context.ts';
import {
  commentRows,
  reviewRows,
  trueComments,
  trueReviews,
} from '../../../tests/support/pull-request-truth.ts';
import { silentLogger } from '../../../tests/support/silent-logger.ts';
import { createGitHub } from '../../github/create-github.ts';
import type { GitHub } from '../../github/github.ts';
import type { PullRequest } from '../../local/github/data/records.ts';
import type { Repository } from '../../local/github/data/repository.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../local/github/stand-in.ts';

const type = 'capture/pr.details';
const repository = 'octo-org/hello-hybrid';
let database: TestDatabase;
let standIn: GitHubStandIn;
let github: GitHub;
let truth: Repository;

beforeAll(async () => {
  database = await createTestDatabase();
  standIn = await startGitHubStandIn();
  github = createGitHub({
    token: 'test-token',
    tokenName: 'GITHUB_TOKEN',
    baseUrl: standIn.url,
    log: silentLogger,
  });
  const found = standIn.data.repository(repository);
  if (!found) throw new Error(`the stand-in has no ${repository}`);
  truth = found;
});

afterAll(async () => {
  await standIn.close();
  await database.close();
});

/** A pull request of the stand-in for which the question holds. */
function findPull(question: (pull: PullRequest) => boolean): PullRequest {
  const pull = truth.pullRequests().find(question);
  if (!pull) throw new Error('the stand-in has no such pull request');
  return pull;
}

describe('capture/pr.details', () => {
  it('stores the busiest pull request with all pages of its reviews and comments', async () => {
    const pull = truth.pullRequest(truth.busyNumber ?? 0);
    if (!pull) throw new Error('the stand-in has no busy pull request');
    const job = await runJob(database, github, type, { repository, pr_number: pull.number });
    const { reviews, reviewComments, comments } = pull;
    const pages = [reviews, reviewComments, comments].map(({ length }) =>
      Math.max(1, Math.ceil(length / 100)),
    );
    expect(job).toMatchObject({
      status: 'completed',
      result: {
        pullRequest: pull.number,
        reviews: reviews.length,
        comments: reviewComments.length + comments.length,
        githubRequests: pages.reduce((sum, each) => sum + each, 1),
        source: 'github',
      },
    });
    expect(Math.max(...pages)).toBeGreaterThan(1);
    expect(await reviewRows(database, pull.number)).toMatchObject(trueReviews(pull));
    expect(await commentRows(database, pull.number)).toMatchObject(trueComments(pull));
  });

  it('stores pull requests of deleted authors and of bots', async () => {
    const orphan = findPull(({ author }) => author === null);
    const automatic = findPull(({ author }) => author?.type === 'Bot');
    for (const { number } of [orphan, automatic])
      await runJob(database, github, type, { repository, prNumber: number });
    const { rows: authors } = await database.pool.query(
      `select pull.number, author.username, author.is_bot from pull_requests pull
       left join contributors author on author.id = pull.author_id where pull.number = any ($1)`,
      [[orphan.number, automatic.number]],
    );
    expect(authors).toContainEqual({ number: orphan.number, username: null, is_bot: null });
    expect(authors).toContainEqual({
      number: automatic.number,
      username: automatic.author?.login,
      is_bot: true,
    });
  });

  it('asks GitHub nothing while the details are fresh, and everything when forced', async () => {
    const pull = findPull(({ reviews, comments }) => reviews.length > 0 && comments.length > 0);
    const { number } = pull;
    const first = await runJob(database, github, type, { repository, prNumber: number });
    const asked = standIn.requests.length;
    const counts = { pullRequest: number, reviews: pull.reviews.length };
    expect(first.result).toMatchObject({ ...counts, source: 'github' });
    // Another spelling, by our own id.
    const { rows: ids } = await database.pool.query<{ id: string }>('select id from repositories');
    const again = await runJob(database, github, type, { repositoryId: ids[0]?.id, prNumbers: [number] });
    expect(again.result).toEqual({ ...(first.result as object), githubRequests: 0, source: 'cache' });
    expect(standIn.requests).toHaveLength(asked);
    const forced = await runJob(database, github, type, { repository, prNumber: number, force: true });
    expect(forced.result).toMatchObject({ ...counts, source: 'github' });
    const expired = await runJob(database, github, type, { repository, prNumber: number, maxAgeSeconds: 0 });
    expect(expired.result).toMatchObject({ ...counts, source: 'github' });
  });

  it('fails for good when GitHub has no such pull request', async () => {
    const job = await runJob(database, github, type, { repository, prNumber: 99_999 });
    expect(job.status).toBe('failed');
    expect(job.error).toContain('GitHub answered 404 to GET /repos/octo-org/hello-hybrid/pulls/99999');
  });

  it('fails for good when its repositoryId is nobody’s', async () => {
    const repositoryId = '0190f3f6-7c1a-7000-8000-0123456789ab';
    const job = await runJob(database, github, type, { repositoryId, prNumber: 1 });
    expect(job).toMatchObject({ status: 'failed' });
    expect(job.error).toContain(
      `repositoryId: expected the id of a row in repositories, got ${repositoryId}`,
    );
  });

  it('stores nothing when a later page cannot be had, and tries again', async () => {
    const number = truth.pullRequests().findLast(({ reviews }) => reviews.length > 0)?.number ?? 0;
    standIn.faults.add({ kind: 'bad-gateway', match: { path: '*/issues/*/comments' } });
    const job = await runJob(database, github, type, { repository, prNumber: number, force: true });
    expect(job).toMatchObject({ status: 'queued', retryCount: 1 });
    expect(await reviewRows(database, number)).toEqual([]);
  });
});
