import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../../tests/support/database.ts';
import { enqueueJob, runAttempt } from '../../../tests/support/job-context.ts';
import { lostAttempt } from '../../../tests/support/killed-attempt.ts';
import { silentLogger } from '../../../tests/support/silent-logger.ts';
import { createGitHub } from '../../github/create-github.ts';
import type { GitHub } from '../../github/github.ts';
import type { Discussion } from '../../local/github/data/records.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../local/github/stand-in.ts';
import type { JobRow } from '../../queue/job-queue.ts';

const type = 'sync/discussions';
const repository = 'octo-org/forum';
const yesterday = Date.now() - 86_400_000;
let database: TestDatabase;
let standIn: GitHubStandIn;
let github: GitHub;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

/** 60 discussions, three pages; one of them has more comments than fit. The last change was a day ago. */
beforeEach(async () => {
  await database.pool.query('truncate repositories, contributors, background_jobs cascade');
  const recipe = { owner: 'octo-org', name: 'forum', discussions: 60, issues: 3, now: yesterday };
  standIn = await startGitHubStandIn({ repositories: [recipe] });
  github = createGitHub({
    token: 'test',
    tokenName: 'GITHUB_TOKEN',
    baseUrl: standIn.url,
    log: silentLogger,
  });
  await switchOn(repository);
  return () => standIn.close();
});

async function switchOn(fullName: string): Promise<void> {
  const [owner, name] = fullName.split('/');
  await database.pool.query(
    `with known as (insert into repositories (github_id, owner, name) values ($1, $2, $3) returning id)
     insert into tracked_repositories (repository_id, sync_discussions) select id, true from known`,
    [standIn.data.repository(fullName)?.fields.databaseId, owner, name],
  );
}

async function run(payload: object = {}): Promise<JobRow> {
  return await runAttempt(database, github, await enqueueJob(database, type, { repository, ...payload }));
}

const truth = () => {
  const found = standIn.data.repository(repository);
  if (!found) throw new Error('the stand-in has lost the repository');
  return found;
};

const at = (time: number): string => new Date(time).toISOString().replace(/\.\d+/, '');

/** The n-th discussion in the order of their changes. */
function changed(n: number): Discussion {
  const outline = truth().discussionOutlines.toSorted((a, b) => a.updatedAt.localeCompare(b.updatedAt))[n];
  const discussion = truth().discussion(outline?.number ?? 0);
  if (!discussion) throw new Error(`there is no discussion ${n}`);
  return discussion;
}

async function read(statement: string): Promise<unknown[]> {
  return (await database.pool.query<object>(statement)).rows;
}

async function forget(): Promise<void> {
  await database.pool.query('truncate discussions cascade');
  await database.pool.query(
    'update repositories set discussions_cursor = null, discussions_synced_until = null, discussions_synced_at = null',
  );
}

const discussionRows = (): Promise<unknown[]> =>
  read(`select d.github_id::text, number, title, body, category, state, state_reason, locked, is_answered,
    answer_github_id::text, answer_chosen_at, chooser.username as answer_chosen_by, upvotes, html_url, d.created_at,
    d.updated_at, closed_at, author.username as author
  from discussions d left join contributors author on author.id = d.author_id
    left join contributors chooser on chooser.id = d.answer_chosen_by_id order by number`);

const commentRows = (): Promise<unknown[]> =>
  read(`select c.github_id::text, number, parent_github_id::text, is_answer, c.upvotes, c.body, c.html_url, c.created_at,
    c.updated_at, deleted_at, author.username as author, author.is_bot as by_bot
  from discussion_comments c join discussions d on d.id = c.discussion_id
    left join contributors author on author.id = c.author_id order by c.github_id`);

const text = (id: number | null): string | null => (id === null ? null : String(id));
const date = (time: string | null): Date | null => (time === null ? null : new Date(time));

function trueDiscussions(): unknown[] {
  return truth()
    .discussions()
    .map((discussion) => ({
      github_id: String(discussion.databaseId),
      number: discussion.number,
      title: discussion.title,
      body: discussion.body || null,
      category: discussion.category.name,
      state: discussion.state.toLowerCase(),
      state_reason: discussion.stateReason?.toLowerCase() ?? null,
      locked: discussion.locked,
      is_answered: discussion.category.isAnswerable ? discussion.answerId !== null : null,
      answer_github_id: text(discussion.answerId),
      answer_chosen_at: date(discussion.answerChosenAt),
      answer_chosen_by: discussion.answerChosenBy?.login ?? null,
      upvotes: discussion.upvoteCount,
      html_url: `https://github.com/${repository}/discussions/${discussion.number}`,
      created_at: new Date(discussion.createdAt),
      updated_at: new Date(discussion.updatedAt),
      closed_at: date(discussion.closedAt),
      author: discussion.author?.login ?? null,
    }));
}

function trueComments(): unknown[] {
  return truth()
    .discussions()
    .flatMap(({ number, answerId, comments }) =>
      comments.map((comment) => ({
        github_id: String(comment.databaseId),
        number,
        parent_github_id: text(comment.replyToId),
        is_answer: comment.databaseId === answerId,
        upvotes: comment.upvoteCount,
        body: comment.body || null,
        html_url: `https://github.com/${repository}/discussions/${number}#discussioncomment-${comment.databaseId}`,
        created_at: new Date(comment.createdAt),
        updated_at: new Date(comment.updatedAt),
        deleted_at: date(comment.deletedAt),
        author: comment.author?.login ?? null,
        by_bot: comment.author && comment.author.type === 'Bot',
      })),
    )
    .sort((a, b) => Number(a.github_id) - Number(b.github_id));
}

async function expectTruth(): Promise<void> {
  expect(await discussionRows()).toEqual(trueDiscussions());
  expect(await commentRows()).toEqual(trueComments());
}

const nodeOf = (edge: { node: unknown } | null | undefined) =>
  (edge?.node ?? {}) as { number: number; comments: object };

/** What each request of the run was: the list after a cursor, or the threads that it went on with. */
const asked = (): string[] => standIn.requests.map(({ graphql }) => JSON.stringify(graphql?.variables));

describe('sync/discussions of a repository', () => {
  it('stores every discussion with its comments, replies and answer, deleted authors and bots included', async () => {
    const job = await run();
    expect(job).toMatchObject({
      status: 'completed',
      result: {
        discussions: 60,
        comments: trueComments().length,
        pages: 3,
        truncated: false,
        githubRequests: standIn.requests.length,
        source: 'github',
      },
    });
    await expectTruth();
    expect(await read('select count(*)::int from discussion_comments where is_answer')).not.toEqual([
      { count: 0 },
    ]);
  });

  it('changes no row but synced times when it runs again', async () => {
    await run();
    const unchanged = async () => [
      await read('select * from discussions order by id'),
      await read('select * from discussion_comments order by id'),
      await read('select discussions_cursor, discussions_synced_until from repositories'),
    ];
    const before = await unchanged();
    expect((await run({ force: true, full: true })).result).toMatchObject({ discussions: 60, pages: 3 });
    expect(await unchanged()).toEqual(before);
  });

  it('reads only what changed since the last run', async () => {
    await run();
    const [first, second] = [changed(3), changed(30)];
    truth().editDiscussion(first.number, {
      ...{ title: 'Edited 🐙', author: null, answerId: null, answerChosenAt: null, answerChosenBy: null },
      updatedAt: at(yesterday + 60_000),
    });
    const [comment] = second.comments;
    truth().editDiscussion(second.number, {
      ...{
        state: 'CLOSED',
        stateReason: 'OUTDATED',
        closedAt: at(yesterday),
        answerId: comment?.databaseId ?? null,
      },
      updatedAt: at(yesterday + 61_000),
    });
    const job = await run({ maxAgeSeconds: 0 });
    expect(job.result).toMatchObject({ discussions: 2, pages: 1, githubRequests: 1 });
    await expectTruth();
  });

  it('reads again what changed within the last minute, for GitHub may show an earlier change later', async () => {
    truth().editDiscussion(changed(5).number, { title: 'Just now', updatedAt: at(Date.now() - 5_000) });
    await run();
    const late = changed(2);
    truth().editDiscussion(late.number, { title: 'Shown late', updatedAt: at(Date.now() - 20_000) });
    expect((await run({ maxAgeSeconds: 0 })).result).toMatchObject({ discussions: 2 });
    await expectTruth();
  });

  it('asks GitHub nothing while the database is fresh, and again when it is told to', async () => {
    await run();
    const before = standIn.requests.length;
    truth().editDiscussion(changed(0).number, { title: 'Not seen yet', updatedAt: at(yesterday + 1000) });
    expect((await run()).result).toMatchObject({
      discussions: 0,
      pages: 0,
      githubRequests: 0,
      source: 'cache',
    });
    expect(standIn.requests).toHaveLength(before);
    expect((await run({ force: true })).result).toMatchObject({ discussions: 1, source: 'github' });
    await expectTruth();
  });

  it('says when maxPages ended it, and goes on from there', async () => {
    expect((await run({ maxPages: 2 })).result).toMatchObject({ discussions: 50, pages: 2, truncated: true });
    expect((await run()).result).toMatchObject({ discussions: 10, pages: 1, truncated: false });
    await expectTruth();
  });

  it('misses nothing that changes between two pages', async () => {
    const id = await enqueueJob(database, type, { repository });
    await lostAttempt(database, github, standIn, id, 1);
    for (const n of [0, 1, 2, 40]) {
      const updatedAt = at(yesterday + 60_000 * (n + 1));
      truth().editDiscussion(changed(n).number, { title: `Moved ${n}`, updatedAt });
    }
    const job = await runAttempt(database, github, id);
    expect(job).toMatchObject({ status: 'completed', result: { discussions: 60 } });
    await expectTruth();
  });

  it('lost at any request, goes on there and asks for nothing twice', async () => {
    await run();
    const undisturbed = asked();
    for (const n of undisturbed.keys()) {
      await forget();
      const before = standIn.requests.length;
      const id = await enqueueJob(database, type, { repository, force: true });
      await lostAttempt(database, github, standIn, id, n);
      expect(await runAttempt(database, github, id)).toMatchObject({
        status: 'completed',
        result: { discussions: 60, githubRequests: undisturbed.length },
      });
      // Only the answer that was lost is asked for again.
      expect(asked().slice(before)).toEqual(undisturbed.toSpliced(n, 0, undisturbed[n] ?? ''));
      await expectTruth();
    }
  });

  it('moves its mark over a page only when the last of its comments is stored', async () => {
    await run();
    const rest = asked().findIndex((variables) => variables.includes('"ids0"'));
    const { after } = JSON.parse(asked()[rest - 1] ?? '') as { after: string | null };
    await forget();
    const id = await enqueueJob(database, type, { repository, force: true });
    await lostAttempt(database, github, standIn, id, rest);
    const mark = 'select discussions_cursor as cursor from repositories';
    expect(await read(mark)).toEqual([{ cursor: after }]);
    await runAttempt(database, github, id);
    expect(await read(mark)).not.toEqual([{ cursor: after }]);
  });

  it('begins anew when GitHub does not know its cursor any more', async () => {
    await run();
    await database.pool.query(`update repositories set discussions_cursor = 'no cursor of this list'`);
    expect((await run({ maxAgeSeconds: 0 })).result).toMatchObject({ discussions: 60, truncated: false });
    await expectTruth();
  });

  it('takes smaller pages where GitHub cannot give large ones', async () => {
    standIn.faults.add({ kind: 'graphql-timeout', times: 2 });
    standIn.faults.add({ kind: 'graphql-timeout', match: { operation: 'restOfThreads' } });
    const job = await run();
    expect(job).toMatchObject({ status: 'completed', retryCount: 0, result: { discussions: 60, pages: 10 } });
    await expectTruth();
  });

  it('leaves out what GitHub answers with null, and what has no id', async () => {
    const [withoutNode, withoutId, withoutComments] = [changed(0), changed(1), changed(2)];
    const spoiled: typeof fetch = async (...request) => {
      const answer = (await (await fetch(...request)).json()) as {
        data: { repository?: { discussions: { edges: ({ node: unknown } | null)[] } } };
      };
      const [first, second, third] = answer.data.repository?.discussions.edges ?? [];
      if (first && nodeOf(first).number === withoutNode.number) {
        answer.data.repository?.discussions.edges.push(null);
        first.node = null;
        Object.assign(nodeOf(second), { databaseId: null });
        Object.assign(nodeOf(third).comments, { nodes: null });
      }
      return Response.json(answer);
    };
    github = createGitHub({
      ...{ token: 'test', tokenName: 'GITHUB_TOKEN', baseUrl: standIn.url, log: silentLogger },
      fetch: spoiled,
    });
    expect((await run()).result).toMatchObject({ discussions: 58, pages: 3 });
    const left = [withoutNode, withoutId].map(({ number }) => number);
    const has = (numbers: number[]) => (row: unknown) => numbers.includes((row as { number: number }).number);
    expect(await discussionRows()).toEqual(trueDiscussions().filter((row) => !has(left)(row)));
    const silent = has([...left, withoutComments.number]);
    expect(await commentRows()).toEqual(trueComments().filter((row) => !silent(row)));
  });

  it('is snoozed by a rate limit in the middle, and finishes afterwards', async () => {
    standIn.faults.add({ kind: 'graphql-rate-limited', skip: 2, resetSeconds: 120 });
    const id = await enqueueJob(database, type, { repository });
    const snoozed = await runAttempt(database, github, id);
    expect(snoozed).toMatchObject({ status: 'queued', retryCount: 0 });
    expect(snoozed.runAt.getTime()).toBeGreaterThan(Date.now() + 60_000);
    await database.pool.query('delete from job_quotas');
    expect(await runAttempt(database, github, id)).toMatchObject({ status: 'completed', retryCount: 0 });
    await expectTruth();
  });

  it('is nothing for a repository without discussions', async () => {
    await switchOn('octo-org/empty');
    expect((await run({ repository: 'octo-org/empty' })).result).toMatchObject({
      discussions: 0,
      pages: 1,
      truncated: false,
      source: 'github',
    });
  });

  it('fails for good when the repository does not exist', async () => {
    const job = await run({ repository: 'octo-org/nowhere', force: true });
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(job.error).toContain("'octo-org/nowhere'");
  });

  it('does nothing unless the repository is switched on, says how, and obeys force', async () => {
    await database.pool.query('update tracked_repositories set sync_discussions = false');
    const { result } = await run();
    const { skipped } = result as { skipped: string };
    expect(skipped).toContain('octo-org/forum are not switched on');
    expect(standIn.requests).toEqual([]);
    // What it says can be run as it stands.
    await database.pool.query(/insert .* sync_discussions = true/.exec(skipped)?.[0] ?? '');
    expect(await read('select sync_discussions as on from tracked_repositories')).toEqual([{ on: true }]);
    await database.pool.query('truncate repositories cascade');
    expect((await run()).result).toEqual({ skipped: expect.stringContaining('is not known') as string });
    expect((await run({ force: true })).result).toMatchObject({ discussions: 60 });
    await expectTruth();
  });
});

describe('sync/discussions without a repository', () => {
  const children = (): Promise<unknown[]> =>
    read(`select payload->'repository'->>'name' as name, payload->>'maxPages' as max_pages, concurrency_key
      from background_jobs where type = 'sync/discussions' and payload ? 'repository' order by name`);

  const tick = async (payload: object = {}): Promise<JobRow> =>
    await runAttempt(database, github, await enqueueJob(database, type, payload));

  it('starts one job for each repository that is switched on, once in a period', async () => {
    await switchOn('octo-org/single');
    await switchOn('octo-org/empty');
    await database.pool.query(
      `update tracked_repositories set enabled = false
       where repository_id = (select id from repositories where name = 'empty')`,
    );
    expect((await tick({ maxPages: 7 })).result).toEqual({ enqueued: 2, switchedOn: 2 });
    const expected = ['forum', 'single'].map((name) => ({
      name,
      max_pages: '7',
      concurrency_key: `discussions of repository:octo-org/${name}`,
    }));
    expect(await children()).toEqual(expected);
    expect((await tick()).result).toEqual({ enqueued: 0, switchedOn: 2 });
    expect(await children()).toEqual(expected);
    expect(standIn.requests).toEqual([]);
    await expectSoundQueue(database.pool);
  });

  it('says what to set when none is', async () => {
    await database.pool.query('update tracked_repositories set sync_discussions = false');
    expect((await tick()).result).toEqual({
      skipped: expect.stringContaining('set sync_discussions = true') as string,
    });
    expect(await children()).toEqual([]);
  });

  it('takes half a name for a mistake', async () => {
    const job = await tick({ owner: 'octo-org' });
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(job.error).toContain('payload.repo');
  });
});
