import { describe, expect, it } from 'vitest';
import { useQueue } from './test-queue.ts';

const queue = useQueue();

const throttled = { type: 'slow', throttle_limit: 3, throttle_seconds: 60 };

async function enqueue(type: string, count: number): Promise<string[]> {
  return await queue.enqueue(...Array.from({ length: count }, (_, n) => ({ type, payload: n })));
}

/** Time passes: what started did so that much earlier. */
const later = (seconds: number) =>
  queue.sql(`update job_type_starts set started_at = started_at - $1 * interval '1 second'`, [seconds]);

describe('a throttled type', () => {
  it('starts so many jobs within its period, the first in line, and the next when the period is over', async () => {
    await queue.syncTypes(throttled);
    await enqueue('slow', 8);
    expect((await queue.claim()).map(({ payload }) => payload)).toEqual([0, 1, 2]);
    expect(await queue.claim()).toEqual([]);
    await later(59);
    expect(await queue.claim()).toEqual([]);
    await later(2);
    expect(await queue.claim()).toHaveLength(3);
  });

  it('counts every window of its length, not only the first', async () => {
    await queue.syncTypes(throttled);
    await enqueue('slow', 8);
    await queue.claim({ maxJobs: 1 });
    await later(40);
    expect(await queue.claim()).toHaveLength(2);
    await later(30);
    expect(await queue.claim()).toHaveLength(1);
  });

  it('does not hold up other types', async () => {
    await queue.syncTypes(throttled);
    await enqueue('slow', 5);
    await enqueue('fast', 5);
    const types = (await queue.claim()).map(({ type }) => type);
    expect(types.filter((type) => type === 'slow')).toHaveLength(3);
    expect(types.filter((type) => type === 'fast')).toHaveLength(5);
  });

  it('lets the jobs behind it run while another claim decides about its starts', async () => {
    await queue.syncTypes(throttled);
    await enqueue('slow', 5);
    await enqueue('fast', 1);
    const other = await queue.connect();
    await other.query('begin');
    await other.query(`select job_queue.lock_starts('slow')`);
    expect((await queue.claim({ maxJobs: 5 })).map(({ type }) => type)).toEqual(['fast']);
  });

  it('counts and holds back jobs that are claimed by name', async () => {
    await queue.syncTypes({ ...throttled, throttle_limit: 1 });
    const [first, second] = await enqueue('slow', 2);
    const claim = (id: string | undefined) =>
      queue.sql(`select * from claim_background_job($1, 'w1', 60)`, [id]);
    expect(await claim(first)).toHaveLength(1);
    expect(await claim(second)).toEqual([]);
    expect(await queue.claim()).toEqual([]);
  });

  it('is not claimable to the sweep while it may not start, and says why to whoever asks', async () => {
    await queue.syncTypes({ ...throttled, throttle_limit: 1 });
    const [, second] = await enqueue('slow', 2);
    await queue.claim();
    expect(
      await queue.value(`select claimable::integer from sweep_background_jobs() where lane = 'edge'`),
    ).toBe(0);
    expect(await queue.value('select explain_background_job($1)', [second])).toBe(
      'throttled: 1 jobs of type slow have started within 60 s',
    );
  });

  it('never starts more than its limit under 8 claimers at once', async () => {
    await queue.syncTypes({ ...throttled, throttle_limit: 100, throttle_seconds: 3600 });
    await enqueue('slow', 2000);
    const claimers = await Promise.all(Array.from({ length: 8 }, () => queue.connect()));
    const started = new Set<string>();
    const claimSome = async (claimer: (typeof claimers)[number]): Promise<void> => {
      for (let turn = 0; turn < 20; turn += 1) {
        for (const { id } of await queue.claim({ maxJobs: 7 }, claimer)) started.add(id);
      }
    };
    await Promise.all(claimers.map(claimSome));
    expect(started.size).toBe(100);
    expect(await queue.value('select count(*)::integer from job_type_starts')).toBe(100);
  });
});

describe('sync_job_types', () => {
  it('takes a throttle away that the definition no longer has', async () => {
    await queue.syncTypes(throttled);
    await enqueue('slow', 8);
    await queue.claim();
    await queue.syncTypes({ type: 'slow' });
    expect(await queue.claim()).toHaveLength(5);
  });
});
