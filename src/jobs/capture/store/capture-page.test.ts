import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../tests/support/database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

beforeEach(async () => {
  await database.pool.query('truncate repositories, contributors cascade');
});

const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

/** One repository with two contributors, a pull request, an issue, a review and two comments of the same number. */
function page(
  changes: { fetchedAt?: string; title?: string; updatedAt?: string; review?: string; owner?: string } = {},
) {
  const { fetchedAt = minutesAgo(5), title = 'First', updatedAt = '2026-01-02T00:00:00Z' } = changes;
  return {
    fetched_at: fetchedAt,
    repository: {
      github_id: 1,
      owner: changes.owner ?? 'octo-org',
      name: 'app',
      description: null,
      private: false,
      fork: false,
      archived: false,
      default_branch: 'main',
      language: 'TypeScript',
      stargazers_count: 3,
      html_url: 'https://github.com/octo-org/app',
      created_at: '2025-01-01T00:00:00Z',
      updated_at: '2026-01-01T00:00:00Z',
      pushed_at: null,
    },
    contributors: [
      {
        github_id: 12,
        username: 'zoe',
        account_type: 'User',
        is_bot: false,
        avatar_url: 'https://example.com/12',
      },
      {
        github_id: 11,
        username: 'ada',
        account_type: 'User',
        is_bot: false,
        avatar_url: 'https://example.com/11',
      },
    ],
    pull_requests: [
      {
        github_id: 21,
        author_github_id: 11,
        merged_by_github_id: null,
        number: 7,
        title,
        body: null,
        state: 'open',
        draft: false,
        merged: false,
        base_branch: 'main',
        head_branch: 'topic',
        head_sha: 'abc',
        additions: 1,
        deletions: 2,
        changed_files: 3,
        commits: 4,
        html_url: 'https://github.com/octo-org/app/pull/7',
        created_at: '2026-01-01T00:00:00Z',
        updated_at: updatedAt,
        closed_at: null,
        merged_at: null,
      },
    ],
    issues: [
      {
        github_id: 31,
        author_github_id: null,
        number: 8,
        title: 'Bug',
        body: null,
        state: 'open',
        state_reason: null,
        html_url: 'https://github.com/octo-org/app/issues/8',
        created_at: '2026-01-01T00:00:00Z',
        updated_at: '2026-01-01T00:00:00Z',
        closed_at: null,
      },
    ],
    reviews: [
      {
        github_id: 41,
        pull_request_github_id: 21,
        reviewer_github_id: 12,
        state: changes.review ?? 'APPROVED',
        body: null,
        commit_sha: 'abc',
        html_url: 'https://github.com/octo-org/app/pull/7#r41',
        submitted_at: '2026-01-01T01:00:00Z',
      },
    ],
    comments: [
      {
        github_id: 51,
        comment_type: 'review_comment',
        pull_request_github_id: 21,
        commenter_github_id: 12,
        in_reply_to_github_id: null,
        review_github_id: 41,
        body: 'Why?',
        path: 'a.ts',
        line: 1,
        html_url: 'https://github.com/octo-org/app/pull/7#d51',
        created_at: '2026-01-01T01:00:00Z',
        updated_at: '2026-01-01T01:00:00Z',
      },
      {
        github_id: 51,
        comment_type: 'issue_comment',
        issue_github_id: 31,
        commenter_github_id: null,
        in_reply_to_github_id: null,
        review_github_id: null,
        body: 'Same number, other comment',
        path: null,
        line: null,
        html_url: 'https://github.com/octo-org/app/issues/8#c51',
        created_at: '2026-01-01T01:00:00Z',
        updated_at: '2026-01-01T01:00:00Z',
      },
    ],
  };
}

interface Stored {
  repository_id: string;
  changed: Record<string, number>;
}

const store = (value: unknown): Promise<Stored> =>
  database.rpc<Stored>('upsert_capture_page', { page: value });

async function one(query: string): Promise<Record<string, unknown> | undefined> {
  const { rows } = await database.pool.query<Record<string, unknown>>(query);
  return rows[0];
}

describe('upsert_capture_page', () => {
  it('stores a page whose rows name each other by GitHub ids, and counts what changed', async () => {
    const { repository_id, changed } = await store(page());
    expect(changed).toEqual({ contributors: 2, pull_requests: 1, issues: 1, reviews: 1, comments: 2 });
    expect(
      await one(`select pull.repository_id, author.username as author, reviewer.username as reviewer
        from pull_requests pull join contributors author on author.id = pull.author_id
        join reviews on reviews.pull_request_id = pull.id join contributors reviewer on reviewer.id = reviews.reviewer_id`),
    ).toEqual({ repository_id, author: 'ada', reviewer: 'zoe' });
  });

  it('changes nothing but the times of the capture when the page comes again', async () => {
    await store(page({ fetchedAt: minutesAgo(5) }));
    const version = 'select xmin::text as version from reviews';
    const before = await one(version);
    const { changed } = await store(page({ fetchedAt: minutesAgo(1) }));
    expect(changed).toEqual({ contributors: 0, pull_requests: 0, issues: 0, reviews: 0, comments: 0 });
    expect(await one(version)).toEqual(before);
    const seen = await one(
      `select last_synced_at > now() - interval '2 minutes' as again from pull_requests`,
    );
    expect(seen).toEqual({ again: true });
  });

  it('never lets older data overwrite newer data, in whatever order the pages come', async () => {
    await store(
      page({
        title: 'Second',
        updatedAt: '2026-01-03T00:00:00Z',
        review: 'DISMISSED',
        fetchedAt: minutesAgo(2),
      }),
    );
    // Fetched later, from a replica of GitHub that lags behind.
    await store(
      page({
        title: 'First',
        updatedAt: '2026-01-02T00:00:00Z',
        review: 'DISMISSED',
        fetchedAt: minutesAgo(1),
      }),
    );
    // Fetched earlier, stored later.
    await store(
      page({
        title: 'Zeroth',
        updatedAt: '2026-01-03T00:00:00Z',
        review: 'APPROVED',
        owner: 'old-name',
        fetchedAt: minutesAgo(3),
      }),
    );
    expect(await one('select title from pull_requests')).toEqual({ title: 'Second' });
    expect(await one('select state from reviews')).toEqual({ state: 'DISMISSED' });
    expect(await one('select owner from repositories')).toEqual({ owner: 'octo-org' });
  });

  it('does not take a fetch time from the future, which would refuse the captures to come', async () => {
    await store(page({ fetchedAt: '2100-01-01T00:00:00Z', review: 'APPROVED' }));
    await store(page({ fetchedAt: '2100-01-01T00:00:00Z', review: 'DISMISSED' }));
    expect(await one('select state, last_synced_at <= now() as past from reviews')).toEqual({
      state: 'DISMISSED',
      past: true,
    });
  });

  it('keeps counts that a shorter answer of GitHub leaves out', async () => {
    await store(page());
    const {
      pull_requests: [pull],
      ...rest
    } = page({ fetchedAt: minutesAgo(1) });
    await store({ ...rest, pull_requests: [{ ...pull, additions: null, commits: null, title: 'Renamed' }] });
    expect(await one('select title, additions, commits from pull_requests')).toEqual({
      title: 'Renamed',
      additions: 1,
      commits: 4,
    });
  });

  it('stores a row once that a page names twice, in its newer version', async () => {
    const {
      pull_requests: [pull],
      ...rest
    } = page();
    const newer = { ...pull, title: 'Newer', updated_at: '2026-01-09T00:00:00Z' };
    await store({
      ...rest,
      pull_requests: [pull, newer, pull],
      contributors: [...rest.contributors, ...rest.contributors],
    });
    expect(await one('select title, count(*) over ()::integer from pull_requests')).toEqual({
      title: 'Newer',
      count: 1,
    });
  });

  it('takes a repository and a pull request that it knows by their ids alone, and moves their times forward', async () => {
    await store(page());
    const before = await one('select title, last_synced_at from pull_requests');
    const [late, early] = [minutesAgo(1), minutesAgo(3)];
    for (const reviews_synced_at of [late, early])
      await store({
        fetched_at: late,
        repository: { github_id: 1 },
        pull_requests: [{ github_id: 21, reviews_synced_at }],
        reviews: page({ review: 'DISMISSED' }).reviews,
        contributors: page().contributors,
      });
    expect(await one('select title, last_synced_at from pull_requests')).toEqual(before);
    expect(await one('select reviews_synced_at, comments_synced_at from pull_requests')).toEqual({
      reviews_synced_at: new Date(late),
      comments_synced_at: null,
    });
    expect(await one('select state from reviews')).toEqual({ state: 'DISMISSED' });
    expect(await one('select owner from repositories')).toEqual({ owner: 'octo-org' });
  });

  it.each([
    [
      { ...page(), repository: { github_id: 1 } },
      'repository to be a whole row or the github_id of a known one',
    ],
    [
      {
        ...page(),
        pull_requests: [...page().pull_requests, { github_id: 22, reviews_synced_at: minutesAgo(1) }],
      },
      'pull request 22 is neither in the page nor known',
    ],
    [
      { ...page(), pull_requests: [{ github_id: 21, title: 'Not the whole row' }] },
      'null value in column "number"',
    ],
    [
      { ...page(), pull_requests: [{ ...page().pull_requests[0], is_draft: true }] },
      'pull_requests.is_draft is not a column that a capture writes',
    ],
    [
      { ...page(), discussions: [{ github_id: 1 }] },
      'discussions.github_id is not a column that a capture writes',
    ],
    [{ ...page(), contributors: [] }, 'contributor 11 is mentioned but neither in the page nor known'],
    [
      { ...page(), repository: undefined },
      'expected an object with fetched_at (a time) and repository (an object)',
    ],
    [
      { ...page(), fetched_at: null },
      'expected an object with fetched_at (a time) and repository (an object)',
    ],
    [{ ...page(), pull_requests: [] }, 'null value in column "pull_request_id"'],
    [{ ...page(), issues: [] }, 'comments_one_parent_check'],
    [page({ review: 'approved' }), 'reviews_state_check'],
  ])('refuses a wrong page and stores nothing of it (%#)', async (wrong, message) => {
    await expect(store(wrong)).rejects.toThrow(message);
    expect(await one('select count(*)::integer from contributors')).toEqual({ count: 0 });
  });

  it('lets many captures with common rows run at the same time', async () => {
    const pages = Array.from({ length: 24 }, (_, index) => {
      const contributors = Array.from({ length: 40 }, (_, id) => ({
        github_id: 100 + id,
        username: `user-${id}-${index % 3}`,
        account_type: 'User',
        is_bot: false,
        avatar_url: 'https://example.com',
      }));
      if (index % 2 === 1) contributors.reverse();
      return {
        fetched_at: minutesAgo(0),
        repository: { ...page().repository, github_id: index % 4, name: `app-${index % 4}` },
        contributors,
      };
    });
    await Promise.all(pages.map((each) => store(each)));
    expect(await one('select count(*)::integer from contributors')).toEqual({ count: 40 });
  });
});

describe('get_capture_state', () => {
  const state = (repository: object): Promise<{ repository: { name: string; github_id: number } | null }> =>
    database.rpc('get_capture_state', { repository });

  it('finds a repository by our id, by GitHub’s id and by its name in any case', async () => {
    const { repository_id } = await store(page());
    for (const name of [{ id: repository_id }, { github_id: 1 }, { owner: 'OCTO-org', name: 'App' }])
      expect((await state(name)).repository).toMatchObject({ github_id: 1 });
    expect((await state({ owner: 'octo-org', name: 'other' })).repository).toBeNull();
  });

  it('trusts GitHub’s id more than a name that another repository has taken over', async () => {
    await store(page());
    expect((await state({ github_id: 2, owner: 'octo-org', name: 'app' })).repository).toBeNull();
  });

  it('gives no age to what was never captured', async () => {
    await store(page());
    const never = await database.rpc('get_capture_state', { repository: { github_id: 1 }, pr_number: 7 });
    expect(never).toMatchObject({
      repository: { pull_requests_age_seconds: null },
      pull_request: {
        github_id: 21,
        details_age_seconds: null,
        reviews_age_seconds: null,
        comments_age_seconds: null,
        reviews: 1,
        comments: 1,
      },
    });
  });

  it('counts the age of reviews and of comments from their own capture or from that of the details', async () => {
    await store(page());
    const sync = async (times: object): Promise<unknown> => {
      const pull_requests = [{ github_id: 21, ...times }];
      await store({ fetched_at: minutesAgo(0), repository: { github_id: 1 }, pull_requests });
      return await database.rpc('get_capture_state', { repository: { github_id: 1 }, pr_number: 7 });
    };
    const around = (seconds: number): unknown => expect.closeTo(seconds, -2);
    expect(await sync({ comments_synced_at: minutesAgo(60) })).toMatchObject({
      pull_request: { reviews_age_seconds: null, comments_age_seconds: around(3600) },
    });
    expect(await sync({ details_synced_at: minutesAgo(20) })).toMatchObject({
      pull_request: { reviews_age_seconds: around(1200), comments_age_seconds: around(1200) },
    });
    expect(await sync({ reviews_synced_at: minutesAgo(40) })).toMatchObject({
      pull_request: { details_age_seconds: around(1200), reviews_age_seconds: around(1200) },
    });
  });

  it('refuses a repository without a name', async () => {
    await expect(state({ owner: 'octo-org' })).rejects.toThrow(
      'expected an object with id, github_id, or owner and name',
    );
  });
});

describe('the captured tables', () => {
  it('are readable for signed-in users, writable for the service role, and closed to everybody else', async () => {
    await store(page());
    const as = async (role: string, query: string): Promise<number> => {
      const client = await database.pool.connect();
      try {
        await client.query(`begin; set local role ${role}`);
        return (await client.query(query)).rowCount ?? 0;
      } finally {
        await client.query('rollback');
        client.release();
      }
    };
    for (const table of ['repositories', 'contributors', 'pull_requests', 'issues', 'reviews', 'comments']) {
      expect(await as('authenticated', `select from ${table}`)).toBeGreaterThan(0);
      expect(await as('service_role', `delete from ${table}`)).toBeGreaterThan(0);
      await expect(as('authenticated', `delete from ${table}`)).rejects.toThrow('permission denied');
      await expect(as('anon', `select from ${table}`)).rejects.toThrow('permission denied');
    }
    for (const call of [`select upsert_capture_page('{}')`, `select get_capture_state('{}')`]) {
      await expect(as('anon', call)).rejects.toThrow('permission denied');
      await expect(as('authenticated', call)).rejects.toThrow('permission denied');
      await expect(as('service_role', call)).rejects.toThrow('expected an object');
    }
  });

  it('go with their repository', async () => {
    await store(page());
    await database.pool.query('delete from repositories');
    expect(
      await one(`select (select count(*) from pull_requests) + (select count(*) from issues)
        + (select count(*) from reviews) + (select count(*) from comments) as left`),
    ).toEqual({ left: '0' });
  });
});
