import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  answeredQueries,
  askedSizes,
  countsOf,
  expectDetails,
  incomplete,
  restRequests,
  snapshot,
} from '../../../tests/support/captured-details.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../../tests/support/database.ts';
import { enqueueJob, runAttempt, runJob } from '../../../tests/support/job-context.ts';
import { lostAttempt } from '../../../tests/support/killed-attempt.ts';
import { commentRows } from '../../../tests/support/pull-request-truth.ts';
import { silentLogger } from '../../../tests/support/silent-logger.ts';
import { createGitHub, type GitHubOptions } from '../../github/create-github.ts';
import type { GitHub } from '../../github/github.ts';
import type { PullRequest } from '../../local/github/data/records.ts';
import type { Repository } from '../../local/github/data/repository.ts';
import type { Fault } from '../../local/github/faults.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../local/github/stand-in.ts';
import { syncRepositoryEnhanced } from './repository-sync-enhanced.ts';

const { type } = syncRepositoryEnhanced;
const repository = 'octo-org/hello-hybrid';
/** Has a pull request whose lists are longer than a page, too. */
const smaller = 'octo-org/has-101';
let database: TestDatabase;
let standIn: GitHubStandIn;
let github: GitHub;

beforeAll(async () => {
  standIn = await start();
  github = connect(standIn);
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

const start = (nodeLimit?: number): Promise<GitHubStandIn> =>
  startGitHubStandIn({
    ...(nodeLimit === undefined ? {} : { nodeLimit }),
    rateLimit: { limit: 100_000 },
    repositories: [100, 101].map((pullRequests) => ({
      ...{ owner: 'octo-org', name: `has-${pullRequests}`, pullRequests },
    })),
  });

function connect({ url: baseUrl }: GitHubStandIn, options: Partial<GitHubOptions> = {}): GitHub {
  return createGitHub({
    ...{ token: 'test-token', tokenName: 'GITHUB_TOKEN', baseUrl, log: silentLogger },
    ...options,
  });
}

function truthOf(fullName: string): Repository {
  const found = standIn.data.repository(fullName);
  if (!found) throw new Error(`the stand-in has no ${fullName}`);
  return found;
}

function busyIn(fullName: string): PullRequest {
  const truth = truthOf(fullName);
  const found = truth.pullRequest(truth.busyNumber ?? 0);
  if (!found) throw new Error(`the stand-in has no busy pull request in ${fullName}`);
  return found;
}

/** The names of the functions that the job calls in the database, in their order. */
function recordCalls(): { calls: string[]; rpc: TestDatabase['rpc'] } {
  const calls: string[] = [];
  const rpc: TestDatabase['rpc'] = async (name, args, options) => {
    calls.push(name);
    return await database.rpc(name, args, options);
  };
  return { calls, rpc };
}

describe('capture/repository.sync.enhanced', () => {
  it('stores all pull requests with all their reviews and comments', async () => {
    const pulls = truthOf(repository).pullRequests();
    const job = await runJob(database, github, type, { repository });
    expect(job).toMatchObject({ status: 'completed', retryCount: 0 });
    // At most one report a second is written: any of them may be the last.
    expect(job.progressMessage).toMatch(/^(\d00|340) of 340 pull requests$/);
    expect(job.result).toEqual({
      ...countsOf(pulls),
      ...{
        pages: 4,
        truncated: false,
        githubRequests: 4 + restRequests(busyIn(repository)),
        source: 'github',
      },
    });
    await expectDetails(database, pulls);
    expect(await incomplete(database)).toEqual([]);
  });

  it('takes one request, one upsert and one checkpoint for a page', async () => {
    const { calls, rpc } = recordCalls();
    const asked = standIn.requests.length;
    await runJob({ rpc }, github, type, { repository: 'octo-org/has-100' });
    const rests = Array.from({ length: restRequests(busyIn('octo-org/has-100')) });
    expect(standIn.requests.slice(asked)).toHaveLength(1 + rests.length);
    expect(calls.filter((name) => /details|page|step/.test(name))).toEqual([
      ...['get_details_state', 'save_background_job_step'],
      ...['upsert_capture_page', 'save_background_job_step'],
      ...rests.flatMap(() => ['upsert_capture_page', 'save_background_job_step']),
      'note_details_synced',
    ]);
  });

  it('asks for a page of 100 at the cost of 13 points and 61,100 nodes', async () => {
    const asked = standIn.requests.length;
    await runJob(database, github, type, { repository: 'octo-org/has-100' });
    const { query = '', variables = {} } = standIn.requests[asked]?.graphql ?? {};
    const counted = query.replace('rateLimit { cost', 'rateLimit { nodeCount cost');
    const { rateLimit } = await github.graphql<{ rateLimit: object }>(counted, variables);
    expect(rateLimit).toMatchObject({ cost: 13, nodeCount: 61_100 });
  });

  it.each([
    ['octo-org/empty', 0, 1],
    ['octo-org/single', 1, 1],
    ['octo-org/has-100', 100, 1],
    ['octo-org/has-101', 101, 2],
  ])('stores the whole of %s', async (fullName, pullRequests, pages) => {
    const job = await runJob(database, github, type, { repository: fullName });
    expect(job.status).toBe('completed');
    expect(job.result).toMatchObject({ pullRequests, pages, truncated: false, source: 'github' });
    await expectDetails(database, truthOf(fullName).pullRequests());
  });

  it('gives everything the rows that capture/pr.details gives it', async () => {
    await runJob(database, github, type, { repository: smaller });
    const before = await snapshot(database, 'rows');
    const truth = truthOf(smaller);
    const sample = [...truth.pullRequests().slice(-25), truth.pullRequest(truth.busyNumber ?? 0)];
    for (const pull of sample) {
      const payload = { repository: smaller, prNumber: pull?.number, force: true };
      const details = await runJob(database, github, 'capture/pr.details', payload);
      expect(details.result).toMatchObject({ source: 'github' });
    }
    expect(await snapshot(database, 'rows')).toEqual(before);
  });

  it('changes no row but the times when it runs again', async () => {
    const first = await runJob(database, github, type, { repository });
    const before = await snapshot(database, 'rows');
    const again = await runJob(database, github, type, { repository, force: true });
    expect(again.result).toEqual(first.result);
    expect(await snapshot(database, 'rows')).toEqual(before);
  });

  it('asks GitHub nothing while everything is fresh, and neither does the sync of the newest', async () => {
    await runJob(database, github, type, { repository: smaller });
    const [asked, before] = [standIn.requests.length, await snapshot(database, 'everything')];
    for (const each of [type, 'capture/repository.sync.graphql']) {
      const again = await runJob(database, github, each, { owner: 'octo-org', repo: 'has-101' });
      expect(again.result).toMatchObject({ pullRequests: 0, githubRequests: 0, source: 'cache' });
    }
    expect(standIn.requests).toHaveLength(asked);
    expect(await snapshot(database, 'everything')).toEqual(before);
  });

  it('is not made fresh by a sync of the newest pull requests, which have no reviews then', async () => {
    await runJob(database, github, 'capture/repository.sync.graphql', { repository: smaller });
    const job = await runJob(database, github, type, { repository: smaller });
    expect(job.result).toMatchObject({ pullRequests: 101, source: 'github' });
  });

  it('says when maxPages has cut it short, and is not fresh then', async () => {
    const payload = { repository: smaller, pageSize: 20, maxPages: 3 };
    for (const maxAgeSeconds of [300, 3_000]) {
      const job = await runJob(database, github, type, { ...payload, maxAgeSeconds });
      expect(job.result).toMatchObject({ pullRequests: 60, pages: 3, truncated: true, source: 'github' });
    }
    expect(await incomplete(database)).toEqual([]);
    const whole = await runJob(database, github, type, { ...payload, maxPages: 6 });
    expect(whole.result).toMatchObject({ pullRequests: 101, pages: 6, truncated: false });
  });

  it('leaves out what was created before since, and is fresh for that time and later ones', async () => {
    const pulls = truthOf(smaller).pullRequests().slice(-30);
    const since = pulls[0]?.createdAt;
    const job = await runJob(database, github, type, { repository: smaller, pageSize: 20, since });
    expect(job.result).toMatchObject({ ...countsOf(pulls), pages: 2, truncated: false });
    const { rows } = await database.pool.query('select number from pull_requests order by number');
    expect(rows).toEqual(pulls.map(({ number }) => ({ number })));
    const later = { repository: smaller, since: pulls[1]?.createdAt };
    expect((await runJob(database, github, type, later)).result).toMatchObject({ source: 'cache' });
    for (const earlier of [{ since: truthOf(smaller).pullRequest(1)?.createdAt }, {}]) {
      const wider = await runJob(database, github, type, { repository: smaller, ...earlier });
      expect(wider.result).toMatchObject({ pullRequests: 101, source: 'github' });
    }
  });

  it('loses and doubles nothing when pull requests are edited between pages', async () => {
    const truth = truthOf(smaller);
    const pulls = truth.pullRequests();
    const [early, late] = [pulls.at(-3), pulls.at(2)];
    if (!early || !late) throw new Error('the stand-in has too few pull requests');
    onTestFinished(() => [early, late].forEach((pull) => truth.editPullRequest(pull.number, pull)));
    const updatedAt = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, '');
    let pages = 0;
    const rpc: TestDatabase['rpc'] = async (name, args, options) => {
      const answer = await database.rpc(name, args, options);
      if (name === 'upsert_capture_page' && ++pages === 2)
        for (const { number } of [early, late])
          truth.editPullRequest(number, { title: 'Edited meanwhile', updatedAt });
      return answer as never;
    };
    const job = await runJob({ rpc }, github, type, { repository: smaller, pageSize: 20 });
    expect(job.result).toMatchObject({ ...countsOf(pulls), pages: 6 });
    const { rows } = await database.pool.query<{ number: number; title: string }>(
      'select number, title from pull_requests order by number',
    );
    expect(rows).toEqual(
      pulls.map(({ number, title }) => ({
        number,
        title: number === late.number ? 'Edited meanwhile' : title,
      })),
    );
  });

  it('goes on where it was when its process is killed, whichever page it is at', async () => {
    const payload = { repository: smaller, pageSize: 20 };
    const from = standIn.requests.length;
    const undisturbed = await runJob(database, github, type, payload);
    const [queries, rows] = [answeredQueries(standIn, from), await snapshot(database, 'content')];
    expect(queries).toHaveLength(6 + restRequests(busyIn(smaller)));
    for (const index of queries.keys()) {
      await database.pool.query('truncate repositories, contributors cascade');
      const asked = standIn.requests.length;
      const id = await enqueueJob(database, type, payload);
      await lostAttempt(database, github, standIn, id, index);
      const job = await runAttempt(database, github, id);
      expect(job).toMatchObject({ status: 'completed', retryCount: 1, result: undisturbed.result });
      expect(answeredQueries(standIn, asked)).toEqual(queries);
      expect(await snapshot(database, 'content')).toEqual(rows);
    }
    await expectDetails(database, [busyIn(smaller)]);
  });

  it('waits for a rate limit in the middle free of charge, and repeats no page', async () => {
    standIn.faults.add({ kind: 'graphql-rate-limited', resetSeconds: 120, skip: 3 });
    const asked = standIn.requests.length;
    const id = await enqueueJob(database, type, { repository: smaller, pageSize: 20 });
    expect(await runAttempt(database, github, id)).toMatchObject({ status: 'queued', retryCount: 0 });
    const job = await runAttempt(database, github, id);
    expect(job).toMatchObject({
      status: 'completed',
      retryCount: 0,
      result: { pullRequests: 101, pages: 6 },
    });
    const queries = 6 + restRequests(busyIn(smaller));
    expect(new Set(answeredQueries(standIn, asked)).size).toBe(queries);
    expect(standIn.requests.slice(asked)).toHaveLength(queries + 1);
  });

  it('runs on the edge, once at a time for a repository, when there is GraphQL quota', () => {
    const payload = syncRepositoryEnhanced.payload.parse({ repository: 'Octo-Org/app' });
    expect(syncRepositoryEnhanced).toMatchObject({
      ...{ functionId: 'capture-repository-sync-enhanced', lane: 'edge', quota: ['github:graphql'] },
      aliases: ['capture/repository.sync-enhanced'],
    });
    expect(syncRepositoryEnhanced.concurrency?.key(payload)).toBe('enhanced sync of repository:octo-org/app');
    expect(payload).toMatchObject({ pageSize: 100, maxPages: 200, maxAgeSeconds: 300, force: false });
  });
});

describe('lists that are longer than a page', () => {
  it('are complete, even when a thread is that long or there are many', async () => {
    const truth = truthOf(smaller);
    const busy = busyIn(smaller);
    const { number } = busy;
    const [root] = busy.reviewComments;
    if (!root) throw new Error('the busy pull request has no review comments');
    onTestFinished(() => truth.editPullRequest(number, busy));
    // Three pages of a thread, and more threads than two pages.
    const comment = (index: number, inReplyToId: number | null) => ({
      ...{ ...root, databaseId: root.databaseId + index, inReplyToId },
    });
    truth.editPullRequest(number, {
      reviewComments: [
        comment(0, null),
        ...Array.from({ length: 160 }, (_, index) => comment(1 + index, root.databaseId)),
        ...Array.from({ length: 60 }, (_, index) => comment(500 + index, null)),
      ],
    });
    const job = await runJob(database, github, type, { repository: smaller });
    expect(job.result).toMatchObject({ ...countsOf(truth.pullRequests()), truncated: false });
    await expectDetails(database, [busyIn(smaller)]);
    expect(await incomplete(database)).toEqual([]);
  });

  it('do not make a pull request complete before the last of them is', async () => {
    standIn.faults.add({ kind: 'server-error', match: { operation: 'restOfLists' } });
    const job = await runJob(database, github, type, { repository: smaller });
    expect(job).toMatchObject({ status: 'queued', retryCount: 1 });
    expect(await incomplete(database)).toEqual([busyIn(smaller).number]);
  });

  it('end where GitHub has the pull request no more', async () => {
    const forgetful: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (typeof init?.body !== 'string' || !init.body.includes('restOfLists')) return response;
      const { data } = (await response.json()) as { data: { rateLimit: object } };
      const gone = Object.keys(data).filter((key) => key.startsWith('list'));
      const errors = gone.map((key) => ({ type: 'NOT_FOUND', path: [key, 0], message: 'Could not resolve' }));
      const nulls = Object.fromEntries(gone.map((key) => [key, [null]]));
      return Response.json({ data: { ...data, ...nulls }, errors }, { headers: response.headers });
    };
    const job = await runJob(database, connect(standIn, { fetch: forgetful }), type, { repository: smaller });
    expect(job).toMatchObject({ status: 'completed', result: { pullRequests: 101, githubRequests: 3 } });
  });
});

describe('what GitHub may leave out', () => {
  it('is left out of the rows, and takes nothing else with it', async () => {
    const truth = truthOf('octo-org/has-100');
    const [deleted, noReviews, noComments, pending] = truth
      .pullRequests()
      .filter(({ reviews, reviewComments, comments }) =>
        [reviews, reviewComments, comments].every(({ length }) => length > 0),
      );
    const spoil: Record<number, (node: AnyNode) => object> = {
      [deleted?.number ?? 0]: () => ({ fullDatabaseId: null }),
      [noReviews?.number ?? 0]: () => ({ reviews: null, threads: { ...noPage, nodes: null } }),
      [noComments?.number ?? 0]: () => ({ conversation: { ...noPage, nodes: [null] } }),
      [pending?.number ?? 0]: ({ reviews, threads }) => ({
        reviews: mapNodes(reviews, () => ({
          state: 'PENDING',
          submittedAt: null,
          commit: null,
          author: null,
        })),
        threads: mapNodes(threads, ({ replies }) => ({
          replies: mapNodes(replies, () => ({ state: 'PENDING' })),
        })),
      }),
    };
    const sparing: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      const answer = (await response.json()) as { data: { repository?: { pullRequests: Nodes } } };
      const list = answer.data.repository?.pullRequests;
      if (list)
        Object.assign(
          list,
          mapNodes(list, (node) => spoil[node.number ?? 0]?.(node) ?? {}),
        );
      return Response.json(answer, { headers: response.headers });
    };
    const job = await runJob(database, connect(standIn, { fetch: sparing }), type, {
      repository: 'octo-org/has-100',
    });
    expect(job).toMatchObject({ status: 'completed', result: { pullRequests: 99, truncated: false } });
    const without = [deleted, noReviews, noComments, pending].map((pull) => pull?.number);
    await expectDetails(
      database,
      truth.pullRequests().filter(({ number }) => !without.includes(number)),
    );
    const { rows } = await database.pool.query(
      `select review.state, review.submitted_at, review.commit_sha, review.reviewer_id from reviews review
       join pull_requests pull on pull.id = review.pull_request_id where pull.number = $1`,
      [pending?.number],
    );
    expect(rows).toEqual(
      pending?.reviews.map(() => ({
        state: 'PENDING',
        submitted_at: null,
        commit_sha: null,
        reviewer_id: null,
      })),
    );
    const comments = await commentRows(database, pending?.number ?? 0);
    expect(comments).toHaveLength(pending?.comments.length ?? 0);
  });
});

/** A list of an answer; what its entries are is up to the query. */
interface Nodes {
  nodes: AnyNode[];
}

interface AnyNode extends Partial<Record<'reviews' | 'threads' | 'replies', Nodes>> {
  number?: number;
}

const noPage = { pageInfo: { hasNextPage: false, endCursor: null } };

function mapNodes(list: Nodes | undefined, change: (node: AnyNode) => object): object {
  return { ...list, nodes: list?.nodes.map((node) => ({ ...node, ...change(node) })) };
}

describe('a page that is too large', () => {
  const faults: Fault[] = [{ kind: 'graphql-timeout' }, { kind: 'bad-gateway' }, { kind: 'hang' }];

  it.each(faults)('is asked for by halves, and so are the following ones: $kind', async (fault) => {
    standIn.faults.add({ ...fault, skip: 1 });
    const hasty = connect(standIn, { requestTimeoutMs: fault.kind === 'hang' ? 4_000 : 30_000 });
    const asked = standIn.requests.length;
    const job = await runJob(database, hasty, type, { repository: smaller, pageSize: 40 });
    expect(job).toMatchObject({ status: 'completed', retryCount: 0 });
    expect(askedSizes(standIn, asked)).toEqual([40, 40, 20, 20, 20, 20]);
    const pulls = truthOf(smaller).pullRequests();
    const githubRequests = 6 + restRequests(busyIn(smaller));
    expect(job.result).toMatchObject({ ...countsOf(pulls), pages: 5, truncated: false, githubRequests });
    await expectDetails(database, pulls);
  });

  it('is not asked for again by the next attempt', async () => {
    const strict = await start(20_000);
    onTestFinished(() => strict.close());
    const id = await enqueueJob(database, type, { repository: smaller, pageSize: 40 });
    await lostAttempt(database, connect(strict), strict, id, 3);
    const job = await runAttempt(database, connect(strict), id);
    expect(job).toMatchObject({ status: 'completed', result: { pullRequests: 101, pages: 6 } });
    // The fourth request was lost.
    expect(askedSizes(strict, 0)).toEqual([40, 20, 20, 20, 20, 20, 20, 20]);
  });

  it('is tried at its old size again after twenty good ones', async () => {
    standIn.faults.add({ kind: 'bad-gateway' });
    const asked = standIn.requests.length;
    const job = await runJob(database, github, type, { repository: smaller, pageSize: 2, maxPages: 11 });
    expect(askedSizes(standIn, asked)).toEqual([2, ...Array<number>(20).fill(1), 2]);
    expect(job.result).toMatchObject({ pullRequests: 22, pages: 21, truncated: true });
  });

  it('is found out by the limit of nodes, too', async () => {
    const strict = await start(20_000);
    onTestFinished(() => strict.close());
    const job = await runJob(database, connect(strict), type, { repository: smaller });
    expect(job).toMatchObject({ status: 'completed', result: { pullRequests: 101, pages: 5 } });
    expect(askedSizes(strict, 0)).toEqual([100, 50, 25, 25, 25, 25, 25]);
  });

  it('is an error that is tried again later when it has one pull request, at that size', async () => {
    const stubborn = await start(500);
    onTestFinished(() => stubborn.close());
    const id = await enqueueJob(database, type, { repository: smaller });
    for (const retryCount of [1, 2]) {
      const job = await runAttempt(database, connect(stubborn), id);
      expect(job).toMatchObject({ status: 'queued', retryCount });
      expect(job.error).toContain('611 possible nodes which exceeds the maximum limit of 500');
    }
    expect(askedSizes(stubborn, 0)).toEqual([100, 50, 25, 12, 6, 3, 1, 1]);
  });
});
