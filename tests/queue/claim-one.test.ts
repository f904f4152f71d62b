import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Claimed, useQueue } from './test-queue.ts';

const queue = useQueue();

async function claimOne(id: string | undefined): Promise<Claimed[]> {
  return await queue.sql<Claimed>(`select * from claim_background_job($1, 'w1', 60)`, [id]);
}

describe('claim_background_job', () => {
  it('takes the named job, whatever its run_at and lane', async () => {
    const [, future] = await queue.enqueue(
      { type: 'a' },
      { type: 'b', payload: 7, lane: 'worker', run_at: '2099-01-01T00:00:00Z', priority: 3 },
    );
    const [job] = await claimOne(future);
    expect(job).toMatchObject({ id: future, type: 'b', payload: 7, steps: {} });
    expect(await queue.complete({ job_id: future, lease_token: job?.lease_token })).toEqual([true]);
  });

  it('takes an inline job that waits for its retry', async () => {
    const [begun] = await queue.sql<Claimed>(
      `select b.*, b.lease_token from begin_background_job('{"type": "a"}', 'run', 60) as b`,
    );
    await queue.fail(begun as Claimed);
    expect(await claimOne(begun?.id)).toHaveLength(1);
  });

  it('takes no job of a paused type', async () => {
    await queue.syncTypes({ type: 'a' });
    const [id] = await queue.enqueue({ type: 'a' });
    await queue.sql(`select pause_job_type('a')`);
    expect(await claimOne(id)).toEqual([]);
  });

  it('takes no job whose concurrency key is full', async () => {
    const [one, two] = await queue.enqueue(
      { type: 'a', concurrency_key: 'k' },
      { type: 'a', concurrency_key: 'k' },
    );
    const [first] = await claimOne(one);
    expect(await claimOne(two)).toEqual([]);
    await queue.complete({ job_id: one, lease_token: first?.lease_token });
    expect(await claimOne(two)).toHaveLength(1);
  });

  it('answers nothing for an unknown, a running, or an ended job', async () => {
    const running = await queue.running();
    expect(await claimOne(randomUUID())).toEqual([]);
    expect(await claimOne(running.id)).toEqual([]);
    await queue.complete({ job_id: running.id, lease_token: running.lease_token });
    expect(await claimOne(running.id)).toEqual([]);
  });

  it('gives the job to one of five callers at once', async () => {
    const [id] = await queue.enqueue({ type: 'a' });
    const answers = await Promise.all(Array.from({ length: 5 }, () => claimOne(id)));
    expect(answers.flat()).toHaveLength(1);
  });

  it('shares no job with a batch claim at the same time', async () => {
    for (let round = 0; round < 40; round++) {
      const [id] = await queue.enqueue({ type: 'a' });
      const answers = await Promise.all([claimOne(id), queue.claim()]);
      expect(answers.flat()).toHaveLength(1);
    }
  });

  it('waits neither for an open transaction on the job nor gives it away', async () => {
    const [id] = await queue.enqueue({ type: 'a' });
    const operator = await queue.connect();
    await operator.query('begin');
    await operator.query('update background_jobs set priority = 1 where id = $1', [id]);
    expect(await claimOne(id)).toEqual([]);
    await operator.query('rollback');
    expect(await claimOne(id)).toHaveLength(1);
  });

  it('leaves a job alone whose ready row another claim holds, without leaving that row behind', async () => {
    const [id] = await queue.enqueue({ type: 'a' });
    const claim = await queue.connect();
    await claim.query('begin');
    await claim.query('select from background_job_ready where id = $1 for update', [id]);
    const one = await queue.connect();
    const answer = queue.sql<Claimed>(`select * from claim_background_job($1, 'w1', 60)`, [id], one);
    await queue.untilBlocked(one, claim);
    await claim.query('rollback');
    expect(await answer).toHaveLength(1);
  });

  it('refuses a missing worker and a lease out of bounds', async () => {
    const [id] = await queue.enqueue({ type: 'a' });
    await expect(queue.sql(`select claim_background_job($1, '', 60)`, [id])).rejects.toMatchObject({
      code: 'PT400',
    });
    await expect(queue.sql(`select claim_background_job($1, 'w', 0)`, [id])).rejects.toMatchObject({
      code: 'PT400',
    });
  });
});
