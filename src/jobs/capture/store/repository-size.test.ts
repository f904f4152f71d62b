import { beforeEach, describe, expect, it } from 'vitest';
import { storeRepository } from '../../../../tests/support/captured-repository.ts';
import { createTestDatabase, type TestDatabase } from '../../../../tests/support/database.ts';
import { recordSizes, staleAfterSeconds } from './repository-size.ts';

let database: TestDatabase;
const { signal } = new AbortController();

beforeEach(async () => {
  database = await createTestDatabase();
  return () => database.close();
});

const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

async function record(name: string, pull_request_count: number | null, fetchedAt: string): Promise<object> {
  const size = { github_id: 1, owner: 'octo', name, pull_request_count };
  return await recordSizes(database.rpc, [size], fetchedAt, signal);
}

async function row(): Promise<unknown> {
  const { rows } = await database.pool.query<object>(
    'select name, pull_request_count, size_class, unavailable_at is not null as gone from repositories',
  );
  return rows[0];
}

/** Makes the repository look as if a job had captured it so long ago. */
async function captured(minutes: number): Promise<void> {
  await database.pool.query('update repositories set last_synced_at = $1', [minutesAgo(minutes)]);
}

describe('a recorded size', () => {
  beforeEach(async () => {
    await storeRepository(database, 'octo/now', 1);
    await captured(60);
  });

  it('is not overwritten by an older answer', async () => {
    expect(await record('now', 600, minutesAgo(1))).toEqual({
      small: 0,
      medium: 0,
      large: 1,
      unavailable: 0,
    });
    expect(await record('before', null, minutesAgo(2))).toEqual({
      small: 0,
      medium: 0,
      large: 0,
      unavailable: 0,
    });
    expect(await row()).toEqual({ name: 'now', pull_request_count: 600, size_class: 'large', gone: false });
  });

  it('brings a new name, unless a capture knows it better', async () => {
    await record('renamed', 1, minutesAgo(3));
    expect(await row()).toMatchObject({ name: 'renamed' });
    await captured(1);
    await record('before', 2, minutesAgo(2));
    expect(await row()).toMatchObject({ name: 'renamed', pull_request_count: 2 });
  });

  it('stays when GitHub does not know the repository any more', async () => {
    await record('now', 600, minutesAgo(2));
    await record('now', null, minutesAgo(1));
    expect(await row()).toEqual({ name: 'now', pull_request_count: 600, size_class: 'large', gone: true });
  });

  it('has no time in the future, which would refuse honest answers', async () => {
    await record('now', 1, minutesAgo(-60));
    await record('now', 2, new Date(Date.now() + 1000).toISOString());
    expect(await row()).toMatchObject({ pull_request_count: 2 });
  });
});

describe('the functions refuse', () => {
  const refusals: [call: string, message: string][] = [
    [`record_repository_sizes('{}', now())`, 'sizes: expected an array'],
    [`record_repository_sizes('[]', null)`, 'fetched_at: expected a time'],
    ['find_unclassified_repositories(-1, 1)', 'stale_after_seconds: expected'],
    ['find_unclassified_repositories(1, 0)', 'max_repositories: expected'],
    [`get_repository_size('{}')`, 'repository: expected'],
    ['track_repository(null)', 'repository_id: expected'],
    [`find_due_repositories('{"high": 1, "medium": 1, "low": 1}', 0)`, 'max_repositories: expected'],
    [`find_due_repositories('{"high": 1, "medium": 1, "low": "x"}', 1)`, 'every_minutes.low: expected'],
  ];

  it.each(refusals)('%s', async (call, message) => {
    const refused = database.pool.query(`select ${call}`);
    await expect(refused).rejects.toMatchObject({
      code: 'PT400',
      message: expect.stringContaining(message) as string,
    });
  });

  it.each(refusals)('anybody but service_role: %s', async (call) => {
    for (const role of ['anon', 'authenticated'])
      await expect(as(role, `select ${call}`)).rejects.toThrow('permission denied');
    await expect(as('service_role', `select ${call}`)).rejects.toThrow('expected');
  });
});

it('operators edit the tracked repositories, signed-in users read them, others do not see them', async () => {
  const id = await storeRepository(database, 'octo/hello', 1);
  const insert = `insert into tracked_repositories (repository_id, priority) values ('${id}', 'high')`;
  for (const role of ['anon', 'authenticated'])
    await expect(as(role, insert)).rejects.toThrow('permission denied');
  expect(await as('service_role', insert)).toBe(1);
  expect(await as('authenticated', 'select * from tracked_repositories')).toBe(1);
  await expect(as('anon', 'select * from tracked_repositories')).rejects.toThrow('permission denied');
  const urgent = `update tracked_repositories set priority = 'urgent'`;
  await expect(as('service_role', urgent)).rejects.toThrow('tracked_repositories_priority_check');
});

it('a repository that is deleted is not tracked any more', async () => {
  const id = await storeRepository(database, 'octo/hello', 1);
  const tracked = await database.rpc<boolean>('track_repository', { repository_id: id });
  expect([tracked, await database.rpc('track_repository', { repository_id: id })]).toEqual([true, false]);
  await database.pool.query('delete from repositories');
  expect((await database.pool.query('select * from tracked_repositories')).rowCount).toBe(0);
});

it('the window of a forced run lets everything count as stale', () => {
  expect(staleAfterSeconds({ staleAfterDays: 7, force: false })).toBe(604_800);
  expect(staleAfterSeconds({ staleAfterDays: 7, force: true })).toBe(0);
});

/** Runs the statement as this role, and returns how many rows it gave or changed. */
async function as(role: string, statement: string): Promise<number | null> {
  const client = await database.pool.connect();
  try {
    await client.query(`set role ${role}`);
    return (await client.query(statement)).rowCount;
  } finally {
    await client.query('reset role');
    client.release();
  }
}
