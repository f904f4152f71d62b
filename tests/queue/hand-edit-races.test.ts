import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { lease, useQueue } from './test-queue.ts';

const queue = useQueue();

/** What an operator does to a waiting job, and whether the edge lane may run it afterwards. */
const edits: [string, boolean][] = [
  [`update background_jobs set status = 'failed' where id = $1`, false],
  [`update background_jobs set status = 'cancelled' where id = $1`, false],
  [`update background_jobs set status = 'completed' where id = $1`, false],
  [`update background_jobs set status = 'processing' where id = $1`, false],
  [`update background_jobs set run_at = now() + interval '1 hour' where id = $1`, false],
  [`update background_jobs set run_at = now() - interval '1 hour' where id = $1`, true],
  [`update background_jobs set priority = 9 where id = $1`, true],
  [`update background_jobs set priority = -9 where id = $1`, true],
  [`update background_jobs set lane = 'worker' where id = $1`, false],
  [`update background_jobs set type = 'other' where id = $1`, true],
  [`update background_jobs set concurrency_key = 'k', concurrency_limit = 1 where id = $1`, true],
  [`update background_jobs set expires_at = now() - interval '1 second' where id = $1`, false],
  [`delete from background_jobs where id = $1`, false],
];

async function open(): Promise<pg.PoolClient> {
  const client = await queue.connect();
  await client.query('begin');
  return client;
}

async function claimed(id: string | undefined): Promise<boolean> {
  return (await queue.claim()).some((job) => job.id === id);
}

describe.each(edits)('%s', (edit, runnable) => {
  it.each(['commit', 'rollback'])('open while a claim comes by, then %s', async (ending) => {
    const [id] = await queue.enqueue({ type: 'a' });
    const operator = await open();
    await operator.query(edit, [id]);
    expect(await queue.claim()).toEqual([]);
    await operator.query(ending);
    expect(await queue.sql('select * from check_background_jobs()')).toEqual([]);
    expect(await claimed(id)).toBe(ending === 'rollback' || runnable);
  });

  it.each(['commit', 'rollback'])('waiting for an open claim of the job that will %s', async (ending) => {
    const [id] = await queue.enqueue({ type: 'a' });
    const claimer = await open();
    const [job] = await queue.claim({}, claimer);
    const operator = await queue.connect();
    const edited = operator.query(edit, [id]);
    await queue.untilBlocked(operator, claimer);
    await claimer.query(ending);
    await edited;
    expect(await queue.sql('select * from check_background_jobs()')).toEqual([]);
    if (ending === 'rollback') expect(await claimed(id)).toBe(runnable);
    else expect(await claimed(id)).toBe(false);
    const row = await queue.job(id!);
    const held = row?.lease_token === job?.lease_token;
    expect(await queue.complete(lease(job!))).toEqual([held]);
  });

  it('while a claim that dies holds the ready row only', async () => {
    const [id] = await queue.enqueue({ type: 'a' });
    const claimer = await open();
    await claimer.query('select from background_job_ready where id = $1 for update', [id]);
    const operator = await queue.connect();
    const edited = operator.query(edit, [id]);
    await queue.untilBlocked(operator, claimer);
    await claimer.query('rollback');
    await edited;
    expect(await queue.sql('select * from check_background_jobs()')).toEqual([]);
    expect(await claimed(id)).toBe(runnable);
  });

  it('begun on a job whose row is locked already, while a claim waits for it', async () => {
    const [id] = await queue.enqueue({ type: 'a' });
    const operator = await open();
    await operator.query('select from background_jobs where id = $1 for update', [id]);
    const claim = queue.claim();
    await operator.query(edit, [id]);
    await operator.query('commit');
    const taken = (await claim).some((job) => job.id === id);
    expect(await queue.sql('select * from check_background_jobs()')).toEqual([]);
    if (!runnable) expect(taken).toBe(false);
    else if (!taken) expect(await claimed(id)).toBe(true);
  });

  it('while a sweep looks at the queue', async () => {
    const [id] = await queue.enqueue({ type: 'a' });
    const sweep = await open();
    await sweep.query('select sweep_background_jobs()');
    const operator = await open();
    await operator.query(edit, [id]);
    await operator.query('commit');
    await sweep.query('commit');
    expect(await claimed(id)).toBe(runnable);
  });
});

describe('many hands at once', () => {
  it('edit, delete, claim and complete the same jobs without a deadlock', async () => {
    const ids = await queue.enqueue(
      ...Array.from({ length: 200 }, () => ({ type: 'a', concurrency_key: 'k', concurrency_limit: 50 })),
    );
    let working = 2;
    const worker = async (name: string) => {
      for (let idle = 0; idle < 5;) {
        const jobs = await queue.claim({ worker: name, maxJobs: 10 });
        if (jobs.length === 0) idle++;
        await queue.complete(...jobs.map((job) => lease(job)));
      }
      working--;
    };
    const operator = async () => {
      for (let n = 0; working > 0; n++) {
        const id = ids[(n * 37) % ids.length];
        await queue.sql(`update background_jobs set priority = $2 where status = 'queued' and id <> $1`, [
          id,
          n % 3,
        ]);
        await queue.sql(`update background_jobs set status = 'failed' where id = $1`, [id]);
        await queue.sql('select sweep_background_jobs()');
      }
    };
    await Promise.all([worker('w1'), worker('w2'), operator()]);
    expect(await queue.sql('select * from check_background_jobs()')).toEqual([]);
  });
});
