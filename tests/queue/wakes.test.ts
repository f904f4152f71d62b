import { beforeEach, describe, expect, it } from 'vitest';
import { useQueue } from './test-queue.ts';

const queue = useQueue();

beforeEach(async () => {
  await aSecondLater();
  await queue.sql(`update job_settings set value = '200' where name = 'edge_jobs_per_isolate'`);
  await queue.sql(`update job_settings set value = '5' where name = 'edge_max_isolates'`);
});

const wakes = (leaving?: string): Promise<number> => queue.value('select take_wakes($1)', [leaving ?? null]);

/** As if the last wake lay further back. */
const aSecondLater = () => queue.sql('update background_job_wakes set woken_at = null, isolates = 0');

/** As if the workers had claimed nothing for a while: they are full, about to end, or dead. */
const claimsAreOld = () =>
  queue.sql(`update background_job_leases set claimed_at = claimed_at - interval '10 seconds'`);

const jobs = (count: number, job: Record<string, unknown> = {}) =>
  queue.enqueue(...Array.from({ length: count }, () => ({ type: 'test/job', ...job })));

const drainBy = (worker: string, maxJobs = 1) => queue.claim({ worker, maxJobs });

describe('the number of isolates to wake', () => {
  it.each([
    [0, 0],
    [1, 1],
    [200, 1],
    [201, 2],
    [1000, 5],
  ])('for %i jobs is %i', async (count, isolates) => {
    if (count > 0) await jobs(count);
    expect(await wakes()).toBe(isolates);
  });

  it('has a maximum, and follows the settings', async () => {
    await jobs(2000);
    expect(await wakes()).toBe(5);
    await aSecondLater();
    await queue.sql(`update job_settings set value = '12' where name = 'edge_max_isolates'`);
    expect(await wakes()).toBe(10);
    await aSecondLater();
    await queue.sql(`update job_settings set value = '999' where name = 'edge_jobs_per_isolate'`);
    expect(await wakes()).toBe(3);
  });

  it.each(['0', '-1', '1.5', '"5"', 'null', '1e99'])('a setting of %s is refused', async (value) => {
    const edit = `update job_settings set value = $1 where name = 'edge_max_isolates'`;
    await expect(queue.sql(edit, [value])).rejects.toMatchObject({ code: '23514' });
  });

  it('does not count jobs of other lanes, nor those of later', async () => {
    await jobs(1, { lane: 'worker' });
    await jobs(1, { run_at: new Date(Date.now() + 3_600_000).toISOString() });
    expect(await wakes()).toBe(0);
  });

  it('does not count jobs of a paused type, until it is resumed', async () => {
    await queue.syncTypes({ type: 'test/job' });
    await jobs(1);
    await queue.sql(`select pause_job_type('test/job')`);
    expect(await wakes()).toBe(0);
    await queue.sql(`select resume_job_type('test/job')`);
    expect(await wakes()).toBe(1);
  });

  it('does not count jobs whose quota is exhausted', async () => {
    await queue.syncTypes({ type: 'test/job', quotas: ['github:core'] });
    await jobs(1);
    const resets = new Date(Date.now() + 3_600_000).toISOString();
    await queue.sql('select report_job_quotas($1)', [
      JSON.stringify([
        { quota: 'github:core', token: 'a1b2c3', allowance: 5000, remaining: 0, resets_at: resets },
      ]),
    ]);
    expect(await wakes()).toBe(0);
  });

  it('counts of a throttled type what may start, and nothing once that has started', async () => {
    await queue.syncTypes({ type: 'test/job', throttle_limit: 1, throttle_seconds: 3600 });
    await jobs(1000);
    expect(await wakes()).toBe(1);
    await drainBy('w1', 10);
    await claimsAreOld();
    await aSecondLater();
    expect(await wakes()).toBe(0);
  });

  it('counts of a concurrency key as many as may run at a time', async () => {
    await jobs(1000, { concurrency_key: 'one by one', concurrency_limit: 1 });
    expect(await wakes()).toBe(1);
    await drainBy('w1');
    await claimsAreOld();
    await aSecondLater();
    expect(await wakes()).toBe(0);
  });
});

describe('isolates that drain', () => {
  it('are not woken again', async () => {
    await jobs(1000);
    await drainBy('w1');
    await drainBy('w1');
    await drainBy('w2');
    expect(await wakes()).toBe(3);
  });

  it('count no more when they have claimed nothing for a while', async () => {
    await jobs(1000);
    await drainBy('w1');
    await claimsAreOld();
    expect(await wakes()).toBe(5);
  });

  it('do not count themselves when they leave', async () => {
    await jobs(2);
    await drainBy('w1');
    expect(await wakes()).toBe(0);
    expect(await wakes('w1')).toBe(1);
  });
});

describe('wakes', () => {
  it('that were taken a moment ago are not taken again; for work that came since, more are', async () => {
    await jobs(1);
    expect([await wakes(), await wakes()]).toEqual([1, 0]);
    await jobs(1000);
    expect(await wakes()).toBe(4);
  });

  it('of 8 connections at once are those of one', async () => {
    await jobs(1000);
    const holder = await queue.connect();
    await queue.sql('begin', [], holder);
    await queue.sql('select from background_job_wakes for update', [], holder);
    const clients = await Promise.all(Array.from({ length: 8 }, () => queue.connect()));
    const ask = `select take_wakes() as isolates, extract(epoch from clock_timestamp())::float8 as at`;
    const asked = clients.map((client) => queue.sql<{ isolates: number; at: number }>(ask, [], client));
    await Promise.all(clients.map((client) => queue.untilBlocked(client)));
    await queue.sql('commit', [], holder);
    const answers = (await Promise.all(asked)).flat();
    const times = answers.map(({ at }) => at);
    // A machine that stalls for seconds lets one more be due in each of them.
    const due = 1 + Math.floor(Math.max(...times) - Math.min(...times));
    const sent = answers.filter(({ isolates }) => isolates > 0);
    expect(sent.length).toBeGreaterThanOrEqual(1);
    expect(sent.length).toBeLessThanOrEqual(due);
    expect(new Set(sent.map(({ isolates }) => isolates))).toEqual(new Set([5]));
  });

  it('that never arrived are taken by a later sweep', async () => {
    await jobs(1);
    expect(await wakes()).toBe(1);
    await aSecondLater();
    expect(await wakes()).toBe(1);
  });
});
