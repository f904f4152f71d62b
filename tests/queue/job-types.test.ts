import { describe, expect, it } from 'vitest';
import { useQueue } from './test-queue.ts';

const queue = useQueue();

async function lanes(): Promise<unknown[]> {
  return await queue.sql('select * from list_job_lanes()');
}

describe('sync_job_types', () => {
  it('fills in defaults, and keeps what operators set', async () => {
    await queue.syncTypes({ type: 'a' }, { type: 'b', lane: 'worker', title: 'Bee' });
    await queue.sql(`select set_job_lane('a', 'worker'), pause_job_type('a')`);
    await queue.syncTypes({ type: 'a', title: 'Ay', lane: 'inline', max_retries: 1 });
    expect(
      await queue.sql(
        'select type, title, lane, lane_override, paused, max_retries, timeout_seconds from job_types order by 1',
      ),
    ).toEqual([
      {
        type: 'a',
        title: 'Ay',
        lane: 'inline',
        lane_override: 'worker',
        paused: true,
        max_retries: 1,
        timeout_seconds: 120,
      },
      {
        type: 'b',
        title: 'Bee',
        lane: 'worker',
        lane_override: null,
        paused: false,
        max_retries: 3,
        timeout_seconds: 120,
      },
    ]);
  });

  it('does not deadlock when two deploys sync in opposite order', async () => {
    const definitions = Array.from({ length: 100 }, (_, n) => ({ type: `t${n}` }));
    await Promise.all([queue.syncTypes(...definitions), queue.syncTypes(...definitions.toReversed())]);
    expect(await queue.value('select count(*)::int from job_types')).toBe(100);
  });

  it('refuses what is no array, or names no lane', async () => {
    await expect(queue.sql(`select sync_job_types('{}')`)).rejects.toMatchObject({ code: 'PT400' });
    await expect(queue.sql('select sync_job_types(null)')).rejects.toMatchObject({ code: 'PT400' });
    await expect(queue.syncTypes({ type: 'a', lane: 'moon' })).rejects.toMatchObject({
      constraint: 'job_types_lane_known',
    });
  });
});

describe('set_job_lane', () => {
  it('sends new and waiting jobs of the type to the lane, and back for new ones', async () => {
    await queue.syncTypes({ type: 'a' });
    const [waiting, other] = await queue.enqueue({ type: 'a' }, { type: 'b' });
    await queue.sql(`select set_job_lane('a', 'worker')`);
    expect(await lanes()).toEqual([{ type: 'a', lane: 'worker' }]);
    const [fresh] = await queue.enqueue({ type: 'a' });
    expect((await queue.claim()).map(({ id }) => id)).toEqual([other]);
    expect((await queue.claim({ lane: 'worker' })).map(({ id }) => id)).toEqual([waiting, fresh]);
    await queue.sql(`select set_job_lane('a', null)`);
    expect(await lanes()).toEqual([]);
    await queue.enqueue({ type: 'a' });
    expect(await queue.claim()).toHaveLength(1);
  });

  it('leaves a running job where it is', async () => {
    await queue.syncTypes({ type: 'test/job' });
    const job = await queue.running();
    await queue.sql(`select set_job_lane('test/job', 'worker')`);
    expect(await queue.job(job.id)).toMatchObject({ lane: 'edge', status: 'processing' });
  });

  it('moves waiting jobs while claims race for them', async () => {
    await queue.syncTypes({ type: 'a' });
    await queue.enqueue(...Array.from({ length: 300 }, () => ({ type: 'a' })));
    const claims = Array.from({ length: 6 }, (_, n) => queue.claim({ worker: `w${n}`, maxJobs: 20 }));
    await Promise.all([...claims, queue.sql(`select set_job_lane('a', 'worker')`)]);
    const taken = (await Promise.all(claims)).flat();
    const rest = await queue.claim({ lane: 'worker', maxJobs: 1000 });
    expect(new Set([...taken, ...rest].map(({ id }) => id)).size).toBe(300);
  });

  it('refuses unknown types and lanes', async () => {
    await queue.syncTypes({ type: 'a' });
    for (const call of [`set_job_lane('x', 'edge')`, `pause_job_type('x')`, `resume_job_type('x')`])
      await expect(queue.sql(`select ${call}`)).rejects.toMatchObject({
        code: 'PT404',
        hint: expect.stringContaining('a') as string,
      });
    await expect(queue.sql(`select set_job_lane('a', 'moon')`)).rejects.toMatchObject({ code: 'PT400' });
  });
});
