import { describe, expect, it } from 'vitest';
import { type Claimed, lease, useQueue } from './test-queue.ts';

const queue = useQueue();

const jobsOf = (key: string, count: number, more: Record<string, unknown> = {}) =>
  Array.from({ length: count }, () => ({ type: 'keyed', concurrency_key: key, ...more }));
/** As if each had come in a call of its own: a call parks at once only what exceeds the limit within it. */
async function enqueueOneByOne(...jobs: Record<string, unknown>[]): Promise<string[]> {
  const ids = await queue.enqueue(...jobs);
  await queue.sql(
    'update background_job_ready set sort_at = line_at, line_at = null where id = any ($1) and line_at is not null',
    [ids],
  );
  return ids;
}
const parked = (): Promise<number> =>
  queue.value('select count(*)::int from background_job_ready where line_at is not null');
const notes = (): Promise<number> => queue.value('select count(*)::int from background_job_freed_keys');

describe('jobs whose concurrency key is busy', () => {
  it('step out of the line as soon as a claim meets them, and let thousands of free jobs by', async () => {
    for (let n = 0; n < 5; n++) await queue.enqueue(...jobsOf('k', 1_000));
    await queue.enqueue(...Array.from({ length: 1_000 }, () => ({ type: 'free' })));
    const types = (await queue.claim({ maxJobs: 1_001 })).map(({ type }) => type);
    expect(types.filter((type) => type === 'free')).toHaveLength(1_000);
    expect(types.filter((type) => type === 'keyed')).toHaveLength(1);
    expect(await parked()).toBe(4_999);
  });

  it('are parked a thousand at a time by a claim for one job, which finds the free one behind all of them', async () => {
    await queue.running({ type: 'keyed', concurrency_key: 'k' });
    await enqueueOneByOne(...jobsOf('k', 1_200));
    const [free] = await queue.enqueue({ type: 'free' });
    expect((await queue.claim({ maxJobs: 1 })).map(({ id }) => id)).toEqual([free]);
    // The one it picked, and a thousand behind. A claim that parked all of them would take longer the longer the line is.
    expect(await parked()).toBe(1_001);
    expect(await queue.claim({ maxJobs: 1 })).toEqual([]);
    expect(await parked()).toBe(1_200);
  });

  it('do not take those of a higher limit, or of a paused type, along', async () => {
    await queue.syncTypes({ type: 'keyed' }, { type: 'paused' });
    await queue.sql(`select pause_job_type('paused')`);
    await queue.running({ type: 'keyed', concurrency_key: 'k' });
    await enqueueOneByOne(...jobsOf('k', 3));
    await enqueueOneByOne(...jobsOf('k', 2, { type: 'paused' }));
    const [higher] = await queue.enqueue(...jobsOf('k', 1, { concurrency_limit: 2 }));
    expect(await queue.claim({ maxJobs: 1 })).toEqual([]);
    expect(await parked()).toBe(3);
    expect((await queue.claim({ maxJobs: 1 })).map(({ id }) => id)).toEqual([higher]);
  });

  it('of one call that exceed the limit are parked at once, and none waits for ever', async () => {
    const ids = await queue.enqueue(...jobsOf('k', 5, { concurrency_limit: 2 }));
    expect(await parked()).toBe(3);
    const ran: string[] = [];
    for (let jobs = await queue.claim(); jobs.length > 0; jobs = await queue.claim()) {
      expect(jobs.length).toBeLessThanOrEqual(2);
      await queue.complete(...jobs.map((job) => lease(job)));
      ran.push(...jobs.map(({ id }) => id));
    }
    expect(ran).toEqual(ids);
    expect(await notes()).toBe(0);
  });

  it('run in the order of their places: run_at minus priority', async () => {
    const [holder] = await queue.enqueue(...jobsOf('k', 1));
    expect((await queue.claim()).map(({ id }) => id)).toEqual([holder]);
    const [later, urgent] = await queue.enqueue(...jobsOf('k', 1), ...jobsOf('k', 1, { priority: 5 }));
    expect(await queue.claim()).toEqual([]);
    expect(await parked()).toBe(2);
    await queue.sql('select cancel_background_job($1)', [holder]);
    await queue.sql(`update background_jobs set status = 'cancelled' where id = $1`, [holder]);
    const [first] = await queue.claim();
    expect(first?.id).toBe(urgent);
    await queue.complete(lease(first!));
    expect((await queue.claim()).map(({ id }) => id)).toEqual([later]);
  });

  it('come back when the slot is freed while another claim has just found the key full', async () => {
    const running = await queue.running({ type: 'keyed', concurrency_key: 'k' });
    const [waiting] = await queue.enqueue(...jobsOf('k', 1));
    const claimer = await queue.connect();
    await claimer.query('begin');
    expect(await queue.claim({}, claimer)).toEqual([]);
    // The parked row is not visible yet; the note is written all the same, and nobody may take it away meanwhile.
    await queue.complete(lease(running));
    expect(await queue.claim()).toEqual([]);
    await claimer.query('commit');
    expect((await queue.claim()).map(({ id }) => id)).toEqual([waiting]);
  });

  it('can be cancelled, moved to another lane, delayed, given another key, and deleted', async () => {
    await queue.syncTypes({ type: 'keyed', lane: 'edge' });
    await queue.running({ type: 'keyed', concurrency_key: 'k' });
    const [cancelled, moved, delayed, freed, deleted] = await queue.enqueue(...jobsOf('k', 5));
    expect(await queue.claim()).toEqual([]);
    expect(await parked()).toBe(5);
    expect(await queue.value('select cancel_background_job($1)', [cancelled])).toBe(true);
    await queue.sql(`update background_jobs set lane = 'worker' where id = $1`, [moved]);
    await queue.sql(`update background_jobs set run_at = now() + interval '1 hour' where id = $1`, [delayed]);
    await queue.sql('update background_jobs set concurrency_key = null where id = $1', [freed]);
    await queue.sql('delete from background_jobs where id = $1', [deleted]);
    expect((await queue.claim()).map(({ id }) => id)).toEqual([freed]);
    expect(await queue.claim({ lane: 'worker' })).toEqual([]);
    expect(await queue.value('select count(*)::int from background_job_ready')).toBe(2);
  });

  it('are looked at by the sweep when an operator raised their limit', async () => {
    await queue.running({ type: 'keyed', concurrency_key: 'k' });
    const [waiting] = await queue.enqueue(...jobsOf('k', 1));
    expect(await queue.claim()).toEqual([]);
    await queue.sql('update background_job_ready set concurrency_limit = 2 where id = $1', [waiting]);
    await queue.internally('update background_jobs set concurrency_limit = 2 where id = $1', [waiting]);
    const swept = await queue.sql<{ lane: string; claimable: string }>(
      'select * from sweep_background_jobs()',
    );
    expect(swept.find(({ lane }) => lane === 'edge')?.claimable).toBe('1');
    expect((await queue.claim()).map(({ id }) => id)).toEqual([waiting]);
  });

  it('come back when the one that was put back for a free slot is cancelled before its claim', async () => {
    const holder = await queue.running({ type: 'keyed', concurrency_key: 'k' });
    const [cancelled, waiting] = await queue.enqueue(...jobsOf('k', 2));
    expect(await queue.claim()).toEqual([]);
    await queue.complete(lease(holder));
    // A claim of another type puts the first one back in line, and leaves it there.
    expect(await queue.claim({ types: ['other'] })).toEqual([]);
    expect(await parked()).toBe(1);
    await queue.sql('select cancel_background_job($1)', [cancelled]);
    expect((await queue.claim()).map(({ id }) => id)).toEqual([waiting]);
  });

  it('are looked at by the sweep under each of more than 1,000 keys', async () => {
    const keys = Array.from({ length: 1_001 }, (_, n) => `k ${String(n).padStart(4, '0')}`);
    await queue.enqueue(...keys.flatMap((key) => jobsOf(key, 1)));
    const running = await queue.claim({ maxJobs: 1_001 });
    await queue.enqueue(...keys.flatMap((key) => jobsOf(key, 1)));
    expect(await queue.claim({ maxJobs: 1_001 })).toEqual([]);
    const last = await queue.value<string>(
      `select id from background_jobs where status = 'processing' order by concurrency_key desc limit 1`,
    );
    await queue.complete(lease(running.find(({ id }) => id === last)!));
    // As when what the note led to was undone.
    await queue.sql('delete from background_job_freed_keys');
    expect(await queue.claim()).toEqual([]);
    await queue.sql('select sweep_background_jobs()');
    expect(await queue.claim()).toMatchObject([{ type: 'keyed' }]);
  });

  it('of a running type do not wait behind one of a paused type that is first in line', async () => {
    await queue.syncTypes({ type: 'keyed' }, { type: 'other' });
    const holder = await queue.running({ type: 'other', concurrency_key: 'k' });
    const [, running] = await queue.enqueue(...jobsOf('k', 1), { type: 'other', concurrency_key: 'k' });
    expect(await queue.claim()).toEqual([]);
    await queue.sql(`select pause_job_type('keyed')`);
    await queue.complete(lease(holder));
    expect(await queue.claim()).toEqual([]);
    await queue.sql('select sweep_background_jobs()');
    expect((await queue.claim()).map(({ id }) => id)).toEqual([running]);
  });

  it('of a higher limit do not wait behind one whose lower limit the key has no room for', async () => {
    await enqueueOneByOne(...jobsOf('k', 3, { concurrency_limit: 3 }));
    const [first, second, third] = await queue.claim();
    const [lower, higher] = await enqueueOneByOne(
      ...jobsOf('k', 1, { concurrency_limit: 1 }),
      ...jobsOf('k', 1, { concurrency_limit: 3 }),
    );
    expect(await queue.claim()).toEqual([]);
    expect(await parked()).toBe(2);
    await queue.complete(lease(first!), lease(second!));
    const [next] = await queue.claim();
    expect(next?.id).toBe(higher);
    await queue.complete(lease(third!), lease(next!));
    expect((await queue.claim()).map(({ id }) => id)).toEqual([lower]);
  });

  it('of mixed limits, claimed one at a time, never exceed their own limit and all run', async () => {
    const ids = await enqueueOneByOne(
      ...[1, 3, 2, 1, 5, 2, 3, 1].flatMap((limit) => jobsOf('k', 2, { concurrency_limit: limit })),
    );
    const running: Claimed[] = [];
    const ran: string[] = [];
    while (ran.length < ids.length) {
      const [job] = await queue.claim({ maxJobs: 1 });
      if (job === undefined) {
        // An empty answer may stop at a full key whose line has others: the next claims look behind.
        expect(running.length, 'nothing runs, and yet nothing may start').toBeGreaterThan(0);
        const done = running.shift()!;
        await queue.complete(lease(done));
        continue;
      }
      const { concurrency_limit: limit } = await queue.job(job.id);
      running.push(job);
      ran.push(job.id);
      expect(running.length).toBeLessThanOrEqual(Number(limit));
    }
    expect(new Set(ran)).toEqual(new Set(ids));
    await queue.complete(...running.map((job) => lease(job)));
  });

  it('are not counted as claimable by the sweep', async () => {
    await queue.running({ type: 'keyed', concurrency_key: 'k' });
    await queue.enqueue(...jobsOf('k', 3));
    await queue.claim();
    const swept = await queue.sql<{ claimable: string }>('select * from sweep_background_jobs()');
    expect(swept.map(({ claimable }) => claimable)).toEqual(['0', '0', '0']);
  });
});
