import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  createTestDatabase,
  expectSoundQueue,
  type TestDatabase,
} from '../../../../tests/support/database.ts';
import { enqueueJob, runAttempt, runJob } from '../../../../tests/support/job-context.ts';
import {
  commentRows,
  reviewRows,
  trueComments,
  trueReviews,
} from '../../../../tests/support/pull-request-truth.ts';
import { silentLogger } from '../../../../tests/support/silent-logger.ts';
import { createGitHub } from '../../../github/create-github.ts';
import type { GitHub } from '../../../github/github.ts';
import type { PullRequest } from '../../../local/github/data/records.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../../local/github/stand-in.ts';
import { createJobQueue, type JobRow } from '../../../queue/job-queue.ts';
import { captureComments } from '../pr-comments.ts';
import { captureReviews } from '../pr-reviews.ts';

const repository = 'octo-org/hello-hybrid';
const pulls = `/repos/${repository}/pulls`;
let database: TestDatabase;
let standIn: GitHubStandIn;
let github: GitHub;
let busy: PullRequest;

beforeAll(async () => {
  standIn = await startGitHubStandIn();
  github = createGitHub({
    token: 'test-token',
    tokenName: 'GITHUB_TOKEN',
    baseUrl: standIn.url,
    log: silentLogger,
  });
  const truth = standIn.data.repository(repository);
  const found = truth?.pullRequest(truth.busyNumber ?? 0);
  if (!found) throw new Error('the stand-in has no busy pull request');
  busy = found;
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

/** One of the two jobs: its lists as paths, its rows, and the truth about them. */
interface Case {
  type: string;
  count: string;
  lists: (number: number) => { path: string; length: number }[];
  stored: (database: TestDatabase, prNumber: number) => Promise<unknown[]>;
  truth: (pull: PullRequest) => unknown[];
}

const cases: Case[] = [
  {
    type: 'capture/pr.reviews',
    count: 'reviews',
    lists: (number) => [{ path: `${pulls}/${number}/reviews`, length: busy.reviews.length }],
    stored: reviewRows,
    truth: trueReviews,
  },
  {
    type: 'capture/pr.comments',
    count: 'comments',
    lists: (number) => [
      { path: `${pulls}/${number}/comments`, length: busy.reviewComments.length },
      { path: `/repos/${repository}/issues/${number}/comments`, length: busy.comments.length },
    ],
    stored: commentRows,
    truth: trueComments,
  },
];

/** Path and page of what GitHub was asked since `from`, refusals and unanswered requests apart. */
function answered(from: number): string[] {
  return standIn.requests
    .slice(from)
    .filter(({ status, fault }) => status === 200 && fault === null)
    .map(({ path, search }) => `${path} ${new URLSearchParams(search).get('page') ?? ''}`.trim());
}

/** All rows of all captured tables; `withTimes` includes those of the captures. */
async function snapshot(withTimes: boolean): Promise<unknown> {
  const tables = ['repositories', 'contributors', 'pull_requests', 'reviews', 'comments'];
  const entries = tables.map(async (table) => {
    const { rows } = await database.pool.query<object>(`select * from ${table} order by github_id`);
    const kept = (column: string): boolean => withTimes || !column.endsWith('synced_at');
    return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([column]) => kept(column))));
  });
  return await Promise.all(entries);
}

async function makeDue(jobId: string): Promise<void> {
  await database.pool.query('update background_jobs set run_at = now() where id = $1', [jobId]);
}

describe.each(cases)('$type', ({ type, count, lists, stored, truth }) => {
  const payload = () => ({ repository, prNumber: busy.number });
  /** Every page of every list, in the order in which they are asked for. */
  const allPages = (): string[] =>
    lists(busy.number).flatMap(({ path, length }) =>
      Array.from({ length: Math.ceil(length / 100) }, (_, index) => `${path} ${index + 1}`),
    );
  const everything = () => ({
    [count]: truth(busy).length,
    pages: allPages().length,
    truncated: false,
    githubRequests: allPages().length + 1,
    source: 'github',
  });
  const expectTheTruth = async (job: JobRow): Promise<void> => {
    expect(job).toMatchObject({ status: 'completed', result: everything() });
    expect(await stored(database, busy.number)).toMatchObject(truth(busy));
  };

  it('stores all pages of a busy pull request that the database does not know', async () => {
    const asked = standIn.requests.length;
    await expectTheTruth(await runJob(database, github, type, payload()));
    expect(answered(asked)).toEqual([`${pulls}/${busy.number}`, ...allPages()]);
    for (const { length } of lists(busy.number)) expect(length).toBeGreaterThan(100);
  });

  it('stores a page with one call', async () => {
    let calls = 0;
    const rpc: TestDatabase['rpc'] = async (name, args, options) => {
      if (name === 'upsert_capture_page') calls += 1;
      return await database.rpc(name, args, options);
    };
    await runJob({ rpc }, github, type, payload());
    expect(calls).toBe(allPages().length + 1);
  });

  it('asks GitHub nothing and changes nothing the second time', async () => {
    await runJob(database, github, type, payload());
    const [asked, before] = [standIn.requests.length, await snapshot(true)];
    const again = await runJob(database, github, type, {
      repositoryId: await repositoryId(),
      pr_number: busy.number,
    });
    const cached = {
      [count]: truth(busy).length,
      pages: 0,
      truncated: false,
      githubRequests: 0,
      source: 'cache',
    };
    expect(again.result).toEqual(cached);
    expect(standIn.requests).toHaveLength(asked);
    expect(await snapshot(true)).toEqual(before);
  });

  it('asks for the pages alone when it is forced, and changes no row but the times', async () => {
    await runJob(database, github, type, payload());
    const [asked, before] = [standIn.requests.length, await snapshot(false)];
    const again = await runJob(database, github, type, { ...payload(), force: true });
    expect(again.result).toEqual({ ...everything(), githubRequests: allPages().length });
    expect(answered(asked)).toEqual(allPages());
    expect(await snapshot(false)).toEqual(before);
  });

  it('finds fresh what capture/pr.details has captured, and leaves the other list to its own job', async () => {
    await runJob(database, github, type, payload());
    const other = cases.find((each) => each.type !== type)?.type ?? '';
    expect((await runJob(database, github, other, payload())).result).toMatchObject({ source: 'github' });
    const small = standIn.data.repository(repository)?.pullRequests()[0]?.number ?? 0;
    await runJob(database, github, 'capture/pr.details', { repository, prNumber: small });
    const job = await runJob(database, github, type, { repository, prNumber: small });
    expect(job.result).toMatchObject({ source: 'cache', githubRequests: 0 });
  });

  it('says when maxPages has cut it short, and is not fresh then', async () => {
    const cut = await runJob(database, github, type, { ...payload(), maxPages: 1 });
    const pages = lists(busy.number).length;
    const expected = { [count]: pages * 100, pages, truncated: true, source: 'github' };
    expect(cut.result).toEqual({ ...expected, githubRequests: pages + 1 });
    expect(await stored(database, busy.number)).toHaveLength(pages * 100);
    const rest = await runJob(database, github, type, payload());
    expect(rest.result).toEqual({ ...everything(), githubRequests: allPages().length });
  });

  it('is not cut short when maxPages is just enough', async () => {
    const job = await runJob(database, github, type, { ...payload(), maxPages: 2 });
    await expectTheTruth(job);
  });

  it('goes on where it was when its process is killed, whichever page it is at', async () => {
    for (const [index, page] of allPages().entries()) {
      await database.pool.query('truncate repositories, contributors cascade');
      const [path, number] = page.split(' ');
      standIn.faults.add({ kind: 'hang', match: { path }, skip: Number(number) - 1 });
      const asked = standIn.requests.length;
      const id = await enqueueJob(database, type, payload());
      const gone = new AbortController();
      const killed = runAttempt(database, github, id, gone.signal);
      await vi.waitFor(() => expect(standIn.requests.slice(asked)).toHaveLength(index + 2), 20_000);
      await expireLease(id);
      const job = await runAttempt(database, github, id);
      expect(job.retryCount).toBe(1);
      await expectTheTruth(job);
      expect(answered(asked)).toEqual([`${pulls}/${busy.number}`, ...allPages()]);
      // What is left of the dead process changes nothing any more.
      gone.abort();
      expect(await killed).toEqual(job);
    }
  });

  it('goes on where it was when its host has to go', async () => {
    const [list] = lists(busy.number);
    standIn.faults.add({ kind: 'hang', match: { path: list?.path }, skip: 1 });
    const asked = standIn.requests.length;
    const id = await enqueueJob(database, type, payload());
    const shutdown = new AbortController();
    const handedOff = runAttempt(database, github, id, shutdown.signal);
    await vi.waitFor(() => expect(standIn.requests.slice(asked)).toHaveLength(3), 20_000);
    shutdown.abort();
    expect(await handedOff).toMatchObject({ status: 'queued', retryCount: 0 });
    await expectTheTruth(await runAttempt(database, github, id));
    expect(answered(asked)).toEqual([`${pulls}/${busy.number}`, ...allPages()]);
  });

  it('waits for a rate limit in the middle free of charge, and repeats no page', async () => {
    const last = lists(busy.number).at(-1);
    standIn.faults.add({ kind: 'primary-limit', resetSeconds: 120, match: { path: last?.path }, skip: 1 });
    const asked = standIn.requests.length;
    const id = await enqueueJob(database, type, payload());
    const before = Date.now();
    const snoozed = await runAttempt(database, github, id);
    expect(snoozed).toMatchObject({ status: 'queued', retryCount: 0 });
    expect(snoozed.runAt.getTime()).toBeGreaterThanOrEqual(before + 119_000);
    await makeDue(id);
    const job = await runAttempt(database, github, id);
    expect(job.retryCount).toBe(0);
    await expectTheTruth(job);
    expect(answered(asked)).toEqual([`${pulls}/${busy.number}`, ...allPages()]);
  });

  it('tries a page again that could not be had', async () => {
    standIn.faults.add({ kind: 'truncated', match: { path: lists(busy.number)[0]?.path }, skip: 1 });
    const id = await enqueueJob(database, type, payload());
    expect(await runAttempt(database, github, id)).toMatchObject({ status: 'queued', retryCount: 1 });
    await makeDue(id);
    await expectTheTruth(await runAttempt(database, github, id));
  });

  it('stores what deleted accounts and bots wrote, and pull requests without any', async () => {
    const all = standIn.data.repository(repository)?.pullRequests() ?? [];
    const isOfBot = ({ author }: { author: { type: string } | null }): boolean => author?.type === 'Bot';
    const written = (pull: PullRequest) =>
      count === 'reviews' ? pull.reviews : [...pull.reviewComments, ...pull.comments];
    const found = [
      all.find((pull) => written(pull).some(({ author }) => author === null)),
      all.find((pull) => written(pull).some(isOfBot)) ?? all.find(isOfBot),
      all.find((pull) => written(pull).length === 0),
    ];
    for (const pull of found) {
      if (!pull) throw new Error('the stand-in has no such pull request');
      const job = await runJob(database, github, type, { repository, prNumber: pull.number });
      expect(job.result).toMatchObject({ [count]: truth(pull).length, truncated: false });
      expect(await stored(database, pull.number)).toMatchObject(truth(pull));
      const again = await runJob(database, github, type, { repository, prNumber: pull.number });
      expect(again.result).toMatchObject({ source: 'cache' });
    }
  });

  it('fails for good when GitHub has no such pull request, or has it no more', async () => {
    const unknown = await runJob(database, github, type, { repository, prNumber: 99_999 });
    expect(unknown).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(unknown.error).toContain(`GitHub answered 404 to GET ${pulls}/99999`);
    await runJob(database, github, type, payload());
    const [list] = lists(busy.number);
    standIn.faults.add({ kind: 'not-found', match: { path: list?.path } });
    const gone = await runJob(database, github, type, { ...payload(), force: true });
    expect(gone).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(gone.error).toContain(`GitHub answered 404 to GET ${list?.path}`);
  });

  it('fails for good when maxPages is no number of pages', async () => {
    const job = await runJob(database, github, type, { ...payload(), maxPages: 0 });
    expect(job.status).toBe('failed');
    expect(job.error).toContain('maxPages');
  });
});

describe('capture/pr.comments', () => {
  it('is not fresh when only the first of its lists was cut short', async () => {
    const truth = standIn.data.repository(repository);
    truth?.editPullRequest(busy.number, { comments: busy.comments.slice(0, 3) });
    onTestFinished(() => truth?.editPullRequest(busy.number, { comments: busy.comments }));
    const payload = { repository, prNumber: busy.number, maxPages: 1 };
    for (const githubRequests of [3, 2]) {
      const job = await runJob(database, github, captureComments.type, payload);
      expect(job.result).toMatchObject({ comments: 103, truncated: true, githubRequests });
    }
  });
});

it.each([
  [captureReviews, 'capture-pr-reviews'],
  [captureComments, 'capture-pr-comments'],
])('$type runs on the edge, once at a time for a pull request', (job, functionId) => {
  const payload = job.payload.parse({ repository: 'Octo-Org/app', prNumber: 7 });
  expect(job).toMatchObject({ functionId, lane: 'edge', concurrency: { limit: 1 } });
  expect(job.concurrency?.key(payload)).toBe('repository:octo-org/app#7');
  expect(payload).toMatchObject({ maxPages: 50, maxAgeSeconds: 300, force: false });
});

async function repositoryId(): Promise<string | undefined> {
  const { rows } = await database.pool.query<{ id: string }>('select id from repositories');
  return rows[0]?.id;
}

/** What the sweep does when nobody has renewed the lease of a dead process. */
async function expireLease(jobId: string): Promise<void> {
  await database.pool.query(
    `with lease as (update background_job_leases set lease_until = now() - interval '1 second' where $1 = any (job_ids))
     update background_jobs set revision = revision + 1, lease_until = now() - interval '1 second' where id = $1`,
    [jobId],
  );
  const swept = await createJobQueue(database.rpc).sweep();
  expect(swept).toContainEqual(expect.objectContaining({ rescued: 1 }));
  await makeDue(jobId);
}
