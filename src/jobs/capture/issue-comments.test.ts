import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { enqueueJob, runAttempt } from '../../../tests/support/job-context.ts';
import { lostAttempt } from '../../../tests/support/killed-attempt.ts';
import { silentLogger } from '../../../tests/support/silent-logger.ts';
import { createGitHub } from '../../github/create-github.ts';
import type { GitHub } from '../../github/github.ts';
import type { Comment, Issue } from '../../local/github/data/records.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../local/github/stand-in.ts';
import type { JobRow } from '../../queue/job-queue.ts';

const type = 'capture/issue.comments';
const repository = 'octo-org/talk';
const yesterday = Date.now() - 86_400_000;
let database: TestDatabase;
let standIn: GitHubStandIn;
let github: GitHub;
let issue: Issue;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

/** An issue with 350 comments, four pages, all of which were written days ago. */
beforeEach(async () => {
  await database.pool.query('truncate repositories, contributors cascade');
  const recipe = { owner: 'octo-org', name: 'talk', issues: 40, pullRequests: 1, now: yesterday };
  standIn = await startGitHubStandIn({ repositories: [recipe] });
  github = createGitHub({ tokenName: 'GITHUB_TOKEN', baseUrl: standIn.url, log: silentLogger });
  const issues = standIn.data.repository(repository)?.issues() ?? [];
  const found = issues.find(({ comments }) => comments.length > 0);
  if (!found) throw new Error('the stand-in has no issue with comments');
  issue = found;
  const written = issues.flatMap(({ comments }) => comments);
  issue.comments = Array.from({ length: 350 }, (_, n) => ({
    ...(written[n % written.length] as Comment),
    databaseId: 9_000_000_000 + n,
    createdAt: at(yesterday - 86_400_000 + n * 1000),
    updatedAt: at(yesterday - 86_400_000 + n * 1000),
  }));
  return () => standIn.close();
});

const at = (time: number): string => new Date(time).toISOString().replace(/\.\d+/, '');

async function run(payload: object = {}): Promise<JobRow> {
  const id = await enqueueJob(database, type, { repository, issueNumber: issue.number, ...payload });
  return await runAttempt(database, github, id);
}

const start = async (): Promise<string> =>
  await enqueueJob(database, type, { repository, issueNumber: issue.number });

async function rows(): Promise<unknown[]> {
  const { rows } = await database.pool.query<object>(
    `select comment.github_id::text, comment_type, issues.number, comment.body, comment.html_url, comment.created_at,
       comment.updated_at, author.username as author, author.is_bot as by_bot
     from comments comment join issues on issues.id = comment.issue_id
     left join contributors author on author.id = comment.commenter_id order by comment.github_id`,
  );
  return rows;
}

function trueRows(): unknown[] {
  return issue.comments.map((comment) => ({
    github_id: String(comment.databaseId),
    comment_type: 'issue_comment',
    number: issue.number,
    body: comment.body,
    html_url: `https://github.com/${repository}/issues/${issue.number}#issuecomment-${comment.databaseId}`,
    created_at: new Date(comment.createdAt),
    updated_at: new Date(comment.updatedAt),
    author: comment.author?.login ?? null,
    by_bot: comment.author && comment.author.type === 'Bot',
  }));
}

/** Queries of the comment lists that were asked for. */
const lists = (): string[] =>
  standIn.requests.filter(({ path }) => path.endsWith('/comments')).map(({ search }) => search);

function edit(index: number, body: string): void {
  Object.assign(issue.comments[index] ?? {}, { body, updatedAt: at(Date.now()) });
}

describe('capture/issue.comments', () => {
  it('stores all comments of an issue that nobody has captured, deleted authors and bots included', async () => {
    expect(await run()).toMatchObject({
      status: 'completed',
      result: { comments: 350, pages: 4, truncated: false, githubRequests: 6, source: 'github' },
    });
    expect(await rows()).toEqual(trueRows());
    const authors = issue.comments.map(({ author }) => author?.type ?? 'deleted');
    expect(authors).toEqual(expect.arrayContaining(['deleted', 'Bot', 'User']));
    const { rows: issues } = await database.pool.query('select number, title from issues');
    expect(issues).toEqual([{ number: issue.number, title: issue.title }]);
  });

  it('is content with an issue without comments', async () => {
    issue.comments = [];
    expect((await run()).result).toMatchObject({ comments: 0, pages: 1, truncated: false });
    expect((await run()).result).toMatchObject({ source: 'cache' });
  });

  it('reads only what changed since the last run', async () => {
    await run();
    edit(3, 'Edited 🐙');
    issue.comments.push({ ...(issue.comments[0] as Comment), databaseId: 9_100_000_000, body: 'New' });
    edit(350, 'New');
    expect((await run({ maxAgeSeconds: 0 })).result).toMatchObject({
      comments: 2,
      pages: 1,
      githubRequests: 3,
    });
    expect(await rows()).toEqual(trueRows());
  });

  it('reads all pages again when more changed than one page holds', async () => {
    await run();
    for (let index = 0; index < 150; index++) edit(index, 'Edited by a bot');
    expect((await run({ force: true })).result).toMatchObject({ pages: 5, truncated: false });
    expect(await rows()).toEqual(trueRows());
  });

  it('reads again what it knows when it is told to look further back', async () => {
    await run();
    const { result } = await run({ force: true, since: issue.comments[340]?.updatedAt });
    expect(result).toMatchObject({ comments: 10, pages: 1 });
    expect(await rows()).toEqual(trueRows());
  });

  it('asks GitHub nothing while the database is fresh', async () => {
    await run();
    const [before, asked] = [await rows(), standIn.requests.length];
    edit(0, 'Not seen yet');
    expect((await run()).result).toEqual({
      comments: 0,
      pages: 0,
      truncated: false,
      githubRequests: 0,
      source: 'cache',
    });
    expect([standIn.requests.length, await rows()]).toEqual([asked, before]);
  });

  it('says when maxPages ended it, and goes on from there', async () => {
    expect((await run({ maxPages: 1 })).result).toMatchObject({ comments: 50, pages: 1, truncated: true });
    edit(349, 'Edited after it was read');
    expect((await run({ maxPages: 2 })).result).toMatchObject({ comments: 200, truncated: true });
    expect((await run()).result).toMatchObject({ comments: 101, pages: 2, truncated: false });
    expect(await rows()).toEqual(trueRows());
    expect((await run()).result).toMatchObject({ source: 'cache' });
  });

  it('misses nothing when comments are deleted between two pages', async () => {
    const id = await start();
    await lostAttempt(database, github, standIn, id, 4);
    const deleted = issue.comments.splice(0, 30).map(({ databaseId }) => String(databaseId));
    await runAttempt(database, github, id);
    const stored = (await rows()) as { github_id: string }[];
    expect(stored.filter(({ github_id }) => !deleted.includes(github_id))).toEqual(trueRows());
  });

  it.each([2, 3, 4, 5])(
    'lost at request %i, goes on there and fetches no earlier page again',
    async (request) => {
      const id = await start();
      await lostAttempt(database, github, standIn, id, request);
      expect(await runAttempt(database, github, id)).toMatchObject({
        status: 'completed',
        result: { comments: 350, pages: 4, truncated: false, githubRequests: 6 },
      });
      expect(lists()).toHaveLength(5);
      expect(new Set(lists()).size).toBe(4);
      expect(await rows()).toEqual(trueRows());
    },
  );

  it('is snoozed by a rate limit in the middle, and finishes afterwards', async () => {
    standIn.faults.add({ kind: 'secondary-limit', skip: 3, retryAfterSeconds: 120 });
    const id = await start();
    const snoozed = await runAttempt(database, github, id);
    expect(snoozed).toMatchObject({ status: 'queued', retryCount: 0 });
    expect(snoozed.runAt.getTime()).toBeGreaterThan(Date.now() + 60_000);
    expect(await runAttempt(database, github, id)).toMatchObject({ status: 'completed', retryCount: 0 });
    expect(await rows()).toEqual(trueRows());
  });

  it('fails for good when there is no such issue, or the number is that of a pull request', async () => {
    const missing = await run({ issueNumber: 4711 });
    expect(missing).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(missing.error).toContain('404');
    const pull = standIn.data.repository(repository)?.pullRequests()[0];
    const wrong = await run({ issueNumber: pull?.number });
    expect(wrong).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(wrong.error).toContain('is a pull request');
  });
});
