import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { enqueueJob, runAttempt } from '../../../tests/support/job-context.ts';
import { lostAttempt } from '../../../tests/support/killed-attempt.ts';
import { silentLogger } from '../../../tests/support/silent-logger.ts';
import { createGitHub } from '../../github/create-github.ts';
import type { GitHub } from '../../github/github.ts';
import type { Issue } from '../../local/github/data/records.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../local/github/stand-in.ts';
import type { JobRow } from '../../queue/job-queue.ts';

const type = 'capture/repository.issues';
const repository = 'octo-org/tracker';
const yesterday = Date.now() - 86_400_000;
let database: TestDatabase;
let standIn: GitHubStandIn;
let github: GitHub;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

/** 270 issues among 50 pull requests, four pages; the last change was a day ago. */
beforeEach(async () => {
  await database.pool.query('truncate repositories, contributors cascade');
  const recipe = { owner: 'octo-org', name: 'tracker', issues: 270, pullRequests: 50, now: yesterday };
  standIn = await startGitHubStandIn({ repositories: [recipe] });
  github = createGitHub({ tokenName: 'GITHUB_TOKEN', baseUrl: standIn.url, log: silentLogger });
  return () => standIn.close();
});

async function run(payload: object = {}): Promise<JobRow> {
  const id = await enqueueJob(database, type, { repository, ...payload });
  return await runAttempt(database, github, id);
}

const truth = () => {
  const found = standIn.data.repository(repository);
  if (!found) throw new Error('the stand-in has lost the repository');
  return found;
};

function edit(number: number, changes: Partial<Issue> & { updatedAt: string }): void {
  const [issue, outline] = [truth().issue(number), truth().outlines[number - 1]];
  if (!issue || !outline) throw new Error(`${number} is no issue`);
  Object.assign(issue, changes);
  outline.updatedAt = changes.updatedAt;
}

const at = (time: number): string => new Date(time).toISOString().replace(/\.\d+/, '');

async function rows(): Promise<unknown[]> {
  const { rows } = await database.pool.query<object>(
    `select i.github_id::text, number, title, body, state, state_reason, i.html_url, i.created_at, i.updated_at, i.closed_at,
       author.username as author, author.is_bot as by_bot
     from issues i left join contributors author on author.id = i.author_id order by number`,
  );
  return rows;
}

function trueRows(): unknown[] {
  return truth()
    .issues()
    .map((issue) => ({
      github_id: String(issue.databaseId),
      number: issue.number,
      title: issue.title,
      body: issue.body || null,
      state: issue.state.toLowerCase(),
      state_reason: issue.stateReason?.toLowerCase() ?? null,
      html_url: `https://github.com/${repository}/issues/${issue.number}`,
      created_at: new Date(issue.createdAt),
      updated_at: new Date(issue.updatedAt),
      closed_at: issue.closedAt && new Date(issue.closedAt),
      author: issue.author?.login ?? null,
      by_bot: issue.author && issue.author.type === 'Bot',
    }));
}

/** Queries of the issue lists that were asked for. */
const lists = (): string[] =>
  standIn.requests.filter(({ path }) => path.endsWith('/issues')).map(({ search }) => search);

describe('capture/repository.issues', () => {
  it('stores every issue and no pull request, deleted authors and bots included', async () => {
    const job = await run();
    expect(job).toMatchObject({
      status: 'completed',
      result: { issues: 270, pages: 4, truncated: false, githubRequests: 5, source: 'github' },
    });
    expect(await rows()).toEqual(trueRows());
    const authors = truth()
      .issues()
      .map(({ author }) => author?.type ?? 'deleted');
    expect(authors).toEqual(expect.arrayContaining(['deleted', 'Bot', 'User']));
    const { rowCount } = await database.pool.query('select from pull_requests');
    expect(rowCount).toBe(0);
  });

  it('reads only what changed since the last run', async () => {
    await run();
    const [a, b] = truth().issues();
    const latest = truth()
      .outlines.map(({ updatedAt }) => updatedAt)
      .sort()
      .at(-1);
    const again = truth()
      .issues()
      .filter(({ updatedAt }) => updatedAt === latest).length;
    edit(a?.number ?? 0, { title: 'Edited 🐙', updatedAt: at(yesterday + 60_000) });
    edit(b?.number ?? 0, {
      author: null,
      state: 'CLOSED',
      stateReason: 'NOT_PLANNED',
      updatedAt: at(yesterday + 61_000),
    });
    const job = await run({ maxAgeSeconds: 0 });
    expect(job.result).toMatchObject({ issues: 2 + again, pages: 1, githubRequests: 2 });
    expect(await rows()).toEqual(trueRows());
  });

  it('asks GitHub nothing while the database is fresh, and again when it is told to', async () => {
    await run();
    const [before, asked] = [await rows(), standIn.requests.length];
    edit(truth().issues()[0]?.number ?? 0, { title: 'Not seen yet', updatedAt: at(yesterday + 60_000) });
    expect((await run()).result).toEqual({
      issues: 0,
      pages: 0,
      truncated: false,
      githubRequests: 0,
      source: 'cache',
    });
    expect([standIn.requests.length, await rows()]).toEqual([asked, before]);
    expect((await run({ force: true })).result).toMatchObject({ source: 'github' });
    expect(await rows()).toEqual(trueRows());
  });

  it('says when maxPages ended it, and goes on from there', async () => {
    expect((await run({ maxPages: 2 })).result).toMatchObject({
      pages: 2,
      truncated: true,
      githubRequests: 3,
    });
    expect((await rows()).length).toBeLessThan(270);
    const rest = await run();
    expect(rest.result).toMatchObject({ pages: 2, truncated: false, source: 'github' });
    expect(await rows()).toEqual(trueRows());
  });

  it('misses nothing that moves between two pages', async () => {
    const id = await enqueueJob(database, type, { repository });
    await lostAttempt(database, github, standIn, id, 2);
    const first = truth()
      .issues()
      .toSorted((a, b) => a.updatedAt.localeCompare(b.updatedAt))
      .slice(0, 30);
    first.forEach(({ number }, n) =>
      edit(number, { title: 'Moved', updatedAt: at(yesterday + 1000 * (n + 1)) }),
    );
    expect(await runAttempt(database, github, id)).toMatchObject({ status: 'completed' });
    expect(await rows()).toEqual(trueRows());
  });

  it('gets through more issues of one second than fit on a page, and misses none that moves meanwhile', async () => {
    const issues = truth().issues();
    issues.forEach(({ number }) => edit(number, { updatedAt: at(yesterday) }));
    const id = await enqueueJob(database, type, { repository, maxPages: 2 });
    // Asked before: for the repository, for a page that ends in that second, and for the first page of that second.
    await lostAttempt(database, github, standIn, id, 3);
    issues
      .slice(0, 5)
      .forEach(({ number }) => edit(number, { title: 'Moved', updatedAt: at(yesterday + 5000) }));
    expect((await runAttempt(database, github, id)).result).toMatchObject({ pages: 4, truncated: false });
    expect(await rows()).toEqual(trueRows());
  });

  it('leaves the place of the next run where it is when it was told to begin later', async () => {
    const middle = truth().issues()[200];
    expect((await run({ since: middle?.createdAt })).result).toMatchObject({ truncated: false });
    expect((await rows()).length).toBeLessThan(270);
    expect((await run()).result).toMatchObject({ issues: 270, source: 'github' });
    expect(await rows()).toEqual(trueRows());
  });

  it.each([1, 2, 3, 4])('lost at page %i, goes on there and fetches no earlier page again', async (page) => {
    const id = await enqueueJob(database, type, { repository });
    await lostAttempt(database, github, standIn, id, page);
    const job = await runAttempt(database, github, id);
    expect(job).toMatchObject({
      status: 'completed',
      result: { issues: 270, pages: 4, truncated: false, githubRequests: 5 },
    });
    expect(lists()).toHaveLength(5);
    expect(new Set(lists()).size).toBe(4);
    expect(await rows()).toEqual(trueRows());
  });

  it('is snoozed by a rate limit in the middle, and finishes afterwards', async () => {
    standIn.faults.add({ kind: 'primary-limit', skip: 2, resetSeconds: 120 });
    const id = await enqueueJob(database, type, { repository });
    const snoozed = await runAttempt(database, github, id);
    expect(snoozed).toMatchObject({ status: 'queued', retryCount: 0 });
    expect(snoozed.runAt.getTime()).toBeGreaterThan(Date.now() + 60_000);
    expect(await runAttempt(database, github, id)).toMatchObject({
      status: 'completed',
      retryCount: 0,
      result: { issues: 270 },
    });
    expect(await rows()).toEqual(trueRows());
  });

  it('fails for good when the repository does not exist', async () => {
    const job = await run({ repository: 'octo-org/nowhere' });
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(job.error).toContain('404');
  });
});
