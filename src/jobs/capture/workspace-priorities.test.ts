import { beforeEach, describe, expect, it } from 'vitest';
import { storeRepository } from '../../../tests/support/captured-repository.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { enqueueJob, runAttempt, runJob } from '../../../tests/support/job-context.ts';
import { silentLogger } from '../../../tests/support/silent-logger.ts';
import { createGitHub } from '../../github/create-github.ts';
import type { JobRow } from '../../queue/job-queue.ts';
import { syncWorkspacePriorities } from './workspace-priorities.ts';

const { type } = syncWorkspacePriorities;
/** Never asked. */
const github = createGitHub({ tokenName: 'GITHUB_TOKEN', baseUrl: 'http://127.0.0.1:9', log: silentLogger });
let database: TestDatabase;
let stored: number;

beforeEach(async () => {
  stored = 0;
  database = await createTestDatabase();
  return () => database.close();
});

interface Tracked {
  priority?: 'high' | 'medium' | 'low';
  /** Since its last sync; null: it was never synced. */
  minutes: number | null;
  /** Since it is tracked. */
  trackedMinutes?: number;
}

async function track(
  name: string,
  { priority = 'medium', minutes, trackedMinutes = 0 }: Tracked,
): Promise<void> {
  stored += 1;
  const id = await storeRepository(database, `octo/${name}`, stored);
  await database.pool.query(
    `insert into tracked_repositories (repository_id, priority, created_at)
     values ($1, $2, now() - $3 * interval '1 minute')`,
    [id, priority, trackedMinutes],
  );
  await setSynced(name, minutes);
}

async function setSynced(name: string, minutes: number | null): Promise<void> {
  await database.pool.query(
    `update repositories set pull_requests_synced_at = now() - $2 * interval '1 minute' where name = $1`,
    [name, minutes],
  );
}

const run = (payload: object = {}): Promise<JobRow> => runJob(database, github, type, payload);

/** The syncs that were started, in the order in which the queue holds them. */
async function syncs(): Promise<{ name: string; priority: number; type: string; status: string }[]> {
  const { rows } = await database.pool.query<{
    name: string;
    priority: number;
    type: string;
    status: string;
  }>(
    `select payload #>> '{repository,name}' as name, priority, type, status from background_jobs
     where type like 'capture/%' order by id`,
  );
  return rows;
}

const names = async (): Promise<string[]> => (await syncs()).map(({ name }) => name);

describe('sync/workspace.priorities', () => {
  it('starts the sync of what is due, the longest due first, with the priority of the repository', async () => {
    await track('high-late', { priority: 'high', minutes: 61 });
    await track('high-fresh', { priority: 'high', minutes: 59 });
    await track('medium-late', { minutes: 370 });
    await track('medium-fresh', { minutes: 350 });
    await track('low-late', { priority: 'low', minutes: 1445 });
    await track('low-fresh', { priority: 'low', minutes: 1435 });
    await track('never', { priority: 'low', minutes: null });
    const job = await run();
    expect(job).toMatchObject({
      status: 'completed',
      result: { enqueued: 4, byPriority: { high: 1, medium: 1, low: 2 }, left: 0 },
    });
    expect(await syncs()).toMatchObject([
      { name: 'never', priority: -10, type: 'capture/repository.sync' },
      { name: 'medium-late', priority: 0 },
      { name: 'low-late', priority: -10 },
      { name: 'high-late', priority: 10 },
    ]);
  });

  it('takes the intervals from its payload', async () => {
    await track('medium', { minutes: 31 });
    await track('low', { priority: 'low', minutes: 31 });
    const job = await run({ everyMinutes: { medium: 30 } });
    expect(job.result).toMatchObject({ enqueued: 1, byPriority: { medium: 1 } });
  });

  it('names the repository so that the sync finds it after a rename too', async () => {
    await track('never', { minutes: null });
    await run();
    const { rows } = await database.pool.query(
      `select payload from background_jobs where type like 'capture/%'`,
    );
    expect(rows).toEqual([{ payload: { repository: { owner: 'octo', name: 'never', github_id: 1 } } }]);
  });

  it('syncs large repositories in bulk the first time, and as others later', async () => {
    await track('large-new', { minutes: null });
    await track('large-known', { minutes: 400 });
    await track('small-new', { minutes: null });
    await database.pool.query(`update repositories set pull_request_count = 501 where name like 'large%'`);
    await run();
    expect(Object.fromEntries((await syncs()).map(({ name, type: started }) => [name, started]))).toEqual({
      'large-new': 'capture/repository.sync.enhanced',
      'large-known': 'capture/repository.sync',
      'small-new': 'capture/repository.sync',
    });
  });

  it('leaves alone what is not tracked, disabled, or gone from GitHub', async () => {
    await storeRepository(database, 'octo/untracked', 100);
    await track('disabled', { minutes: null });
    await track('gone', { minutes: null });
    await track('gone-and-back', { minutes: null });
    await database.pool.query(`
      update tracked_repositories set enabled = false
      where repository_id = (select id from repositories where name = 'disabled');
      update repositories set unavailable_at = now() where name like 'gone%';
      update repositories set last_synced_at = now() + interval '1 second' where name = 'gone-and-back'`);
    await run();
    expect(await names()).toEqual(['gone-and-back']);
  });

  it('says how many are left, and goes on with them', async () => {
    for (const minutes of [700, 800, 900]) await track(`late-${minutes}`, { minutes });
    expect((await run({ maxRepositories: 2 })).result).toMatchObject({ enqueued: 2, left: 1 });
    expect(await names()).toEqual(['late-900', 'late-800']);
    expect((await run({ maxRepositories: 2 })).result).toMatchObject({ enqueued: 1, left: 0 });
    expect(await names()).toEqual(['late-900', 'late-800', 'late-700']);
  });

  it('starts one sync when it runs twice in a row, and when two runs meet', async () => {
    await track('late', { minutes: 400 });
    await track('never', { minutes: null });
    const met = await Promise.all([enqueueJob(database, type, {}), enqueueJob(database, type, {})]);
    await Promise.all(met.map((id) => runAttempt(database, github, id)));
    await run();
    expect((await names()).sort()).toEqual(['late', 'never']);
  });

  it('starts a sync that failed again in the next interval, and no sooner', async () => {
    await track('late', { minutes: 400 });
    await track('never', { minutes: null, trackedMinutes: 210 });
    await run();
    await database.pool.query(`update background_jobs set status = 'failed' where type like 'capture/%'`);
    expect((await run()).result).toMatchObject({ enqueued: 0 });
    // Of 200 minutes, one interval more has passed than of 360.
    expect((await run({ everyMinutes: { medium: 200 } })).result).toMatchObject({ enqueued: 2 });
  });

  it.each([200, 100, 20])(
    'starts no second sync while the first one waits, be it due every %i minutes',
    async (medium) => {
      await track('late', { minutes: 400 });
      await track('never', { minutes: null, trackedMinutes: 210 });
      await run();
      expect((await run({ everyMinutes: { medium } })).result).toMatchObject({ enqueued: 0, left: 0 });
    },
  );

  it('starts the next sync when the last one is an interval old', async () => {
    await track('late', { minutes: 400 });
    await run();
    await database.pool.query(`update background_jobs set status = 'completed' where type like 'capture/%'`);
    await setSynced('late', 0);
    expect((await run()).result).toMatchObject({ enqueued: 0 });
    await setSynced('late', 365);
    expect((await run()).result).toMatchObject({ enqueued: 1 });
  });

  it('refuses an interval that is none', async () => {
    const job = await run({ everyMinutes: { high: 0 } });
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(job.error).toContain('everyMinutes.high');
    const call = database.rpc('find_due_repositories', { every_minutes: { high: 60 }, max_repositories: 1 });
    await expect(call).rejects.toMatchObject({
      code: 'PT400',
      message: expect.stringContaining('every_minutes.medium') as string,
    });
  });

  it('reads only the due ones of many repositories', async () => {
    await database.pool.query(`
      insert into repositories (github_id, owner, name, pull_requests_synced_at)
      select n, 'octo', 'r' || n, now() - n % 50 * interval '1 second' from generate_series(1, 20000) n;
      insert into tracked_repositories (repository_id) select id from repositories;
      update repositories set pull_requests_synced_at = now() - interval '7 hours' where github_id % 1000 = 0;
      analyze repositories, tracked_repositories`);
    const client = await database.pool.connect();
    const sequentialScans = async (): Promise<unknown[]> => {
      const { rows } = await client.query<object>(
        `select relname, seq_scan from pg_stat_xact_user_tables
         where relname in ('repositories', 'tracked_repositories') order by relname`,
      );
      return rows;
    };
    try {
      await client.query('begin');
      const before = await sequentialScans();
      const { rows } = await client.query(
        `select find_due_repositories('{"high": 60, "medium": 360, "low": 1440}', 5) -> 'left' as left`,
      );
      expect(rows).toEqual([{ left: 15 }]);
      expect(await sequentialScans()).toEqual(before);
      await client.query('rollback');
    } finally {
      client.release();
    }
  });
});
