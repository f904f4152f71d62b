import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../tests/support/database.ts';
import type { RepositoryReference } from '../payload/repository-reference.ts';
import { lookUpDetails, noteDetailsSynced } from './details-state.ts';

const { signal } = new AbortController();
const reference: RepositoryReference = { id: null, githubId: 7, owner: 'octo-org', name: 'app' };
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

beforeEach(async () => {
  await database.pool.query(
    `truncate repositories cascade;
     insert into repositories (github_id, owner, name) values (7, 'octo-org', 'app');
     insert into pull_requests (github_id, repository_id, number, title, state, base_branch, head_branch, created_at,
       updated_at, details_synced_at)
     select 70 + n, r.id, n, 'a title', 'open', 'main', 'topic', now(), now(),
       case when n > 1 then now() - n * interval '1 minute' end
     from repositories r, generate_series(1, 4) as n`,
  );
});

const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

const details = async () => (await lookUpDetails(database.rpc, reference, { signal })).details;

async function note(progress: { as_of: string; since: string | null }): Promise<void> {
  await noteDetailsSynced(database.rpc, { github_id: 7, ...progress }, signal);
}

describe('get_details_state', () => {
  it('tells the ages of the pull requests that were named, and leaves unknown ones out', async () => {
    const state = await lookUpDetails(database.rpc, reference, { prNumbers: [1, 3, 4, 99], signal });
    const inMinutes = (seconds: number | null): number | null => seconds && Math.floor(seconds / 60);
    expect(
      state.pull_requests
        .map(({ number, details_age_seconds }) => [number, inMinutes(details_age_seconds)])
        .sort(),
    ).toEqual([
      [1, null],
      [3, 3],
      [4, 4],
    ]);
    expect(state).toMatchObject({
      repository: { github_id: 7 },
      details: { age_seconds: null, since: null },
      pull_request: null,
    });
  });

  it('knows nothing of an unknown repository', async () => {
    const unknown = { ...reference, githubId: 8, name: 'other' };
    expect(await lookUpDetails(database.rpc, unknown, { prNumbers: [1], signal })).toMatchObject({
      ...{ repository: null, details: null, pull_requests: [] },
    });
  });

  it('refuses a repository without a name, and numbers that are no list', async () => {
    const nameless = { id: null, githubId: null, owner: null, name: null };
    await expect(lookUpDetails(database.rpc, nameless, { signal })).rejects.toMatchObject({ code: 'PT400' });
    await expect(
      database.rpc('get_details_state', { repository: { github_id: 7 }, pr_numbers: { number: 1 } }),
    ).rejects.toMatchObject({ code: 'PT400', message: expect.stringContaining('pr_numbers') as string });
  });
});

describe('note_details_synced', () => {
  it('makes all pull requests fresh, the newest among them, when none was left out', async () => {
    await note({ as_of: minutesAgo(2), since: null });
    const state = await lookUpDetails(database.rpc, reference, { signal });
    expect(state.details?.since).toBeNull();
    expect(state.details?.age_seconds).toBeGreaterThanOrEqual(120);
    expect(state.repository?.pull_requests_age_seconds).toBe(state.details?.age_seconds);
  });

  it('makes those fresh that were created since, and does not speak of the newest', async () => {
    const since = minutesAgo(600);
    await note({ as_of: minutesAgo(2), since });
    const state = await lookUpDetails(database.rpc, reference, { signal });
    expect(new Date(state.details?.since ?? '')).toEqual(new Date(since));
    expect(state.repository?.pull_requests_age_seconds).toBeNull();
  });

  it('never goes back, nor ahead of the time', async () => {
    await note({ as_of: minutesAgo(-60), since: null });
    expect((await details())?.age_seconds).toBe(0);
    await note({ as_of: minutesAgo(60), since: minutesAgo(600) });
    expect(await details()).toMatchObject({ since: null });
    expect((await details())?.age_seconds).toBeLessThan(3_600);
  });

  it('refuses a repository that is not stored, and a missing time', async () => {
    for (const progress of [{ github_id: 8, as_of: minutesAgo(1) }, { github_id: 7 }])
      await expect(database.rpc('note_details_synced', { progress })).rejects.toMatchObject({
        code: 'PT400',
      });
  });
});

it.each([`get_details_state('{}')`, `note_details_synced('{}')`])(
  'only service_role may call %s',
  async (call) => {
    for (const role of ['anon', 'authenticated'])
      await expect(as(role, `select ${call}`)).rejects.toThrow('permission denied');
    await expect(as('service_role', `select ${call}`)).rejects.toThrow('expected');
  },
);

async function as(role: string, statement: string): Promise<void> {
  const client = await database.pool.connect();
  try {
    await client.query(`begin; set local role ${role}`);
    await client.query(statement);
  } finally {
    await client.query('rollback');
    client.release();
  }
}
