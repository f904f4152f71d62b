import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../tests/support/database.ts';
import {
  lookUpDiscussions,
  storeDiscussionsPage,
  type DiscussionCommentRow,
  type DiscussionRow,
  type DiscussionsPage,
} from './discussions-page.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

beforeEach(async () => {
  await database.pool.query('truncate repositories, contributors cascade');
  await database.pool.query(
    `insert into repositories (github_id, owner, name) values (1, 'octo-org', 'app')`,
  );
});

const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();
const created_at = '2026-01-01T00:00:00Z';
const updated_at = '2026-01-02T00:00:00Z';

const discussion: DiscussionRow = {
  ...{
    github_id: 21,
    author_github_id: 11,
    number: 7,
    title: 'First',
    body: null,
    category: 'Q&A',
    state: 'open',
  },
  ...{
    state_reason: null,
    locked: false,
    is_answered: true,
    answer_github_id: 32,
    answer_chosen_at: updated_at,
  },
  ...{
    answer_chosen_by_github_id: 12,
    upvotes: 3,
    html_url: 'https://github.com/octo-org/app/discussions/7',
  },
  ...{ created_at, updated_at, closed_at: null },
};

const comment: DiscussionCommentRow = {
  ...{
    github_id: 31,
    discussion_github_id: 21,
    author_github_id: null,
    parent_github_id: null,
    is_answer: false,
  },
  ...{
    upvotes: 0,
    body: 'Why?',
    html_url: 'https://github.com/octo-org/app/discussions/7#discussioncomment-31',
  },
  ...{ created_at, updated_at: created_at, deleted_at: null },
};

const account = (github_id: number, username: string) => ({
  ...{ github_id, username, account_type: 'User', is_bot: false },
  avatar_url: `https://example.com/${github_id}`,
});

/** A discussion with a comment and a reply, which is its answer. */
const page: DiscussionsPage = {
  fetched_at: minutesAgo(5),
  repository: { github_id: 1 },
  contributors: [account(12, 'zoe'), account(11, 'ada')],
  discussions: [discussion],
  discussion_comments: [{ ...comment, github_id: 32, parent_github_id: 31, is_answer: true }, comment],
  progress: { cursor: 'at-7', synced_until: updated_at },
};

const store = (changes: object = {}) =>
  storeDiscussionsPage(database.rpc, { ...page, ...changes }, new AbortController().signal);

async function read(statement: string): Promise<unknown[]> {
  return (await database.pool.query<object>(statement)).rows;
}

const title = () => read('select title from discussions');
const everything = async () => [
  await read('select * from repositories'),
  await read('select * from contributors order by id'),
  await read('select * from discussions'),
  await read('select * from discussion_comments order by id'),
];

describe('a page of discussions', () => {
  it('is stored with its people, its comments, replies and answer, whatever their order', async () => {
    await store();
    expect(
      await read(`select d.title, author.username as author, chooser.username as chooser, c.github_id::int as comment,
          c.parent_github_id::int as parent, c.is_answer
        from discussions d join contributors author on author.id = d.author_id
        join contributors chooser on chooser.id = d.answer_chosen_by_id
        join discussion_comments c on c.discussion_id = d.id order by c.github_id`),
    ).toEqual([
      { title: 'First', author: 'ada', chooser: 'zoe', comment: 31, parent: null, is_answer: false },
      { title: 'First', author: 'ada', chooser: 'zoe', comment: 32, parent: 31, is_answer: true },
    ]);
  });

  it('changes nothing when it is stored again, later', async () => {
    await store();
    const before = await everything();
    await store({ fetched_at: minutesAgo(1) });
    expect(await everything()).toEqual(before);
  });

  it('overwrites what an earlier capture wrote, and never what a later one did', async () => {
    const with_ = (given: string, changed: string) => ({ ...discussion, title: given, updated_at: changed });
    await store();
    await store({ fetched_at: minutesAgo(3), discussions: [with_('Later', '2026-01-03T00:00:00Z')] });
    expect(await title()).toEqual([{ title: 'Later' }]);
    await store({ fetched_at: minutesAgo(1), discussions: [with_('Earlier change', updated_at)] });
    await store({ fetched_at: minutesAgo(4), discussions: [with_('Earlier look', '2026-01-03T00:00:00Z')] });
    expect(await title()).toEqual([{ title: 'Later' }]);
    const voted = { ...comment, upvotes: 5 };
    await store({ fetched_at: minutesAgo(2), discussions: [], discussion_comments: [voted] });
    await store({ fetched_at: minutesAgo(4), discussions: [], discussion_comments: [comment] });
    expect(await read('select upvotes from discussion_comments where github_id = 31')).toEqual([
      { upvotes: 5 },
    ]);
  });

  it('moves the progress forward and never back', async () => {
    const progress = () =>
      read('select discussions_cursor as cursor, discussions_synced_at as at from repositories');
    await store();
    expect(await progress()).toEqual([{ cursor: 'at-7', at: null }]);
    const at = minutesAgo(2);
    await store({ progress: { cursor: 'at-9', synced_until: '2026-01-05T00:00:00Z', synced_at: at } });
    await store({
      progress: { cursor: 'at-8', synced_until: '2026-01-04T00:00:00Z', synced_at: minutesAgo(9) },
    });
    await store({ progress: {} });
    expect(await progress()).toEqual([{ cursor: 'at-9', at: new Date(at) }]);
    const { discussions } = await lookUpDiscussions(
      database.rpc,
      { id: null, githubId: 1, owner: null, name: null },
      new AbortController().signal,
    );
    expect(discussions).toMatchObject({ switched_on: false, cursor: 'at-9' });
    expect(discussions?.age_seconds).toBeGreaterThanOrEqual(119);
  });

  it.each([
    ['a repository that is not stored', { repository: { github_id: 2 } }, 'github_id of a known one'],
    ['an author who is not known', { contributors: [account(12, 'zoe')] }, 'contributor 11'],
    ['who chose the answer and is not known', { contributors: [account(11, 'ada')] }, 'contributor 12'],
    ['an unknown column', { discussions: [{ ...discussion, mood: 'sunny' }] }, 'discussions.mood'],
    ['an unknown table', { polls: [{ github_id: 1 }] }, 'polls.github_id'],
    ['an unknown progress', { progress: { page: 3 } }, 'progress.page'],
    ['no fetched_at', { fetched_at: null }, 'fetched_at'],
  ])('with %s is refused as a whole', async (_what, changes, message) => {
    await expect(store(changes)).rejects.toMatchObject({
      code: 'PT400',
      message: expect.stringContaining(message) as string,
    });
    expect(await title()).toEqual([]);
  });

  it('with a comment whose discussion is nowhere is refused as a whole', async () => {
    await expect(store({ discussions: [] })).rejects.toMatchObject({ code: '23502' });
    expect(await read('select from contributors')).toEqual([]);
  });
});

describe('the stored discussions', () => {
  it('go with their repository, and outlive their authors', async () => {
    await store();
    await database.pool.query('delete from contributors');
    expect(await read('select author_id, answer_chosen_by_id from discussions')).toEqual([
      { author_id: null, answer_chosen_by_id: null },
    ]);
    await database.pool.query('delete from repositories');
    expect(await read('select from discussion_comments')).toEqual([]);
  });

  it.each(['discussions', 'discussion_comments'])(
    '%s can be read by users and by nobody else',
    async (table) => {
      const may = async (role: string) =>
        await read(`select string_agg(privilege, ' ' order by privilege) as rights
        from unnest(array['select', 'insert', 'update', 'delete']) as privilege
        where has_table_privilege('${role}', '${table}', privilege)`);
      expect(await may('anon')).toEqual([{ rights: null }]);
      expect(await may('authenticated')).toEqual([{ rights: 'select' }]);
      expect(await may('service_role')).toEqual([{ rights: 'delete insert select update' }]);
      expect(await read(`select relrowsecurity from pg_class where oid = '${table}'::regclass`)).toEqual([
        { relrowsecurity: true },
      ]);
    },
  );
});
