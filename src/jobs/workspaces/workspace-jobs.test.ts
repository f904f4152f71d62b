import { beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../../tests/support/database.ts';
import { storeRepository } from '../../../tests/support/captured-repository.ts';
import { runJob } from '../../../tests/support/job-context.ts';
import { silentLogger } from '../../../tests/support/silent-logger.ts';
import {
  addRepository,
  storeAccount,
  storePull,
  storeWorkspace,
} from '../../../tests/workspaces/stored-pulls.ts';
import type { Account, Pull } from '../../../tests/workspaces/workspace-truth.ts';
import { createGitHub } from '../../github/create-github.ts';
import type { JobRow } from '../../queue/job-queue.ts';

/** Never asked. */
const github = createGitHub({ tokenName: 'GITHUB_TOKEN', baseUrl: 'http://127.0.0.1:9', log: silentLogger });
let database: TestDatabase;
let workspace: string;
let repository: string;

beforeEach(async () => {
  database = await createTestDatabase();
  workspace = await storeWorkspace(database.pool, 'team');
  repository = await storeRepository(database, 'octo/one', 1);
  await addRepository(database.pool, workspace, repository);
  return () => database.close();
});

const run = (type: string, payload: object): Promise<JobRow> => runJob(database, github, type, payload);

const startedAt = Date.now();
const hoursAgo = (hours: number): Date => new Date(startedAt - hours * 3_600_000);

function pullOf(author: Account | null, createdHoursAgo: number, more: Partial<Pull> = {}): Pull {
  return {
    ...{ repository: 0, author, createdAt: hoursAgo(createdHoursAgo), mergedAt: null, closedAt: null },
    ...{ reviews: [], comments: [] },
    ...more,
  };
}

async function window(days: number): Promise<Record<string, unknown>> {
  const { rows } = await database.pool.query<{ row: Record<string, unknown> }>(
    'select to_jsonb(m) as row from workspace_metrics m where workspace_id = $1 and window_days = $2',
    [workspace, days],
  );
  return rows[0]?.row ?? {};
}

describe('workspace.metrics.aggregate', () => {
  it('counts pull requests, times, people and reviews, without what bots say, and compares with the window before', async () => {
    const [ada, ben] = [await storeAccount(database.pool, 1), await storeAccount(database.pool, 2)];
    const bot = await storeAccount(database.pool, 3, true);
    const merged = (hours: number): Partial<Pull> => ({
      mergedAt: hoursAgo(hours),
      closedAt: hoursAgo(hours),
    });
    const pulls = [
      pullOf(ada, 60, {
        ...merged(50),
        reviews: [
          { by: bot, at: hoursAgo(59) },
          { by: ben, at: hoursAgo(58) },
        ],
      }),
      pullOf(bot, 40, merged(36)),
      pullOf(ada, 30, {
        comments: [
          { by: bot, at: hoursAgo(29) },
          { by: null, at: hoursAgo(28) },
        ],
      }),
      pullOf(ben, 30, { closedAt: hoursAgo(20), reviews: [{ by: ben, at: hoursAgo(29) }] }),
      // In the seven days before.
      pullOf(ben, 24 * 10, merged(24 * 9)),
    ];
    for (const [n, pull] of pulls.entries()) await storePull(database.pool, pull, n + 1, repository);
    const job = await run('workspace.metrics.aggregate', { workspace_id: workspace });
    expect(job).toMatchObject({
      status: 'completed',
      result: { workspaceId: workspace, repositories: 1, repositoriesRead: 1, windows: { 7: { merged: 2 } } },
    });
    expect(await window(7)).toMatchObject({
      ...{ pull_requests: 5, open: 1, opened: 4, merged: 2, closed: 1 },
      ...{ average_merge_seconds: 7 * 3600, median_merge_seconds: 7 * 3600 },
      ...{ active_contributors: 2, reviews: 1, reviewers: 1, comments: 1 },
      ...{ average_first_review_seconds: 2 * 3600, merged_with_review: 1, review_coverage: 0.5 },
      previous: { opened: 1, merged: 1, median_merge_seconds: 24 * 3600, open: 0 },
      trend: {
        merged: { change: 1, ratio: 1 },
        open: { change: 1, ratio: null },
        median_merge_seconds: { change: -17 * 3600, ratio: -0.7083 },
        median_first_review_seconds: null,
      },
    });
  });

  it('counts an account that works in two repositories once', async () => {
    const ada = await storeAccount(database.pool, 1);
    const other = await storeRepository(database, 'octo/two', 2);
    await addRepository(database.pool, workspace, other);
    await storePull(database.pool, pullOf(ada, 5), 1, repository);
    await storePull(database.pool, pullOf(ada, 5), 2, other);
    await run('workspace.metrics.aggregate', { workspaceId: workspace });
    expect(await window(30)).toMatchObject({ opened: 2, active_contributors: 1 });
  });

  it('reads the repositories of a large workspace in portions, each a step that is kept', async () => {
    for (let n = 2; n <= 45; n += 1) {
      const added = await storeRepository(database, `octo/r${n}`, n);
      await addRepository(database.pool, workspace, added);
      await storePull(database.pool, pullOf(null, 5), n, added);
    }
    const job = await run('workspace.metrics.aggregate', { workspaceId: workspace });
    expect(job).toMatchObject({
      status: 'completed',
      result: { repositories: 45, repositoriesRead: 45, windows: { 7: { opened: 44 } } },
    });
    const { rows } = await database.pool.query<{ name: string; refreshed: number }>(
      `select name, (output -> 'refreshed')::integer as refreshed from background_job_steps where job_id = $1 order by name`,
      [job.id],
    );
    expect(rows).toEqual([
      { name: 'repositories 1', refreshed: 20 },
      { name: 'repositories 2', refreshed: 20 },
      { name: 'repositories 3', refreshed: 5 },
    ]);
    const again = await run('workspace.metrics.aggregate', { workspaceId: workspace, full: false });
    expect(again.result).toMatchObject({ repositoriesRead: 0, windows: { 7: { opened: 44 } } });
  });

  it.each([
    [{}, 'workspaceId'],
    [{ workspaceId: 'team' }, 'workspaceId'],
    [{ workspaceId: '018f0000-0000-7000-8000-000000000001' }, 'expected a workspace that exists'],
    [{ workspaceId: '018f0000-0000-7000-8000-000000000001', full: 'yes' }, 'full'],
  ])('fails for good with %o, and says what was expected', async (payload, message) => {
    const job = await run('workspace.metrics.aggregate', payload);
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(job.error).toContain(message);
  });
});

describe('workspace.repository.changed', () => {
  it('reads the new repository only, and begins to track it', async () => {
    const other = await storeRepository(database, 'octo/two', 2);
    await storePull(database.pool, pullOf(null, 5), 1, repository);
    await storePull(database.pool, pullOf(null, 5), 2, other);
    await run('workspace.metrics.aggregate', { workspaceId: workspace });
    await addRepository(database.pool, workspace, other);
    const job = await run('workspace.repository.changed', {
      ...{ workspaceId: workspace, repository: 'octo/two', action: 'added' },
    });
    expect(job).toMatchObject({
      status: 'completed',
      result: { repositories: 2, repositoriesRead: 1, isMember: true, newlyTracked: true },
    });
    expect(await window(7)).toMatchObject({ opened: 2 });
    const { rows } = await database.pool.query('select repository_id as id from tracked_repositories');
    expect(rows).toEqual([{ id: other }]);
  });

  it('reads nothing when one has left, even when it was deleted altogether', async () => {
    await storePull(database.pool, pullOf(null, 5), 1, repository);
    await run('workspace.metrics.aggregate', { workspaceId: workspace });
    await database.pool.query('delete from repositories where id = $1', [repository]);
    const payload = { workspaceId: workspace, repositoryId: repository };
    expect((await run('workspace.repository.changed', payload)).result).toMatchObject({
      ...{ repositories: 0, repositoriesRead: 0, isMember: false, newlyTracked: false },
    });
    expect(await window(7)).toMatchObject({ opened: 0, pull_requests: 0 });
  });
});

describe('workspace.metrics.schedule', () => {
  const schedule = 'workspace.metrics.schedule';

  async function started(): Promise<{ workspace: string; minutes: number }[]> {
    const { rows } = await database.pool.query<{ workspace: string; minutes: number }>(
      `select payload ->> 'workspaceId' as workspace, extract(epoch from run_at - created_at)::float / 60 as minutes
       from background_jobs where type = 'workspace.metrics.aggregate' order by payload ->> 'workspaceId'`,
    );
    return rows;
  }

  it('starts one aggregation of every active workspace, spread over the minutes of its payload', async () => {
    const more = await Promise.all(['a', 'b', 'c', 'd'].map((slug) => storeWorkspace(database.pool, slug)));
    await database.pool.query(`update workspaces set active = false where slug = 'd'`);
    const job = await run(schedule, { spreadMinutes: 20 });
    expect(job).toMatchObject({ status: 'completed', result: { enqueued: 4, more: false } });
    const jobs = await started();
    expect(jobs.map((each) => each.workspace)).toEqual([workspace, ...more.slice(0, 3)].sort());
    expect(new Set(jobs.map(({ minutes }) => Math.round(minutes * 60))).size).toBe(4);
    for (const { minutes } of jobs) {
      expect(minutes).toBeGreaterThanOrEqual(-1);
      expect(minutes).toBeLessThanOrEqual(20);
    }
    await expectSoundQueue(database.pool);
  });

  it('goes on in a job of its own where one run does not reach all', async () => {
    await Promise.all(['a', 'b'].map((slug) => storeWorkspace(database.pool, slug)));
    let payload: object = { maxWorkspaces: 1, spreadMinutes: 0 };
    for (let n = 1; n <= 3; n += 1) {
      expect((await run(schedule, payload)).result).toEqual({ enqueued: 1, more: n < 3 });
      const { rows } = await database.pool.query<{ payload: object }>(
        `delete from background_jobs where type = $1 and status = 'queued' returning payload`,
        [schedule],
      );
      payload = rows[0]?.payload ?? {};
    }
    expect(new Set((await started()).map((each) => each.workspace)).size).toBe(3);
  });
});

describe('workspace.metrics.cleanup', () => {
  const count = async (table: string): Promise<number> => {
    const { rows } = await database.pool.query<{ n: number }>(`select count(*)::integer as n from ${table}`);
    return rows[0]?.n ?? NaN;
  };

  it('keeps the last 90 days, and deletes what is older in portions', async () => {
    await run('workspace.metrics.aggregate', { workspaceId: workspace });
    await database.pool.query(`
      insert into workspace_daily_metrics
      select (jsonb_populate_record(d, jsonb_build_object('day', d.day - 90))).* from workspace_daily_metrics d`);
    expect(await count('workspace_daily_metrics')).toBe(180);
    const first = await run('workspace.metrics.cleanup', { portion: 25, maxPortions: 2 });
    expect(first.result).toEqual({ deleted: 50, truncated: true });
    expect((await run('workspace.metrics.cleanup', { portion: 25 })).result).toEqual({
      ...{ deleted: 40, truncated: false },
    });
    const { rows } = await database.pool.query(
      `select min(day) = (now() at time zone 'UTC')::date - 89 as oldest from workspace_daily_metrics`,
    );
    expect([await count('workspace_daily_metrics'), rows]).toEqual([90, [{ oldest: true }]]);
  });

  it('forgets a repository that is in no workspace, which is read anew when one gets it', async () => {
    await storePull(database.pool, pullOf(null, 5), 1, repository);
    await run('workspace.metrics.aggregate', { workspaceId: workspace });
    await database.pool.query('delete from workspace_repositories');
    await run('workspace.metrics.cleanup', {});
    expect(await count('repository_daily_metrics')).toBe(0);
    await addRepository(database.pool, workspace, repository);
    const job = await run('workspace.repository.changed', { workspaceId: workspace, repository: 'octo/one' });
    expect(job.result).toMatchObject({ repositoriesRead: 1, windows: { 7: { opened: 1 } } });
  });

  it('deletes old notes of changes that no workspace looks at, and no others', async () => {
    await storePull(database.pool, pullOf(null, 5), 1, repository);
    await run('workspace.metrics.aggregate', { workspaceId: workspace });
    await database.pool.query(
      `insert into repository_changes (repository_id, changed_at)
       values ($1, now() - interval '2 days'), (uuid_v7(), now() - interval '2 days'), (uuid_v7(), now())`,
      [repository],
    );
    expect((await run('workspace.metrics.cleanup', {})).result).toEqual({ deleted: 1, truncated: false });
    expect(await count('repository_changes')).toBe(2);
  });

  it('refuses to keep less than the longest window', async () => {
    const job = await run('workspace.metrics.cleanup', { keepDays: 30 });
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(job.error).toContain('keepDays');
  });
});
