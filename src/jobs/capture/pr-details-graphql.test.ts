import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  answeredQueries,
  countsOf,
  expectDetails,
  incomplete,
  restRequests,
  snapshot,
} from '../../../tests/support/captured-details.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../../tests/support/database.ts';
import { enqueueJob, runAttempt, runJob } from '../../../tests/support/job-context.ts';
import { lostAttempt } from '../../../tests/support/killed-attempt.ts';
import { silentLogger } from '../../../tests/support/silent-logger.ts';
import { createGitHub } from '../../github/create-github.ts';
import type { GitHub } from '../../github/github.ts';
import type { PullRequest } from '../../local/github/data/records.ts';
import type { Fault } from '../../local/github/faults.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../local/github/stand-in.ts';
import { captureDetailsGraphQL } from './pr-details-graphql.ts';

const { type } = captureDetailsGraphQL;
const repository = 'octo-org/hello-hybrid';
let database: TestDatabase;
let standIn: GitHubStandIn;
let github: GitHub;
/** Sixty pull requests, the one with long lists among them. */
let pulls: PullRequest[];
let prNumbers: number[];

const connect = ({ url: baseUrl }: GitHubStandIn, requestTimeoutMs = 30_000): GitHub =>
  createGitHub({
    ...{ token: 'test-token', tokenName: 'GITHUB_TOKEN', log: silentLogger },
    ...{ baseUrl, requestTimeoutMs },
  });

beforeAll(async () => {
  standIn = await startGitHubStandIn({ rateLimit: { limit: 100_000 } });
  github = connect(standIn);
  const truth = standIn.data.repository(repository);
  pulls = truth?.pullRequests().slice(-60) ?? [];
  prNumbers = pulls.map(({ number }) => number);
  expect(prNumbers).toContain(truth?.busyNumber);
});

afterAll(() => standIn.close());

beforeEach(async () => {
  standIn.faults.clear();
  database = await createTestDatabase();
  return async () => {
    await expectSoundQueue(database.pool);
    await database.close();
  };
});

const rests = (): number => Math.max(...pulls.map(restRequests));

/** How many pull requests each query since `from` asked for, those for the rests of lists apart. */
function askedAtOnce({ requests }: GitHubStandIn, from: number): number[] {
  return requests
    .slice(from)
    .map(({ graphql }) => graphql?.query.match(/pullRequest\(number:/g)?.length ?? 0)
    .filter((count) => count > 0);
}

describe('capture/pr.details.graphql', () => {
  it('stores the pull requests with all their reviews and comments, 25 at a time', async () => {
    const asked = standIn.requests.length;
    const job = await runJob(database, github, type, { repository, prNumbers });
    expect(job.status).toBe('completed');
    expect(job.result).toEqual({
      ...countsOf(pulls),
      ...{ fresh: 0, missing: [], pages: 3, githubRequests: 3 + rests(), source: 'github' },
    });
    expect(askedAtOnce(standIn, asked)).toEqual([25, 25, 10]);
    await expectDetails(database, pulls);
    expect(await incomplete(database)).toEqual([]);
  });

  it('looks all of them up in one call, and stores and saves a page with one call each', async () => {
    const calls: string[] = [];
    const rpc: TestDatabase['rpc'] = async (name, args, options) => {
      calls.push(name);
      return await database.rpc(name, args, options);
    };
    const some = prNumbers.filter((number) => number !== standIn.data.repository(repository)?.busyNumber);
    await runJob({ rpc }, github, type, { repository, prNumbers: some.slice(0, 50) });
    expect(calls.filter((name) => /state|page|step/.test(name))).toEqual([
      ...['get_details_state', 'save_background_job_step'],
      ...['upsert_capture_page', 'save_background_job_step'],
      ...['upsert_capture_page', 'save_background_job_step'],
    ]);
  });

  it('gives everything the rows that capture/pr.details gives it', async () => {
    await runJob(database, github, type, { repository, prNumbers });
    const before = await snapshot(database, 'rows');
    for (const prNumber of prNumbers.slice(0, 40)) {
      const details = await runJob(database, github, 'capture/pr.details', {
        repository,
        prNumber,
        force: true,
      });
      expect(details.result).toMatchObject({ source: 'github' });
    }
    expect(await snapshot(database, 'rows')).toEqual(before);
  });

  it('changes no row but the times when it runs again', async () => {
    const first = await runJob(database, github, type, { repository, prNumbers });
    const before = await snapshot(database, 'rows');
    const again = await runJob(database, github, type, { repository, prNumbers, force: true });
    expect(again.result).toEqual(first.result);
    expect(await snapshot(database, 'rows')).toEqual(before);
  });

  it('fetches the pull requests that are not fresh, and none when all are', async () => {
    const [known, unknown] = [prNumbers.slice(0, 8), prNumbers.slice(8, 12)];
    const [prNumber] = known;
    await runJob(database, github, type, { repository, prNumbers: known.slice(1) });
    await runJob(database, github, 'capture/pr.details', { repository, prNumber });
    const asked = standIn.requests.length;
    const job = await runJob(database, github, type, { repository, prNumbers: [...known, ...unknown] });
    expect(job.result).toMatchObject({ pullRequests: 4, fresh: 8, pages: 1, source: 'github' });
    expect(askedAtOnce(standIn, asked)).toEqual([4]);
    const before = await snapshot(database, 'everything');
    const again = await runJob(database, github, type, {
      owner: 'octo-org',
      repo: 'hello-hybrid',
      prNumbers: known,
    });
    expect(again.result).toEqual({
      ...{ pullRequests: 0, fresh: 8, missing: [], reviews: 0, comments: 0 },
      ...{ pages: 0, githubRequests: 0, source: 'cache' },
    });
    expect(await snapshot(database, 'everything')).toEqual(before);
  });

  it('says which numbers GitHub has no pull request for, and captures the others', async () => {
    const issue = standIn.data.repository(repository)?.issues()[0]?.number ?? 0;
    const numbers = [prNumbers[0], 99_998, prNumbers[1], issue, 99_999];
    const job = await runJob(database, github, type, { repository, prNumbers: numbers });
    expect(job).toMatchObject({ status: 'completed', retryCount: 0 });
    expect(job.result).toMatchObject({ ...countsOf(pulls.slice(0, 2)), missing: [99_998, issue, 99_999] });
    await expectDetails(database, pulls.slice(0, 2));
  });

  it('fails for good when GitHub has none of them, or not even the repository', async () => {
    const none = await runJob(database, github, type, { repository, prNumbers: [99_998, 99_999] });
    expect(none).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(none.error).toContain(
      `expected pull requests of ${repository}, but GitHub has none of 99998, 99999`,
    );
    const nowhere = await runJob(database, github, type, { repository: 'octo-org/nowhere', prNumber: 1 });
    expect(nowhere).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(nowhere.error).toContain("Could not resolve to a Repository with the name 'octo-org/nowhere'");
  });

  it('takes every number once, however it is named', async () => {
    const [first, second] = prNumbers;
    const payload = { repository, pr_number: first, prNumber: second, prNumbers: [first, second, second] };
    const job = await runJob(database, github, type, payload);
    expect(job.result).toMatchObject({ pullRequests: 2, githubRequests: 1 });
  });

  it.each([
    ['no number', {}, 'expected prNumbers, pr_number or prNumber to name pull requests'],
    [
      'too many',
      { prNumbers: Array.from({ length: 1_001 }, (_, n) => n + 1) },
      'at most 1000 pull requests, not 1001',
    ],
    ['a wrong one', { prNumbers: [1, 0] }, 'prNumbers'],
  ])('fails for good with %s', async (_case, numbers, message) => {
    const job = await runJob(database, github, type, { repository, ...numbers });
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(job.error).toContain(message);
  });

  it('goes on where it was when its process is killed, whichever page it is at', async () => {
    const from = standIn.requests.length;
    const undisturbed = await runJob(database, github, type, { repository, prNumbers });
    const [queries, rows] = [answeredQueries(standIn, from), await snapshot(database, 'content')];
    expect(queries).toHaveLength(3 + rests());
    for (const index of queries.keys()) {
      await database.pool.query('truncate repositories, contributors cascade');
      const asked = standIn.requests.length;
      const id = await enqueueJob(database, type, { repository, prNumbers });
      await lostAttempt(database, github, standIn, id, index);
      const job = await runAttempt(database, github, id);
      expect(job).toMatchObject({ status: 'completed', retryCount: 1, result: undisturbed.result });
      expect(answeredQueries(standIn, asked)).toEqual(queries);
      expect(await snapshot(database, 'content')).toEqual(rows);
    }
  });

  const tooLarge: Fault[] = [{ kind: 'graphql-timeout' }, { kind: 'bad-gateway' }, { kind: 'hang' }];

  it.each(tooLarge)('asks for fewer at once when GitHub runs out of time: $kind', async (fault) => {
    standIn.faults.add(fault);
    const hasty = connect(standIn, fault.kind === 'hang' ? 4_000 : 30_000);
    const asked = standIn.requests.length;
    const job = await runJob(database, hasty, type, { repository, prNumbers });
    expect(job).toMatchObject({ status: 'completed', retryCount: 0, result: { pullRequests: 60, pages: 5 } });
    expect(askedAtOnce(standIn, asked)).toEqual([25, 12, 12, 12, 12, 12]);
    await expectDetails(database, pulls);
  });

  it('asks for fewer lists at once, too', async () => {
    standIn.faults.add({ kind: 'graphql-timeout', match: { operation: 'restOfLists' }, times: 3 });
    const job = await runJob(database, github, type, { repository, prNumbers });
    expect(job).toMatchObject({ status: 'completed', retryCount: 0, result: { pullRequests: 60 } });
    await expectDetails(database, pulls);
    expect(await incomplete(database)).toEqual([]);
  });

  it('asks for fewer when the query may return too many nodes', async () => {
    const strict = await startGitHubStandIn({ nodeLimit: 5_000 });
    onTestFinished(() => strict.close());
    const job = await runJob(database, connect(strict), type, {
      repository,
      prNumbers: prNumbers.slice(0, 12),
    });
    expect(job).toMatchObject({ status: 'completed', result: { pullRequests: 12, pages: 2 } });
    expect(askedAtOnce(strict, 0)).toEqual([12, 12, 6, 6]);
  });

  it('runs on the edge, once at a time for a repository, when there is GraphQL quota', () => {
    const payload = captureDetailsGraphQL.payload.parse({ repository: 'Octo-Org/app', prNumbers: [7] });
    expect(captureDetailsGraphQL).toMatchObject({
      ...{ functionId: 'capture-pr-details-graphql', lane: 'edge', quota: ['github:graphql'] },
    });
    expect(captureDetailsGraphQL.concurrency?.key(payload)).toBe('details of repository:octo-org/app');
    expect(payload).toMatchObject({ prNumbers: [7], maxAgeSeconds: 300, force: false });
  });
});
