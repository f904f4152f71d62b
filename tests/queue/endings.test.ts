import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Claimed, lease, useQueue } from './test-queue.ts';

const queue = useQueue();

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

async function snooze(
  job: Claimed,
  until: string | null,
  reason: string | null = 'later',
): Promise<string | null> {
  return await queue.value('select snooze_background_job($1, $2, $3, $4)', [
    job.id,
    job.lease_token,
    until,
    reason,
  ]);
}

async function handOff(job: Claimed): Promise<string | null> {
  return await queue.value('select hand_off_background_job($1, $2)', [job.id, job.lease_token]);
}

async function saveStep(job: Claimed): Promise<void> {
  await queue.sql(`select save_background_job_step($1, $2, 'step', '1')`, [job.id, job.lease_token]);
}

async function attempts(id: string): Promise<unknown[]> {
  return await queue.sql(
    `select number, outcome, worker, lane, error ->> 'message' as message, ended_at >= started_at as timed
     from background_job_attempts where job_id = $1 order by number`,
    [id],
  );
}

/** Seconds until the job's next attempt. */
async function wait(id: string): Promise<number> {
  return await queue.value(
    'select extract(epoch from run_at - clock_timestamp())::float from background_jobs where id = $1',
    [id],
  );
}

async function again(job: Claimed): Promise<Claimed> {
  const [next] = await queue.sql<Claimed>(`select * from claim_background_job($1, 'w2', 60)`, [job.id]);
  return next as Claimed;
}

describe('fail_background_job', () => {
  it('queues the job again and keeps the error', async () => {
    const job = await queue.running();
    expect(await queue.fail(job)).toBe('queued');
    expect(await queue.job(job.id)).toMatchObject({
      status: 'queued',
      retry_count: 1,
      error: 'boom',
      failed_at: null,
      lease_token: null,
    });
    expect((await again(job)).retry_count).toBe(1);
    expect(await queue.job(job.id)).toMatchObject({ error: 'boom' });
  });

  it.each([
    [0, 2],
    [1, 4],
    [4, 32],
    [8, 512],
    [9, 600],
    [500, 600],
  ])('waits after %i spent retries between the half and the whole of %i seconds', async (spent, seconds) => {
    for (let n = 0; n < 10; n++) {
      const job = await queue.running({ max_retries: 1000 });
      await queue.internally('update background_jobs set retry_count = $2 where id = $1', [job.id, spent]);
      await queue.fail(job);
      const left = await wait(job.id);
      expect(left).toBeLessThanOrEqual(seconds);
      expect(left).toBeGreaterThan(seconds / 2 - 60);
      await queue.sql('delete from background_jobs where id = $1', [job.id]);
    }
    const bounds = await queue.sql<{ least: number; most: number; differ: boolean }>(
      `select min(s)::float as least, max(s)::float as most, min(s) < max(s) as differ
         from (select extract(epoch from job_queue.backoff($1)) as s from generate_series(1, 200)) b`,
      [spent],
    );
    expect(bounds[0]?.least).toBeGreaterThanOrEqual(seconds / 2);
    expect(bounds[0]?.most).toBeLessThanOrEqual(seconds);
    expect(bounds[0]?.differ).toBe(true);
  });

  it('waits as long as the error asked for, even not at all', async () => {
    const job = await queue.running();
    await queue.fail(job, { retryAfter: 3600 });
    expect(await wait(job.id)).toBeGreaterThan(3500);
    const next = await again(job);
    await queue.fail(next, { retryAfter: 0 });
    expect(await queue.claim()).toHaveLength(1);
  });

  it('buries the job when its retries are spent, without raising retry_count', async () => {
    let job = await queue.running({ max_retries: 2 });
    const statuses = [await queue.fail(job, { error: { message: 'first' } })];
    job = await again(job);
    statuses.push(await queue.fail(job, { error: { message: 'second' } }));
    job = await again(job);
    statuses.push(await queue.fail(job, { error: { message: 'third' } }));
    expect(statuses).toEqual(['queued', 'queued', 'failed']);
    const row = await queue.job(job.id);
    expect(row).toMatchObject({ retry_count: 2, error: 'third', failure_reason: 'retries_spent' });
    expect(row.failed_at).toBeInstanceOf(Date);
    expect(await attempts(job.id)).toMatchObject([
      { number: 1, outcome: 'failed', worker: 'w1', message: 'first', timed: true },
      { number: 2, outcome: 'failed', worker: 'w2', message: 'second' },
      { number: 3, outcome: 'failed', worker: 'w2', message: 'third' },
    ]);
  });

  it('buries the job at once when the error is not retryable', async () => {
    const job = await queue.running();
    expect(await queue.fail(job, { retryable: false })).toBe('failed');
    expect(await queue.job(job.id)).toMatchObject({ retry_count: 0, failure_reason: 'non_retryable' });
  });

  it('calls a time-out a time-out', async () => {
    const job = await queue.running();
    await queue.fail(job, { error: { name: 'TimeoutError', message: 'too slow' } });
    expect(await attempts(job.id)).toMatchObject([{ outcome: 'timed_out', message: 'too slow' }]);
  });

  it.each([null, 'text', [], {}, { message: null }, 7])('takes %j for an error', async (error) => {
    const job = await queue.running();
    expect(await queue.fail(job, { error })).toBe('queued');
    expect(await attempts(job.id)).toMatchObject([{ outcome: 'failed' }]);
  });

  it('survives a hand edit of started_at', async () => {
    const job = await queue.running();
    await queue.sql('update background_jobs set started_at = null where id = $1', [job.id]);
    expect(await queue.fail(job)).toBe('queued');
  });

  it('counts the time of every slice', async () => {
    let job = await queue.running();
    for (let slice = 1; slice <= 2; slice++) {
      await queue.internally(
        `update background_jobs set started_at = clock_timestamp() - interval '10 s' where id = $1`,
        [job.id],
      );
      await queue.fail(job);
      const row = await queue.job(job.id);
      expect(Number(row.duration_ms)).toBeGreaterThanOrEqual(10_000);
      expect(Number(row.active_ms)).toBeGreaterThanOrEqual(slice * 10_000);
      job = await again(job);
    }
  });
});

describe('snooze_background_job', () => {
  it('waits a second at least, so that a host whose clock is behind does not make the job spin', async () => {
    const job = await queue.running();
    const before = await queue.value<Date>('select clock_timestamp()');
    expect(await snooze(job, '2020-01-01T00:00:00Z')).toBe('queued');
    const { run_at: runAt } = (await queue.job(job.id)) as { run_at?: unknown };
    expect((runAt as Date).getTime()).toBeGreaterThanOrEqual(before.getTime() + 999);
  });

  it('queues the job for later and spends no retry', async () => {
    const job = await queue.running();
    expect(await snooze(job, inAnHour())).toBe('queued');
    expect(await queue.job(job.id)).toMatchObject({ retry_count: 0, error: null });
    expect(await wait(job.id)).toBeGreaterThan(3500);
    expect(await attempts(job.id)).toMatchObject([{ outcome: 'snoozed', message: 'later' }]);
  });

  it('moves an inline job to the edge lane', async () => {
    const [begun] = await queue.sql<Claimed>(
      `select * from begin_background_job('{"type": "a"}', 'run', 60)`,
    );
    expect(await snooze(begun!, new Date().toISOString())).toBe('queued');
    await queue.sql('update background_jobs set run_at = now() where id = $1', [begun!.id]);
    expect(await queue.claim({ lane: 'edge' })).toHaveLength(1);
  });

  it('keeps the error of an earlier attempt', async () => {
    const job = await queue.running();
    await queue.fail(job);
    await snooze(await again(job), inAnHour());
    expect(await queue.job(job.id)).toMatchObject({ error: 'boom' });
  });

  it('fails a job that expires before it would run again', async () => {
    const job = await queue.running({ expires_at: new Date(Date.now() + 60_000).toISOString() });
    expect(await snooze(job, inAnHour())).toBe('failed');
    expect(await queue.job(job.id)).toMatchObject({ failure_reason: 'expired', error: 'later' });
  });

  it('refuses a missing or an infinite time', async () => {
    const job = await queue.running();
    await expect(snooze(job, null)).rejects.toMatchObject({ code: 'PT400' });
    await expect(snooze(job, 'infinity')).rejects.toMatchObject({ code: 'PT400' });
  });
});

describe('hand_off_background_job', () => {
  it('is free when a step was saved since the claim, and keeps the place in line', async () => {
    const job = await queue.running();
    const before = await queue.job(job.id);
    await saveStep(job);
    expect(await handOff(job)).toBe('queued');
    expect(await queue.job(job.id)).toMatchObject({ retry_count: 0, run_at: before.run_at, error: null });
    expect(await attempts(job.id)).toMatchObject([{ outcome: 'handed_off' }]);
    expect(await queue.claim()).toMatchObject([{ id: job.id, steps: { step: 1 } }]);
  });

  it('spends a retry when no step was saved since the claim', async () => {
    const job = await queue.running({ max_retries: 1 });
    await saveStep(job);
    await handOff(job);
    const second = await again(job);
    expect(await handOff(second)).toBe('queued');
    expect(await queue.job(job.id)).toMatchObject({ retry_count: 1 });
    expect(await handOff(await again(job))).toBe('failed');
    expect(await queue.job(job.id)).toMatchObject({ retry_count: 1, failure_reason: 'retries_spent' });
    expect(await attempts(job.id)).toMatchObject([
      { outcome: 'handed_off' },
      { outcome: 'timed_out' },
      { outcome: 'timed_out' },
    ]);
  });
});

describe('every way to end an attempt', () => {
  const endings: Record<string, (job: Claimed) => Promise<unknown>> = {
    fail: (job) => queue.fail(job),
    'fail for good': (job) => queue.fail(job, { retryable: false }),
    snooze: (job) => snooze(job, inAnHour()),
    'snooze without end': (job) => snooze(job, '2099-01-01T00:00:00Z'),
    'hand off': (job) => handOff(job),
    'hand off after a step': async (job) => {
      await saveStep(job);
      return await handOff(job);
    },
  };
  const names = Object.keys(endings);

  it.each(names)('%s: cancelled, when that was requested', async (name) => {
    const job = await queue.running();
    await queue.sql(`select cancel_background_job($1, 'enough')`, [job.id]);
    expect(await endings[name]?.(job)).toBe('cancelled');
    expect(await queue.job(job.id)).toMatchObject({ status: 'cancelled', retry_count: 0, lease_token: null });
    expect(await attempts(job.id)).toMatchObject([{ outcome: 'cancelled' }]);
    expect(await queue.claim()).toEqual([]);
  });

  it.each(names)('%s: nothing with the wrong token or for an unknown job', async (name) => {
    const job = await queue.running();
    const before = await queue.job(job.id);
    expect(await endings[name]?.({ ...job, lease_token: randomUUID() })).toBeNull();
    expect(await endings[name]?.({ ...job, id: randomUUID() })).toBeNull();
    expect(await queue.job(job.id)).toEqual(before);
    expect(await attempts(job.id)).toEqual([]);
  });

  it.each(names)('%s: nothing after a hand edit or a second time', async (name) => {
    const [edited, ended] = [await queue.running(), await queue.running()];
    await queue.sql(`update background_jobs set status = 'failed', error = 'by hand' where id = $1`, [
      edited.id,
    ]);
    const before = await queue.job(edited.id);
    expect(await endings[name]?.(edited)).toBeNull();
    expect(await queue.job(edited.id)).toEqual(before);
    expect(await endings[name]?.(ended)).not.toBeNull();
    expect(await endings[name]?.(ended)).toBeNull();
    expect(await queue.complete(lease(ended))).toEqual([false]);
  });
});
