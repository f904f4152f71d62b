import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { Worker } from '../../src/worker/worker.ts';
import { expectSoundQueue } from '../support/database.ts';
import { startTestWorker, workerJob } from '../support/worker.ts';
import { putJobsInFlight, type JobsInFlight } from './jobs-in-flight.ts';
import { createOldClient, type OldClient } from './old-client.ts';
import { createReleaseDatabase, type ReleaseDatabase } from './release-database.ts';
import { digestUpTo, releases } from './releases.ts';

const anything = z.looseObject({});
const nothing = (): Promise<null> => Promise.resolve(null);
const stepsRun: string[] = [];
const catalog = [
  ...['test/plain', 'test/keyed', 'test/paused', 'test/held'].map((type) => workerJob(type, anything, nothing)),
  workerJob('test/steps', anything, async (ctx) => {
    for (const name of ['first', 'second'])
      await ctx.step(name, () => Promise.resolve(stepsRun.push(name)));
  }),
];

test.each(releases)('the migrations up to $version are as they were released', ({ version, digest }) => {
  expect(digestUpTo(version), 'a released migration was edited: write a new one instead').toBe(digest);
});

describe.each(releases)('a queue in motion since $version', ({ version }) => {
  let database: ReleaseDatabase;
  let old: OldClient;
  let jobs: JobsInFlight;
  let workers: Worker[];

  beforeEach(async () => {
    database = await createReleaseDatabase(version);
    old = createOldClient(database);
    jobs = await putJobsInFlight(old, database);
    workers = [];
    stepsRun.length = 0;
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await expectSoundQueue(database.pool);
    await database.close();
  });

  async function startWorker(): Promise<void> {
    const looks = { pollMs: 100, sweepSeconds: 1 };
    workers.push(await startTestWorker(database, catalog, { lanes: ['edge', 'worker'], ...looks }));
  }

  async function states(): Promise<Record<string, string>> {
    const { rows } = await database.pool.query<{ id: string; status: string }>(
      'select id, status from background_jobs',
    );
    return Object.fromEntries(rows.map(({ id, status }) => [id, status]));
  }

  test('is drained by the code of today, each job ending as it should', async () => {
    const before = await states();
    await database.upgrade();
    await expectSoundQueue(database.pool);
    expect(await states()).toEqual(before);
    await startWorker();
    // The old worker goes on with what it holds.
    expect((await old.heartbeat([jobs.held, jobs.heldKeyed])).map(({ state }) => state)).toEqual([
      'continue',
      'continue',
    ]);
    expect(await old.complete(jobs.held, jobs.heldKeyed)).toEqual([true, true]);
    expect(await old.retry(jobs.failed)).toBe(true);
    await old.resume('test/paused');
    const expected = Object.fromEntries(Object.keys(before).map((id) => [id, 'completed']));
    expected[jobs.cancelled] = 'cancelled';
    await vi.waitFor(async () => expect(await states()).toEqual(expected), { timeout: 60_000, interval: 50 });
    expect(stepsRun).toEqual(['second']);
  });
});
