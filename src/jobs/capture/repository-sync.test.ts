import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { enqueueJob, runAttempt } from '../../../tests/support/job-context.ts';
import { lostAttempt } from '../../../tests/support/killed-attempt.ts';
import {
  columnsOfDetails,
  pullRequestRows,
  truePullRequest,
} from '../../../tests/support/pull-request-rows.ts';
import { silentLogger } from '../../../tests/support/silent-logger.ts';
import { createGitHub } from '../../github/create-github.ts';
import type { GitHub } from '../../github/github.ts';
import type { Fault } from '../../local/github/faults.ts';
import type { PullRequest } from '../../local/github/data/records.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../local/github/stand-in.ts';
import type { JobRow } from '../../queue/job-queue.ts';

const type = 'capture/repository.sync';
const repository = 'octo-org/busy';
const day = 86_400_000;
const yesterday = Date.now() - day;
const apis = ['graphql', 'rest'] as const;
let database: TestDatabase;
let standIn: GitHubStandIn;
let github: GitHub;

/** 270 pull requests among 30 issues, three pages; the last change was a day ago. */
const recipe = { owner: 'octo-org', name: 'busy', pullRequests: 270, issues: 30, now: yesterday };
const sizes = [0, 1, 100, 101].map((pullRequests) => ({
  ...{ owner: 'octo-org', name: `has-${pullRequests}`, pullRequests, now: yesterday },
}));
/** Reaches back to the first pull request. */
const all = { days: 365 };

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

beforeEach(async () => {
  await database.pool.query('truncate repositories, contributors, background_jobs cascade');
  standIn = await startGitHubStandIn({ repositories: [recipe, ...sizes] });
  const client = { tokenName: 'GITHUB_TOKEN', baseUrl: standIn.url, log: silentLogger };
  github = createGitHub({ ...client, token: 'test-token' });
  return () => standIn.close();
});

async function run(payload: object = {}, client = github): Promise<JobRow> {
  return await runAttempt(database, client, await enqueueJob(database, type, { repository, ...payload }));
}

function truth(fullName = repository) {
  const found = standIn.data.repository(fullName);
  if (!found) throw new Error('the stand-in has lost the repository');
  return found;
}

const changedSince = (time: number) => (pull: PullRequest) => Date.parse(pull.updatedAt) >= time;

function trueRows(fullName = repository, since = 0): object[] {
  const pulls = truth(fullName).pullRequests().filter(changedSince(since));
  return pulls.map((pull) => truePullRequest(pull, fullName));
}

const without = (rows: object[], columns: readonly string[]): object[] =>
  rows.map((row) => Object.fromEntries(Object.entries(row).filter(([column]) => !columns.includes(column))));

const at = (time: number): string => new Date(time).toISOString().replace(/\.\d+/, '');

/** The earlier changed, the earlier in the list. */
const byChange = (): PullRequest[] =>
  truth()
    .pullRequests()
    .sort((a, b) => a.updatedAt.localeCompare(b.updatedAt) || a.number - b.number);

async function known(): Promise<object> {
  const { rows } = await database.pool.query<object>(
    `select pull_request_changes_from as "from", pull_request_changes_until as until,
       pull_request_changes_synced_at as at, pull_requests_synced_at as newest_at from repositories`,
  );
  return rows[0] ?? {};
}

/** Everything stored, with all ids, but for the times of captures. */
async function snapshot(): Promise<unknown[]> {
  const tables = ['repositories', 'contributors', 'pull_requests'];
  const queries = tables.map((table) =>
    database.pool.query<object>(`select * from ${table} order by github_id`),
  );
  const rows = (await Promise.all(queries)).flatMap((result) => result.rows);
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([column]) => !column.endsWith('synced_at'))),
  );
}

/** Pages that were asked for over REST. */
const restPages = (): (string | null)[] =>
  standIn.requests
    .filter(({ path }) => path.endsWith('/pulls'))
    .map(({ search }) => new URLSearchParams(search).get('page'));

const graphqlRequests = (): number => standIn.requests.filter(({ path }) => path === '/graphql').length;

describe('capture/repository.sync', () => {
  it('stores the pull requests of the last 30 days, and no others', async () => {
    const job = await run();
    const since = Date.now() - 30 * day;
    const pullRequests = trueRows(repository, since).length;
    expect(job).toMatchObject({
      status: 'completed',
      result: {
        ...{ pullRequests, pages: 1, truncated: false, githubRequests: 1 },
        ...{ source: 'github', api: 'graphql', fallback: null },
      },
    });
    expect(pullRequests).toBeGreaterThan(10);
    expect(await pullRequestRows(database)).toEqual(trueRows(repository, since));
  });

  it.each(apis)('stores all pages, deleted authors and bots included, over %s', async (api) => {
    const job = await run({ ...all, api });
    // REST looks at its first page again, whether anything has changed; GraphQL tells that with each page.
    const pages = api === 'graphql' ? 3 : 4;
    expect(job.result).toMatchObject({
      pullRequests: 270,
      pages,
      githubRequests: pages,
      api,
      fallback: null,
    });
    const unknown = api === 'rest' ? columnsOfDetails : [];
    const [rows, expected] = [await pullRequestRows(database), trueRows()];
    expect(without(rows, unknown)).toEqual(without(expected, unknown));
    const authors = truth()
      .pullRequests()
      .map(({ author }) => author?.type ?? 'deleted');
    expect(authors).toEqual(expect.arrayContaining(['deleted', 'Bot', 'User']));
  });

  it.each(apis.flatMap((api) => sizes.map(({ name, pullRequests }) => ({ api, name, pullRequests }))))(
    'stores all of $pullRequests over $api',
    async ({ api, name, pullRequests }) => {
      const fullName = `octo-org/${name}`;
      const job = await run({ repository: fullName, ...all, api });
      expect(job).toMatchObject({ status: 'completed', result: { pullRequests, truncated: false, api } });
      const unknown = api === 'rest' ? columnsOfDetails : [];
      expect(without(await pullRequestRows(database), unknown)).toEqual(without(trueRows(fullName), unknown));
      expect(Object.values(await known())).not.toContain(null);
    },
  );

  it('leaves the same rows over both APIs, and what only GraphQL tells where REST comes later', async () => {
    await run({ ...all, api: 'graphql' });
    const before = await snapshot();
    const again = await run({ ...all, api: 'rest', force: true });
    expect(again.result).toMatchObject({ pullRequests: 270, api: 'rest' });
    expect(await snapshot()).toEqual(before);
    await run({ ...all, api: 'graphql', force: true });
    expect(await snapshot()).toEqual(before);
  });

  it('completes over GraphQL what REST has left out', async () => {
    await run({ ...all, api: 'rest' });
    await run({ ...all, force: true });
    expect(await pullRequestRows(database)).toEqual(trueRows());
  });

  it('asks GitHub nothing while the window is fresh', async () => {
    await run();
    const asked = standIn.requests.length;
    const again = await run({ repository: { owner: 'OCTO-org', name: 'busy' } });
    expect(again.result).toMatchObject({
      ...{ pullRequests: 0, pages: 0, truncated: false, githubRequests: 0 },
      ...{ source: 'cache', api: null, fallback: null },
    });
    expect(standIn.requests).toHaveLength(asked);
    expect((await run({ days: 60 })).result).toMatchObject({ source: 'github' });
  });

  it('is not made fresh by a capture of the newest pull requests alone', async () => {
    const id = await enqueueJob(database, 'capture/repository.sync.graphql', { repository });
    await runAttempt(database, github, id);
    expect((await run(all)).result).toMatchObject({ source: 'github', pullRequests: 270 });
  });
});

describe('what is known', () => {
  it('is not read again: a later run begins at the newest change that was seen', async () => {
    await run(all);
    const newest = byChange().at(-1)?.updatedAt ?? '';
    expect(await known()).toMatchObject({ until: new Date(newest) });
    const again = truth()
      .pullRequests()
      .filter(changedSince(Date.parse(newest))).length;
    truth().editPullRequest(byChange()[0]?.number ?? 0, {
      title: 'Now with 🐙',
      updatedAt: at(yesterday + 60_000),
    });
    const job = await run({ ...all, maxAgeSeconds: 0 });
    expect(job.result).toMatchObject({ pullRequests: 1 + again, githubRequests: 1, truncated: false });
    expect(await pullRequestRows(database)).toEqual(trueRows());
    expect(await known()).toMatchObject({ until: new Date(at(yesterday + 60_000)) });
  });

  it('ends a minute before the run, for a change may show late', async () => {
    truth().editPullRequest(byChange()[0]?.number ?? 0, { updatedAt: at(Date.now()) });
    await run(all);
    const { until } = (await known()) as { until: Date };
    expect(until.getTime()).toBeLessThanOrEqual(Date.now() - 60_000);
    expect(until.getTime()).toBeGreaterThan(Date.now() - 70_000);
  });

  it('does not cover a wider window, nor a run by force', async () => {
    await run();
    expect((await run(all)).result).toMatchObject({ pullRequests: 270 });
    expect(await pullRequestRows(database)).toEqual(trueRows());
    expect((await run({ ...all, force: true })).result).toMatchObject({ pullRequests: 270 });
  });

  it('stays as it is when since leaves a gap, and gives way to a later window that days leave behind one', async () => {
    await run();
    await database.pool.query(
      `update repositories set pull_request_changes_from = now() - interval '90 days',
         pull_request_changes_until = now() - interval '60 days',
         pull_request_changes_synced_at = now() - interval '60 days'`,
    );
    const before = await known();
    await run({ since: at(Date.now() - 10 * day) });
    expect(await known()).toEqual(before);
    await run();
    const after = (await known()) as { from: Date };
    expect(after.from.getTime()).toBeGreaterThan(Date.now() - 31 * day);
  });

  it('is nothing new after a run whose whole window lies in the last minute, or ahead', async () => {
    await run({ since: at(Date.now() + day) });
    expect(await known()).toEqual({ from: null, until: null, at: null, newest_at: null });
    expect((await run(all)).result).toMatchObject({ pullRequests: 270 });
  });

  it('is nothing after a truncated run', async () => {
    const job = await run({ ...all, maxPages: 2 });
    expect(job.result).toMatchObject({ pullRequests: 200, pages: 2, truncated: true });
    expect(await known()).toEqual({ from: null, until: null, at: null, newest_at: null });
    expect((await run(all)).result).toMatchObject({ pullRequests: 270, truncated: false });
    expect(await pullRequestRows(database)).toEqual(trueRows());
  });
});

describe('when GraphQL cannot serve', () => {
  const toGraphQL = { path: '/graphql' };
  const served: [fault: Fault, requests: number, reason: RegExp][] = [
    [{ kind: 'graphql-rate-limited', match: toGraphQL }, 1, /rate limit/],
    [{ kind: 'primary-limit', match: toGraphQL }, 1, /rate limit/],
    [{ kind: 'secondary-limit', match: toGraphQL }, 1, /rate limit/],
    [{ kind: 'server-error', match: toGraphQL }, 1, /answered 500/],
    [{ kind: 'graphql-partial', match: toGraphQL }, 1, /Something went wrong/],
    [{ kind: 'truncated', match: toGraphQL }, 1, /./],
    // Pages of 100, 50 and 25.
    [{ kind: 'bad-gateway', match: toGraphQL, times: 'always' }, 3, /answered 502/],
    [{ kind: 'graphql-timeout', match: toGraphQL, times: 'always' }, 3, /timeout/],
  ];

  it.each(served)('REST does: %j', async (fault, requests, reason) => {
    standIn.faults.add(fault);
    const job = await run(all);
    expect(job).toMatchObject({
      status: 'completed',
      retryCount: 0,
      result: { pullRequests: 270, pages: 4, truncated: false, githubRequests: 4 + requests, api: 'rest' },
    });
    const { fallback } = job.result as { fallback: string };
    expect(fallback).toMatch(/^page 1: /);
    expect(fallback).toMatch(reason);
    expect(graphqlRequests()).toBe(requests);
    expect(without(await pullRequestRows(database), columnsOfDetails)).toEqual(
      without(trueRows(), columnsOfDetails),
    );
  });

  it('a smaller page does, where that is enough', async () => {
    standIn.faults.add({ kind: 'bad-gateway', match: toGraphQL });
    const job = await run(all);
    expect(job.result).toMatchObject({ pullRequests: 270, pages: 6, api: 'graphql', fallback: null });
    expect(await pullRequestRows(database)).toEqual(trueRows());
  });

  it('REST does for want of a token', async () => {
    standIn.faults.add({ kind: 'unauthorized', match: toGraphQL, times: 'always' });
    const client = createGitHub({ tokenName: 'GITHUB_TOKEN', baseUrl: standIn.url, log: silentLogger });
    const job = await run(all, client);
    expect(job).toMatchObject({ status: 'completed', result: { pullRequests: 270, api: 'rest' } });
    expect(job.result).toHaveProperty('fallback', expect.stringContaining('No token is configured'));
  });

  it.each([1, 2])('REST goes on after page %i, without reading the pages before again', async (pages) => {
    standIn.faults.add({ kind: 'graphql-rate-limited', skip: pages });
    const job = await run(all);
    expect(job.result).toMatchObject({ pullRequests: 270, pages: 4, truncated: false, api: 'rest' });
    expect(job.result).toHaveProperty('fallback', expect.stringMatching(new RegExp(`^page ${pages + 1}: `)));
    // The first page last: whether anything has changed.
    expect(restPages()).toEqual([...['2', '3'].slice(pages - 1), '1']);
    const rows = await pullRequestRows(database);
    expect(without(rows, columnsOfDetails)).toEqual(without(trueRows(), columnsOfDetails));
    const complete = rows.filter((row) => 'additions' in row && row.additions !== null);
    expect(complete).toHaveLength(100 * pages);
  });

  it('REST goes on a page earlier where pull requests of one second may be in another order', async () => {
    const order = byChange().toReversed();
    const around = order.slice(95, 105);
    around.forEach(({ number }) =>
      truth().editPullRequest(number, { updatedAt: order[100]?.updatedAt ?? '' }),
    );
    standIn.faults.add({ kind: 'graphql-rate-limited', skip: 1 });
    const job = await run(all);
    expect(job.result).toMatchObject({ pullRequests: 270, truncated: false });
    expect(restPages().slice(0, 2)).toEqual(['2', '1']);
    expect(without(await pullRequestRows(database), columnsOfDetails)).toEqual(
      without(trueRows(), columnsOfDetails),
    );
  });

  it('misses nothing that changes while the APIs take turns', async () => {
    const id = await enqueueJob(database, type, { repository, ...all });
    await lostAttempt(database, github, standIn, id, 2);
    const moved = byChange().slice(0, 120);
    moved.forEach(({ number }, n) =>
      truth().editPullRequest(number, { title: 'Moved', updatedAt: at(yesterday + 1000 * (n + 1)) }),
    );
    standIn.faults.add({ kind: 'graphql-rate-limited' });
    const job = await runAttempt(database, github, id);
    expect(job).toMatchObject({ status: 'completed', result: { pullRequests: 270, api: 'rest' } });
    expect(without(await pullRequestRows(database), columnsOfDetails)).toEqual(
      without(trueRows(), columnsOfDetails),
    );
  });

  it('and REST is rate limited too, the job waits for the first of them', async () => {
    standIn.faults.add(
      { kind: 'graphql-rate-limited', resetSeconds: 120 },
      { kind: 'primary-limit', resetSeconds: 600 },
    );
    const before = Date.now();
    const id = await enqueueJob(database, type, { repository, ...all });
    const snoozed = await runAttempt(database, github, id);
    expect(snoozed).toMatchObject({ status: 'queued', retryCount: 0 });
    expect(snoozed.runAt.getTime()).toBeGreaterThanOrEqual(before + 119_000);
    expect(snoozed.runAt.getTime()).toBeLessThanOrEqual(Date.now() + 122_000);
    const done = await runAttempt(database, github, id);
    expect(done).toMatchObject({ status: 'completed', result: { pullRequests: 270, api: 'graphql' } });
  });
});

describe('no fallback', () => {
  it('when the repository does not exist', async () => {
    const job = await run({ repository: 'octo-org/nowhere' });
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(job.error).toContain('octo-org/nowhere');
    expect([graphqlRequests(), standIn.requests.length]).toEqual([1, 1]);
  });

  it('when GitHub refuses the token', async () => {
    standIn.faults.add({ kind: 'unauthorized' });
    const job = await run();
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(job.error).toContain('The token in GITHUB_TOKEN is wrong, expired or revoked');
    expect(standIn.requests).toHaveLength(1);
  });

  it('when GraphQL is forced', async () => {
    standIn.faults.add({ kind: 'graphql-rate-limited' }, { kind: 'server-error' });
    expect(await run({ api: 'graphql' })).toMatchObject({ status: 'queued', retryCount: 0 });
    expect(await run({ api: 'graphql' })).toMatchObject({ status: 'queued', retryCount: 1 });
    expect(restPages()).toEqual([]);
  });

  it('when REST is forced', async () => {
    standIn.faults.add({ kind: 'server-error' });
    expect(await run({ api: 'rest' })).toMatchObject({ status: 'queued', retryCount: 1 });
    expect(graphqlRequests()).toBe(0);
  });
});

describe('a lost run', () => {
  const pages = [
    ...[0, 1, 2].map((page) => ({ api: 'graphql', page, requests: 3 })),
    ...[0, 1, 2, 3].map((page) => ({ api: 'rest', page, requests: 4 })),
  ];

  it.each(pages)('over $api goes on at page $page', async ({ api, page, requests }) => {
    const forced = api === 'rest' ? { api } : {};
    const id = await enqueueJob(database, type, { repository, ...all, ...forced });
    await lostAttempt(database, github, standIn, id, page);
    const job = await runAttempt(database, github, id);
    expect(job).toMatchObject({
      status: 'completed',
      result: { pullRequests: 270, pages: requests, githubRequests: requests, api, fallback: null },
    });
    // The lost one is the only one that was sent twice; an aborted request is no reason for another API.
    expect(standIn.requests).toHaveLength(requests + 1);
    expect(Object.values(await known())).not.toContain(null);
    const unknown = api === 'rest' ? columnsOfDetails : [];
    expect(without(await pullRequestRows(database), unknown)).toEqual(without(trueRows(), unknown));
  });

  it.each(apis)('misses nothing that changed between two pages over %s', async (api) => {
    const id = await enqueueJob(database, type, { repository, ...all, api });
    await lostAttempt(database, github, standIn, id, 1);
    const moved = byChange().slice(0, 130);
    moved.forEach(({ number }, n) =>
      truth().editPullRequest(number, { title: 'Moved', updatedAt: at(yesterday + 1000 * (n + 1)) }),
    );
    const job = await runAttempt(database, github, id);
    expect(job).toMatchObject({ status: 'completed', result: { pullRequests: 270, truncated: false } });
    const unknown = api === 'rest' ? columnsOfDetails : [];
    expect(without(await pullRequestRows(database), unknown)).toEqual(without(trueRows(), unknown));
  });
});

describe('missing reviews and comments', () => {
  interface FollowUp {
    id: string;
    payload: { prNumber: number };
    idempotency_key: string;
  }

  async function followUps(): Promise<FollowUp[]> {
    const { rows } = await database.pool.query<FollowUp>(
      `select id, payload, idempotency_key from background_jobs where type = 'capture/pr.details' order by id`,
    );
    return rows;
  }

  const count = (job: JobRow): unknown => (job.result as { details: unknown }).details;

  it('are captured by a job for each pull request of the window, the latest changed first, once', async () => {
    const since = Date.now() - 30 * day;
    const changed = byChange().filter(changedSince(since)).toReversed();
    expect(count(await run())).toEqual({ enqueued: changed.length, left: 0 });
    const jobs = await followUps();
    expect(jobs.map(({ payload }) => payload.prNumber)).toEqual(changed.map(({ number }) => number));
    expect(count(await run({ force: true }))).toEqual({ enqueued: 0, left: 0 });
    expect(count(await run())).toEqual({ enqueued: 0, left: 0 });
    expect(await followUps()).toEqual(jobs);
  });

  it('are captured afterwards, and again when the pull request changes', async () => {
    await run({ maxFollowUps: 1 });
    const [first] = await followUps();
    const details = await runAttempt(database, github, first?.id ?? '');
    expect(details).toMatchObject({ status: 'completed', result: { source: 'github' } });
    await database.pool.query('delete from background_jobs');
    await run();
    const numbers = (await followUps()).map(({ payload }) => payload.prNumber);
    expect(numbers).not.toContain(first?.payload.prNumber);
    truth().editPullRequest(first?.payload.prNumber ?? 0, { updatedAt: at(Date.now()) });
    expect(count(await run({ maxAgeSeconds: 0 }))).toEqual({ enqueued: 1, left: 0 });
    const again = (await followUps()).at(-1);
    expect(again?.payload.prNumber).toBe(first?.payload.prNumber);
    expect((await runAttempt(database, github, again?.id ?? '')).result).toMatchObject({ source: 'github' });
  });

  it('are left to the next run where there are too many', async () => {
    const total = trueRows().length;
    expect(count(await run({ ...all, maxFollowUps: 100 }))).toEqual({ enqueued: 100, left: total - 100 });
    expect(count(await run({ ...all, maxFollowUps: 100 }))).toEqual({ enqueued: 100, left: total - 200 });
    expect(new Set((await followUps()).map(({ payload }) => payload.prNumber)).size).toBe(200);
  });

  it('are none of an unknown repository, and are not looked for without bounds', async () => {
    const look = (repository: object, since: string | null, max_rows: number): Promise<unknown> =>
      database.rpc('get_pull_requests_without_details', { repository, since, max_rows });
    const nowhere = { owner: 'octo-org', name: 'nowhere' };
    expect(await look(nowhere, at(yesterday), 5)).toEqual({ total: 0, pull_requests: [] });
    await expect(look(nowhere, null, 5)).rejects.toMatchObject({ code: 'PT400' });
    await expect(look(nowhere, at(yesterday), -1)).rejects.toMatchObject({ code: 'PT400' });
    await expect(look({}, at(yesterday), 5)).rejects.toMatchObject({ code: 'PT400' });
  });

  it('are tried again the next day when a job for them has failed', async () => {
    await run({ maxFollowUps: 2 });
    const [failed, waiting] = await followUps();
    const as = (status: string, id = ''): Promise<unknown> =>
      database.pool.query(`update background_jobs set status = $1 where id = $2`, [status, id]);
    await as('failed', failed?.id);
    const sameDay = count(await run({ maxFollowUps: 0 })) as { left: number };
    // A day passes for the jobs.
    for (const { id, idempotency_key } of [failed, waiting].filter((job) => job !== undefined)) {
      const [, text, date = ''] = /^(.*) on (.*)$/.exec(idempotency_key) ?? [];
      const dayBefore = new Date(Date.parse(date) - day).toISOString().slice(0, 10);
      await database.pool.query('update background_jobs set idempotency_key = $1 where id = $2', [
        `${text} on ${dayBefore}`,
        id,
      ]);
    }
    expect(count(await run({ maxFollowUps: 0 }))).toEqual({ enqueued: 0, left: sameDay.left + 1 });
    expect(count(await run({ maxFollowUps: 1 }))).toMatchObject({ enqueued: 1 });
    const numbers = (await followUps()).map(({ payload }) => payload.prNumber);
    expect(numbers).toEqual([
      ...new Set([failed, waiting].map((job) => job?.payload.prNumber)),
      failed?.payload.prNumber,
    ]);
  });
});
