import { describe, expect, it } from 'vitest';
import { type Claimed, lease, useQueue } from './test-queue.ts';

const queue = useQueue();

interface Swept {
  lane: string;
  claimable: string;
  rescued: string;
  expired: string;
}

async function sweep(): Promise<Record<string, Omit<Swept, 'lane'>>> {
  const rows = await queue.sql<Swept>('select * from sweep_background_jobs()');
  return Object.fromEntries(rows.map(({ lane, ...counts }) => [lane, counts]));
}

async function beginInline(): Promise<Claimed> {
  const [begun] = await queue.sql<Claimed>(
    `select * from begin_background_job('{"type": "a", "idempotency_key": "k"}', 'run', 60)`,
  );
  return begun as Claimed;
}

describe('sweep_background_jobs', () => {
  it('answers one row per lane, whatever is in the queue', async () => {
    const nothing = { claimable: '0', rescued: '0', expired: '0' };
    expect(await sweep()).toEqual({ edge: nothing, inline: nothing, worker: nothing });
    await queue.syncTypes({ type: 'paused' });
    await queue.sql(`select pause_job_type('paused')`);
    await queue.enqueue(
      { type: 'a' },
      { type: 'a', run_at: '2099-01-01T00:00:00Z' },
      { type: 'paused' },
      { type: 'a', lane: 'worker' },
    );
    expect(await sweep()).toMatchObject({ edge: { claimable: '1' }, worker: { claimable: '1' } });
  });

  it('rescues a job whose worker died, at the cost of a retry', async () => {
    const job = await queue.running();
    await queue.expireLeases(job.id);
    expect(await sweep()).toMatchObject({ edge: { rescued: '1' } });
    expect(await queue.job(job.id)).toMatchObject({ status: 'queued', retry_count: 1 });
    expect(await queue.sql('select outcome, worker from background_job_attempts')).toEqual([
      { outcome: 'rescued', worker: 'w1' },
    ]);
  });

  it('rescues only the jobs of a claim that were not renewed', async () => {
    await queue.enqueue({ type: 'a' }, { type: 'a' }, { type: 'a' });
    const [dead, alive, done] = await queue.claim();
    await queue.complete(lease(done!));
    await queue.expireLeases(dead!.id, alive!.id);
    await queue.sql('select heartbeat_background_jobs($1, 60)', [JSON.stringify([lease(alive!)])]);
    expect(await sweep()).toMatchObject({ edge: { rescued: '1' } });
    expect(await queue.complete(lease(dead!), lease(alive!))).toEqual([false, true]);
  });

  it('buries a job that kills its process every time', async () => {
    const job = await queue.running({ max_retries: 1 });
    for (let n = 0; n < 2; n++) {
      await queue.expireLeases(job.id);
      await sweep();
      await queue.sql(`select claim_background_job($1, 'w1', 60)`, [job.id]);
    }
    expect(await queue.job(job.id)).toMatchObject({
      status: 'failed',
      failure_reason: 'crashed',
      retry_count: 1,
    });
  });

  it('moves an inline job that was killed to the edge lane', async () => {
    const job = await beginInline();
    await queue.expireLeases(job.id);
    expect(await sweep()).toMatchObject({ inline: { rescued: '1' } });
    expect(await queue.job(job.id)).toMatchObject({ status: 'queued', lane: 'edge' });
  });

  it('moves an inline job that Inngest does not retry to the edge lane', async () => {
    const job = await beginInline();
    await queue.fail(job, { retryAfter: 0 });
    await sweep();
    expect(await queue.job(job.id)).toMatchObject({ lane: 'inline' });
    await queue.sql(`update background_jobs set run_at = now() - interval '61 seconds' where id = $1`, [
      job.id,
    ]);
    await sweep();
    expect(await queue.job(job.id)).toMatchObject({ lane: 'edge', retry_count: 1 });
    expect(await queue.claim()).toHaveLength(1);
  });

  it('fails waiting jobs past their expires_at', async () => {
    const [id] = await queue.enqueue(
      { type: 'a', lane: 'worker', expires_at: '2001-01-01T00:00:00Z' },
      { type: 'a' },
    );
    expect(await sweep()).toMatchObject({ worker: { expired: '1' }, edge: { expired: '0', claimable: '1' } });
    expect(await queue.job(id!)).toMatchObject({
      status: 'failed',
      failure_reason: 'expired',
      error: expect.stringContaining('expired') as string,
    });
  });

  it('does each thing once when two run at once', async () => {
    await queue.enqueue(
      ...Array.from({ length: 60 }, () => ({ type: 'a' })),
      ...Array.from({ length: 40 }, () => ({ type: 'b', expires_at: '2001-01-01T00:00:00Z' })),
    );
    const ids: string[] = [];
    for (let n = 0; n < 20; n++) ids.push(...(await queue.claim({ maxJobs: 3 })).map(({ id }) => id));
    await queue.expireLeases(...ids);
    const answers = await Promise.all([sweep(), sweep(), sweep()]);
    const sum = (count: 'rescued' | 'expired') =>
      answers.reduce((total, { edge }) => total + Number(edge?.[count]), 0);
    expect([sum('rescued'), sum('expired')]).toEqual([60, 40]);
    expect(await queue.value('select max(retry_count) from background_jobs')).toBe(1);
  });

  it('does not stop at a job that an open transaction holds', async () => {
    const [held, dead] = [await queue.running(), await queue.running()];
    const [waiting] = await queue.enqueue({ type: 'a', expires_at: '2001-01-01T00:00:00Z' });
    await queue.expireLeases(held.id, dead.id);
    const operator = await queue.connect();
    await operator.query('begin');
    await operator.query('select from background_jobs where id = any ($1) for update', [[held.id, waiting]]);
    expect(await sweep()).toMatchObject({ edge: { rescued: '1', expired: '0' } });
    await operator.query('rollback');
    expect(await sweep()).toMatchObject({ edge: { rescued: '1', expired: '1' } });
  });

  it('leaves the queue to claims while it is open', async () => {
    const ids = await queue.enqueue({ type: 'a' }, { type: 'a' });
    const sweeper = await queue.connect();
    await sweeper.query('begin');
    await sweeper.query('select sweep_background_jobs()');
    expect((await queue.claim()).map(({ id }) => id)).toEqual(ids);
  });

  it('reaches a dead job behind 1,000 that are alive', async () => {
    await queue.enqueue(...Array.from({ length: 1001 }, () => ({ type: 'a' })));
    const jobs = await queue.claim({ maxJobs: 2000 });
    await queue.internally(
      `with tokens as (update background_jobs set lease_token = gen_random_uuid() returning id, lease_token, lease_until)
       insert into background_job_leases (token, worker, lane, claimed_at, lease_until, remaining, job_ids)
       select lease_token, 'w', 'edge', now(), now() - interval '1 hour' , 1, array[id] from tokens`,
    );
    await queue.sql('delete from background_job_leases where token = $1', [jobs[0]?.lease_token]);
    const last = jobs.at(-1)!;
    await queue.expireLeases(last.id);
    expect(await sweep()).toMatchObject({ edge: { rescued: '1' } });
    expect(await queue.job(last.id)).toMatchObject({ status: 'queued' });
  });

  it('rescues a job whose started_at was taken away by hand', async () => {
    const job = await queue.running();
    await queue.sql('update background_jobs set started_at = null where id = $1', [job.id]);
    await queue.expireLeases(job.id);
    expect(await sweep()).toMatchObject({ edge: { rescued: '1' } });
  });

  it.each([
    `update background_jobs set status = 'failed', failed_at = now() where id = $1`,
    `update background_jobs set lane = 'worker' where id = $1`,
    `update background_jobs set type = 'b' where id = $1`,
    `update background_jobs set run_at = run_at + interval '1 day' where id = $1`,
    `update background_jobs set priority = 7 where id = $1`,
    `insert into background_job_ready select lane, sort_at, gen_random_uuid(), run_at, expires_at, type
     from background_job_ready where id = $1`,
  ])('mends what an edit past the triggers left behind: %s', async (edit) => {
    const [id] = await queue.enqueue({ type: 'a' }, { type: 'a' });
    await queue.internally(edit, [id]);
    expect(await queue.sql('select * from check_background_jobs()')).not.toEqual([]);
    await sweep();
    expect(await queue.sql('select * from check_background_jobs()')).toEqual([]);
  });

  it('measures how long completed jobs of a type take', async () => {
    await queue.syncTypes({ type: 'test/job' });
    for (let n = 1; n <= 20; n++) {
      const job = await queue.running();
      await queue.sql(`update background_jobs set status = 'completed', duration_ms = $2 where id = $1`, [
        job.id,
        n * 1000,
      ]);
    }
    await sweep();
    expect(await queue.value('select p95_duration_ms from job_types')).toBe('19000');
    await queue.enqueue({ type: 'test/job' });
    expect(await queue.claim({ fitSeconds: 18 })).toEqual([]);
    expect(await queue.claim({ fitSeconds: 19 })).toHaveLength(1);
  });
});
