import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeRepository } from '../support/captured-repository.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { addRepository, storeWorkspace } from './stored-pulls.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.close());

async function openedIn(workspace: string): Promise<unknown> {
  const metrics = await database.rpc<{ windows: Record<string, { opened: number }> }>(
    'aggregate_workspace_metrics',
    { workspace_id: workspace, full_recompute: false },
  );
  return metrics.windows['7']?.opened;
}

describe('a capture that runs while the metrics are computed', () => {
  it('is counted by the update after its commit, though its rows could not be seen before', async () => {
    const workspace = await storeWorkspace(database.pool, 'team');
    const repository = await storeRepository(database, 'octo/one', 1);
    await addRepository(database.pool, workspace, repository);
    const capture = await database.pool.connect();
    await capture.query('begin');
    await capture.query(
      `insert into pull_requests (github_id, number, repository_id, title, state, base_branch, head_branch, created_at, updated_at)
       values (1, 1, $1, 'a title', 'open', 'main', 'topic', now(), now())`,
      [repository],
    );
    expect(await openedIn(workspace)).toBe(0);
    await capture.query('commit');
    capture.release();
    expect(await openedIn(workspace)).toBe(1);
  });
});

describe('two workspaces with common repositories', () => {
  it('may be computed at the same time', async () => {
    const workspaces = await Promise.all(
      ['one', 'two', 'three'].map((slug) => storeWorkspace(database.pool, slug)),
    );
    for (let n = 1; n <= 6; n += 1) {
      const repository = await storeRepository(database, `octo/r${n}`, n);
      for (const workspace of workspaces) await addRepository(database.pool, workspace, repository);
    }
    const calls = [...workspaces, ...workspaces].map((workspace_id) =>
      database.rpc<{ repositories: number }>('aggregate_workspace_metrics', { workspace_id }),
    );
    expect((await Promise.all(calls)).map(({ repositories }) => repositories)).toEqual(Array(6).fill(6));
  });
});

describe('a workspace among many pull requests', () => {
  it('is computed without a sequential scan of pull requests, reviews or comments', async () => {
    const workspace = await storeWorkspace(database.pool, 'team');
    await database.pool.query(
      `insert into repositories (github_id, owner, name) select n, 'octo', 'r' || n from generate_series(1, 100) n`,
    );
    await database.pool.query(`
      insert into pull_requests (github_id, number, repository_id, title, state, base_branch, head_branch, created_at, updated_at)
      select r.github_id * 1000 + n, n, r.id, 'a title', 'open', 'main', 'topic', at, at
      from repositories r, generate_series(1, 200) n, lateral (select now() - n * interval '2 days' as at) t;
      insert into reviews (github_id, pull_request_id, state, submitted_at)
      select github_id, id, 'APPROVED', created_at from pull_requests;
      insert into comments (github_id, comment_type, pull_request_id, created_at, updated_at)
      select github_id, 'issue_comment', id, created_at, created_at from pull_requests`);
    await database.pool.query(
      `insert into workspace_repositories (workspace_id, repository_id)
       select $1, id from repositories where github_id <= 20`,
      [workspace],
    );
    await database.pool.query('analyze');
    const client = await database.pool.connect();
    const scans = async (): Promise<unknown[]> => {
      const { rows } = await client.query<object>(
        `select relname, seq_scan from pg_stat_xact_user_tables
         where relname in ('pull_requests', 'reviews', 'comments', 'contributors') order by relname`,
      );
      return rows;
    };
    try {
      await client.query('begin');
      const before = await scans();
      const { rows } = await client.query<{ opened: unknown }>(
        `select aggregate_workspace_metrics($1) #> '{windows,90,opened}' as opened`,
        [workspace],
      );
      expect(rows).toEqual([{ opened: 20 * 44 }]);
      expect(await scans()).toEqual(before);
      await client.query('rollback');
    } finally {
      client.release();
    }
  });
});

describe('the tables of workspaces', () => {
  const owner = '018f0000-0000-7000-8000-00000000000a';

  async function visibleTo(claims: string): Promise<unknown> {
    const client = await database.pool.connect();
    try {
      await client.query('begin');
      await client.query(`select set_config('request.jwt.claims', $1, true)`, [claims]);
      await client.query('set local role authenticated');
      const { rows } = await client.query(`select
        (select count(*)::integer from workspaces) as workspaces,
        (select count(*)::integer from workspace_repositories) as repositories,
        (select count(*)::integer from workspace_metrics) as windows,
        (select count(*)::integer from workspace_daily_metrics) as days`);
      return rows[0];
    } finally {
      await client.query('rollback');
      client.release();
    }
  }

  it('show a signed-in user the workspaces that are his or hers, and nobody the others', async () => {
    const mine = await storeWorkspace(database.pool, 'mine', owner);
    const nobodys = await storeWorkspace(database.pool, 'nobodys');
    const repository = await storeRepository(database, 'octo/one', 1);
    for (const workspace_id of [mine, nobodys]) {
      await addRepository(database.pool, workspace_id, repository);
      await database.rpc('aggregate_workspace_metrics', { workspace_id });
    }
    const all = { workspaces: 1, repositories: 1, windows: 3, days: 90 };
    expect(await visibleTo(JSON.stringify({ sub: owner }))).toEqual(all);
    const none = { workspaces: 0, repositories: 0, windows: 0, days: 0 };
    expect(await visibleTo(JSON.stringify({ sub: crypto.randomUUID() }))).toEqual(none);
    expect(await visibleTo('')).toEqual(none);
  });
});

describe('aggregate_workspace_metrics', () => {
  it('looks back: as of an earlier day it tells what was then', async () => {
    const workspace_id = await storeWorkspace(database.pool, 'team');
    const repository = await storeRepository(database, 'octo/one', 1);
    await addRepository(database.pool, workspace_id, repository);
    await database.pool.query(
      `insert into pull_requests (github_id, number, repository_id, title, state, merged, base_branch, head_branch, created_at, updated_at, merged_at, closed_at)
       values (1, 1, $1, 'a title', 'closed', true, 'main', 'topic', now() - interval '30 days', now(), now(), now())`,
      [repository],
    );
    const { rows } = await database.pool.query<{ day: string }>(
      `select ((now() at time zone 'UTC')::date - 10)::text as day`,
    );
    const then = await database.rpc('aggregate_workspace_metrics', { workspace_id, as_of: rows[0]?.day });
    expect(then).toMatchObject({ windows: { 30: { opened: 1, merged: 0, open: 1, pull_requests: 1 } } });
    const now = await database.rpc('aggregate_workspace_metrics', { workspace_id });
    expect(now).toMatchObject({ windows: { 30: { opened: 0, merged: 1, open: 0, pull_requests: 1 } } });
  });

  it.each([
    [{ workspace_id: null }, 'workspace_id'],
    [{ workspace_id: crypto.randomUUID(), as_of: '2999-01-01' }, 'as_of'],
    [{ workspace_id: crypto.randomUUID(), full_recompute: null }, 'full_recompute'],
  ])('refuses %o', async (args, field) => {
    await expect(database.rpc('aggregate_workspace_metrics', args)).rejects.toMatchObject({
      code: 'PT400',
      message: expect.stringContaining(`${field}: expected`) as string,
    });
  });

  it('says null of a workspace that does not exist', async () => {
    const workspace_id = crypto.randomUUID();
    expect(await database.rpc('aggregate_workspace_metrics', { workspace_id })).toBeNull();
  });
});
