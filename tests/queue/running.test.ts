import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Claimed, lease, useQueue } from './test-queue.ts';

const queue = useQueue();

async function heartbeat(leases: unknown, seconds = 60): Promise<string[]> {
  const rows = await queue.sql<{ state: string }>('select * from heartbeat_background_jobs($1, $2)', [
    JSON.stringify(leases),
    seconds,
  ]);
  return rows.map(({ state }) => state);
}

async function saveStep(job: Claimed, name: string, output: unknown): Promise<boolean> {
  return await queue.value('select save_background_job_step($1, $2, $3, $4)', [
    job.id,
    job.lease_token,
    name,
    JSON.stringify(output),
  ]);
}

async function progress(job: Claimed, percent: number, message: string | null): Promise<boolean> {
  return await queue.value('select report_background_job_progress($1, $2, $3, $4)', [
    job.id,
    job.lease_token,
    percent,
    message,
  ]);
}

async function claimMany(count: number): Promise<Claimed[]> {
  await queue.enqueue(...Array.from({ length: count }, () => ({ type: 'a' })));
  return await queue.claim({ maxJobs: count });
}

const wrong = (job: Claimed) => ({ ...job, lease_token: randomUUID() });

describe('heartbeat_background_jobs', () => {
  it('renews leases, in input order, and says which are lost', async () => {
    const [one, two, three] = await claimMany(3);
    await queue.sql(`update background_jobs set status = 'queued' where id = $1`, [two?.id]);
    const states = await heartbeat(
      [
        lease(three!),
        lease(two!),
        lease(wrong(one!)),
        lease(one!),
        { job_id: randomUUID(), lease_token: randomUUID() },
      ],
      7200,
    );
    expect(states).toEqual(['continue', 'lost', 'lost', 'continue', 'lost']);
    const renewed = `select count(*)::int from background_jobs where lease_until > now() + interval '1 hour'`;
    expect(await queue.value(renewed)).toBe(2);
  });

  it('passes by a job that an open transaction holds: it is not lost, and the others are renewed', async () => {
    const [held, free] = await claimMany(2);
    const operator = await queue.connect();
    await operator.query('begin');
    await operator.query('update background_jobs set priority = 7 where id = $1', [held?.id]);
    expect(await heartbeat([lease(held!), lease(free!)], 7200)).toEqual(['continue', 'continue']);
    const renewed = `select id from background_jobs where lease_until > now() + interval '1 hour'`;
    expect(await queue.sql(renewed)).toEqual([{ id: free?.id }]);
    await operator.query('commit');
    expect(await heartbeat([lease(held!)], 7200)).toEqual(['continue']);
    expect(await queue.sql(renewed)).toHaveLength(2);
  });

  it('never shortens a lease', async () => {
    const job = await queue.running();
    await heartbeat([lease(job)], 7200);
    await heartbeat([lease(job)], 1);
    expect(await queue.value(`select lease_until > now() + interval '1 hour' from background_jobs`)).toBe(
      true,
    );
  });

  it('says cancel when that was requested', async () => {
    const job = await queue.running();
    await queue.sql('select cancel_background_job($1)', [job.id]);
    expect(await heartbeat([lease(job)])).toEqual(['cancel']);
  });

  it('keeps the lease of a job that no sweep has rescued', async () => {
    const job = await queue.running();
    await queue.expireLeases(job.id);
    expect(await heartbeat([lease(job)])).toEqual(['continue']);
    await queue.sql('select sweep_background_jobs()');
    expect(await queue.complete(lease(job))).toEqual([true]);
  });

  it('does not deadlock with a completion of the same jobs in opposite order', async () => {
    for (let round = 0; round < 5; round++) {
      const jobs = await claimMany(300);
      const leases = jobs.map((job) => lease(job));
      await Promise.all([
        heartbeat(leases),
        queue.complete(...leases.toReversed()),
        heartbeat(leases.toReversed()),
      ]);
    }
  });

  it.each([{}, [1], [{}], [{ job_id: 'x', lease_token: randomUUID() }], [{ job_id: randomUUID() }], null])(
    'refuses %j',
    async (leases) => {
      await expect(heartbeat(leases)).rejects.toMatchObject({ code: 'PT400' });
    },
  );
});

describe('complete_background_jobs', () => {
  it('gives up, and changes nothing, while an open transaction holds one of the jobs', async () => {
    const [held, free] = await claimMany(2);
    const operator = await queue.connect();
    await operator.query('begin');
    await operator.query('update background_jobs set priority = 7 where id = $1', [held?.id]);
    await expect(queue.complete(lease(held!), lease(free!))).rejects.toMatchObject({ code: '55P03' });
    expect(await queue.complete(lease(free!))).toEqual([true]);
    await operator.query('commit');
    expect(await queue.complete(lease(held!))).toEqual([true]);
  });

  it('ends jobs with their results, and answers in input order', async () => {
    const [one, two, three] = await claimMany(3);
    const accepted = await queue.complete(
      lease(three!, { result: [3] }),
      lease(wrong(two!)),
      lease(one!, { result: null }),
      lease(two!, { result: 'two' }),
    );
    expect(accepted).toEqual([true, false, true, true]);
    const rows = await queue.sql(
      'select status, result, lease_token, duration_ms >= 0 as timed, completed_at is not null as ended from background_jobs order by id',
    );
    expect(rows).toEqual(
      [null, 'two', [3]].map((result) => ({
        status: 'completed',
        result,
        lease_token: null,
        timed: true,
        ended: true,
      })),
    );
  });

  it('accepts a completion once', async () => {
    const job = await queue.running();
    expect(await queue.complete(lease(job, { result: 1 }))).toEqual([true]);
    expect(await queue.complete(lease(job, { result: 2 }))).toEqual([false]);
    expect(await queue.job(job.id)).toMatchObject({ result: 1 });
  });

  it('changes nothing when it comes after a rescue, and leaves the next attempt alone', async () => {
    const late = await queue.running();
    await queue.expireLeases(late.id);
    await queue.sql('select sweep_background_jobs()');
    expect(await queue.complete(lease(late, { result: 'late', enqueue: [{ type: 'b' }] }))).toEqual([false]);
    const [again] = await queue.sql<Claimed>(`select * from claim_background_job($1, 'w2', 60)`, [late.id]);
    expect(await queue.complete(lease(late))).toEqual([false]);
    expect(await heartbeat([lease(late)])).toEqual(['lost']);
    expect([await saveStep(late, 's', 1), await progress(late, 1, null), await queue.fail(late)]).toEqual([
      false,
      false,
      null,
    ]);
    expect(await queue.complete(lease(again!, { result: 'again' }))).toEqual([true]);
    expect(await queue.job(late.id)).toMatchObject({ result: 'again' });
    expect(await queue.value('select count(*)::int from background_jobs')).toBe(1);
  });

  it('tells the late completion of a job from the good one in the same call', async () => {
    const job = await queue.running();
    const accepted = await queue.complete(
      lease(wrong(job), { result: 'late', enqueue: [{ type: 'late' }] }),
      lease(job, { result: 'good', enqueue: [{ type: 'good' }] }),
    );
    expect(accepted).toEqual([false, true]);
    expect(await queue.value(`select jsonb_agg(type) from background_jobs where status = 'queued'`)).toEqual([
      'good',
    ]);
    expect(await queue.job(job.id)).toMatchObject({ result: 'good' });
  });

  it('queues the follow-ups of accepted completions with them', async () => {
    const [one, two] = await claimMany(2);
    await queue.complete(
      lease(one!, {
        enqueue: [
          { type: 'b', payload: 1 },
          { type: 'b', payload: 2 },
        ],
      }),
      lease(wrong(two!), { enqueue: [{ type: 'b', payload: 3 }] }),
      lease(two!, { enqueue: [] }),
    );
    expect((await queue.claim()).map(({ payload }) => payload)).toEqual([1, 2]);
  });

  it.each([
    [{ enqueue: [{ type: 'b' }, { nonsense: 1 }] }],
    [{ enqueue: { type: 'b' } }],
    [{ enqueue: 'b' }],
  ])('completes nothing when a follow-up is invalid: %j', async (more) => {
    const [one, two] = await claimMany(2);
    await expect(queue.complete(lease(one!), lease(two!, more))).rejects.toMatchObject({ code: 'PT400' });
    expect(await queue.value(`select count(*)::int from background_jobs where status = 'processing'`)).toBe(
      2,
    );
    expect(await queue.complete(lease(one!), lease(two!))).toEqual([true, true]);
  });

  it('queues more than 10,000 follow-ups of one batch', async () => {
    const [one, two] = await claimMany(2);
    const enqueue = Array.from({ length: 6000 }, () => ({ type: 'b' }));
    expect(await queue.complete(lease(one!, { enqueue }), lease(two!, { enqueue }))).toEqual([true, true]);
    expect(await queue.value(`select count(*)::int from background_job_ready`)).toBe(12_000);
  });

  it('completes a job whose cancel came too late', async () => {
    const job = await queue.running();
    await queue.sql('select cancel_background_job($1)', [job.id]);
    expect(await queue.complete(lease(job))).toEqual([true]);
    expect(await queue.job(job.id)).toMatchObject({ status: 'completed' });
  });

  it('completes jobs of several claims in one call, part by part', async () => {
    const jobs = [...(await claimMany(3)), ...(await claimMany(3))];
    for (const part of [
      [0, 3],
      [1, 5],
      [2, 4],
    ])
      expect(await queue.complete(...part.map((n) => lease(jobs[n]!)))).toEqual([true, true]);
    expect(await queue.sql('select * from background_job_leases')).toEqual([]);
  });

  it('survives a hand edit of started_at', async () => {
    const job = await queue.running();
    await queue.sql('update background_jobs set started_at = null where id = $1', [job.id]);
    expect(await queue.complete(lease(job))).toEqual([true]);
    expect(await queue.job(job.id)).toMatchObject({ status: 'completed', duration_ms: '0' });
  });
});

describe('save_background_job_step', () => {
  it('gives saved steps to the next slice, the newest output of each', async () => {
    const job = await queue.running();
    expect(await saveStep(job, 'one', { a: 1 })).toBe(true);
    expect(await saveStep(job, 'two', null)).toBe(true);
    expect(await saveStep(job, 'one', { a: 2 })).toBe(true);
    await queue.sql('select hand_off_background_job($1, $2)', [job.id, job.lease_token]);
    expect(await queue.claim()).toMatchObject([{ id: job.id, steps: { one: { a: 2 }, two: null } }]);
  });

  it('saves nothing without the lease, and refuses an empty name', async () => {
    const job = await queue.running();
    expect(await saveStep(wrong(job), 'one', 1)).toBe(false);
    expect(await queue.sql('select * from background_job_steps')).toEqual([]);
    await expect(saveStep(job, '', 1)).rejects.toMatchObject({ code: 'PT400' });
  });
});

describe('report_background_job_progress', () => {
  it('shows percent and message, clamped', async () => {
    const job = await queue.running();
    expect(await progress(job, 250, 'nearly')).toBe(true);
    expect(await queue.job(job.id)).toMatchObject({ progress: 100, progress_message: 'nearly' });
    expect(await progress(job, -1, null)).toBe(true);
    expect(await queue.job(job.id)).toMatchObject({ progress: 0 });
    expect(await progress(wrong(job), 50, null)).toBe(false);
  });
});
