import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { Worker } from '../../src/worker/worker.ts';
import { expectSoundQueue } from '../support/database.ts';
import { startTestWorker, workerJob } from '../support/worker.ts';
import { putJobsInFlight, type JobsInFlight } from './jobs-in-flight.ts';
import { createOldClient, type OldClient } from './old-client.ts';
import { startOldWorker, type OldWorker } from './old-worker.ts';
import { createReleaseDatabase, type ReleaseDatabase } from './release-database.ts';
import { digestUpTo, releases } from './releases.ts';

const anything = z.looseObject({});
const plainTypes = ['test/plain', 'test/keyed', 'test/paused', 'test/held', 'test/storm'];
const stepsRun: string[] = [];
const catalog = [
  ...plainTypes.map((type) => workerJob(type, anything, () => Promise.resolve(null))),
  workerJob('test/steps', anything, async (ctx) => {
    for (const name of ['first', 'second']) {
      await ctx.step(name, () => Promise.resolve(stepsRun.push(name)));
    }
  }),
];

test.each(releases)('the migrations up to $version are as they were released', ({ version, digest }) => {
  expect(digestUpTo(version), 'a released migration was edited: write a new one instead').toBe(digest);
});

describe.each(releases)('a queue in motion since $version', ({ version }) => {
  let database: ReleaseDatabase;
  let old: OldClient;
  let oldWorkers: OldWorker[];
  let jobs: JobsInFlight;
  let worker: Worker | undefined;

  beforeEach(async () => {
    database = await createReleaseDatabase(version);
    old = createOldClient(database);
    jobs = await putJobsInFlight(old, database, version);
    oldWorkers = [startOldWorker(old), startOldWorker(old)];
    await Promise.all(oldWorkers.map((each) => each.endsMore(1)));
    stepsRun.length = 0;
    worker = undefined;
  });
  afterEach(async () => {
    await Promise.all(oldWorkers.map((each) => each.stop()));
    await worker?.stop();
    await database.close();
  });

  async function states(): Promise<Record<string, string>> {
    const { rows } = await database.pool.query<{ id: string; status: string }>(
      `select id, status from background_jobs where type <> 'test/storm'`,
    );
    return Object.fromEntries(rows.map(({ id, status }) => [id, status]));
  }

  async function expectStorm(counts: object): Promise<void> {
    const { rows } = await database.pool
      .query(`select count(*) filter (where status = 'completed')::int as completed,
      count(*)::int as jobs from background_jobs where type = 'test/storm'`);
    expect(rows).toEqual([counts]);
  }

  test('is upgraded under the hands of old workers and drained by the code of today', async () => {
    const before = await states();
    await database.upgrade();
    await expectSoundQueue(database.pool);
    expect(await states()).toEqual(before);

    await Promise.all(oldWorkers.map((each) => each.endsMore(5)));
    const held = [jobs.held, jobs.heldKeyed];
    expect((await old.heartbeat(held)).map(({ state }) => state)).toEqual(['continue', 'continue']);
    expect(await old.complete(...held)).toEqual([true, true]);
    expect(await old.retry(jobs.failed)).toBe(true);
    await old.resume('test/paused');

    const looks = { pollMs: 100, sweepSeconds: 1 };
    worker = await startTestWorker(database, catalog, { lanes: ['edge', 'worker'], ...looks });
    const enqueued = await Promise.all(oldWorkers.map((each) => each.stop()));
    const total = enqueued.reduce((sum, count) => sum + count, 0);
    const expected = Object.fromEntries(Object.keys(before).map((id) => [id, 'completed']));
    for (const id of jobs.cancelled) expected[id] = 'cancelled';
    await vi.waitFor(
      async () => {
        expect(await states()).toEqual(expected);
        await expectStorm({ completed: total, jobs: total });
      },
      { timeout: 60_000, interval: 50 },
    );
    expect(stepsRun).toEqual(['second']);
    await expectSoundQueue(database.pool);
  });
});

describe('a queue that was upgraded from the first release', () => {
  test('answers every call of that release', async () => {
    const [first] = releases;
    const database = await createReleaseDatabase(first?.version ?? '');
    const old = createOldClient(database);
    await database.upgrade();
    await old.syncTypes([{ type: 'test/job', max_retries: 3 }]);
    await old.setLane('test/job', 'worker');
    const [id = '', unwanted = ''] = await old.enqueue({ type: 'test/job' }, { type: 'test/job' });
    await old.pause('test/job');
    expect(await old.claim('worker')).toEqual([]);
    expect(await old.explain(id)).toContain('paused');
    await old.resume('test/job');
    expect(await old.cancel(unwanted)).toBe(true);
    const claim = async () => (await old.claimOne(id))[0]!;
    expect(await old.snooze(await claim(), new Date())).toBe('queued');
    let job = await claim();
    expect(await old.saveStep(job, 'page', { cursor: 'a' })).toBe(true);
    expect(await old.handOff(job)).toBe('queued');
    job = await claim();
    expect(job.steps).toEqual({ page: { cursor: 'a' } });
    expect(await old.reportProgress(job, 50)).toBe(true);
    expect(await old.fail(job, true, 0)).toBe('queued');
    expect(await old.fail(await claim(), false)).toBe('failed');
    expect(await old.retry(id)).toBe(true);
    expect(await old.complete(await claim())).toEqual([true]);
    expect((await old.sweep()).map(({ lane }) => lane)).toContain('edge');
    await expectSoundQueue(database.pool);
    await database.close();
  });
});
