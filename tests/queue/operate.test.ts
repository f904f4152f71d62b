import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { lease, type Claimed, useQueue } from './test-queue.ts';

const queue = useQueue();

async function failed(job: Record<string, unknown> = {}): Promise<Claimed> {
  const running = await queue.running(job);
  await queue.fail(running, { retryable: false });
  return running;
}

describe('retry_failed_job', () => {
  it('queues a failed job at once, counts a retry, and keeps its error and attempts', async () => {
    const job = await failed();
    expect(await queue.value('select retry_failed_job($1)', [job.id])).toBe(true);
    expect(await queue.job(job.id)).toMatchObject({
      status: 'queued',
      retry_count: 1,
      failed_at: null,
      failure_reason: null,
      error: 'boom',
    });
    expect(await queue.value('select count(*)::int from background_job_attempts')).toBe(1);
    expect(await queue.claim()).toMatchObject([{ id: job.id, retry_count: 1 }]);
  });

  it('says false for a job that is not failed or does not exist', async () => {
    const running = await queue.running();
    for (const id of [running.id, randomUUID(), null])
      expect(await queue.value('select retry_failed_job($1)', [id])).toBe(false);
    expect(await queue.complete(lease(running))).toEqual([true]);
    expect(await queue.value('select retry_failed_job($1, true)', [running.id])).toBe(false);
  });

  it('says false and how to force it when the retries are spent', async () => {
    const job = await failed({ max_retries: 0 });
    const client = await queue.connect();
    const notices: string[] = [];
    client.on('notice', ({ message }) => notices.push(message ?? ''));
    expect(await queue.value('select retry_failed_job($1)', [job.id], client)).toBe(false);
    expect(notices).toEqual([expect.stringContaining('force')]);
    expect(await queue.value('select retry_failed_job(job_id => $1, force => true)', [job.id], client)).toBe(
      true,
    );
    const [again] = await queue.claim();
    expect(again).toMatchObject({ id: job.id, retry_count: 1 });
    expect(await queue.fail(again!)).toBe('failed');
  });

  it('works over a set of rows', async () => {
    for (let n = 0; n < 3; n++) await failed({ payload: n, max_retries: n });
    const answers = await queue.sql<{ retried: boolean }>(
      `select retry_failed_job(id) as retried from background_jobs where status = 'failed' order by id`,
    );
    expect(answers.map(({ retried }) => retried)).toEqual([false, true, true]);
    expect(await queue.claim()).toHaveLength(2);
  });

  it('retries once when two ask at once', async () => {
    const job = await failed();
    const answers = await Promise.all(
      [1, 2, 3].map(() => queue.value('select retry_failed_job($1)', [job.id])),
    );
    expect(answers.filter((answer) => answer === true)).toHaveLength(1);
    expect(await queue.job(job.id)).toMatchObject({ retry_count: 1 });
  });

  it('lets an expired job run', async () => {
    const [id] = await queue.enqueue({ type: 'a', expires_at: '2001-01-01T00:00:00Z' });
    await queue.sql('select sweep_background_jobs()');
    expect(await queue.value('select retry_failed_job($1)', [id])).toBe(true);
    expect(await queue.claim()).toHaveLength(1);
  });

  it('sends a failed inline job to the edge lane', async () => {
    const [begun] = await queue.sql<Claimed>(
      `select * from begin_background_job('{"type": "a"}', 'run', 60)`,
    );
    await queue.fail(begun!, { retryable: false });
    await queue.sql('select retry_failed_job($1)', [begun?.id]);
    expect(await queue.claim({ lane: 'edge' })).toHaveLength(1);
  });
});

describe('cancel_background_job', () => {
  it('cancels a waiting job at once', async () => {
    const [id] = await queue.enqueue({ type: 'a' });
    expect(await queue.value(`select cancel_background_job($1, 'not needed')`, [id])).toBe(true);
    expect(await queue.job(id!)).toMatchObject({ status: 'cancelled', cancel_reason: 'not needed' });
    expect(await queue.claim()).toEqual([]);
  });

  it('asks a running job to stop, and keeps the first reason', async () => {
    const job = await queue.running();
    expect(await queue.value(`select cancel_background_job($1, 'first')`, [job.id])).toBe(true);
    expect(await queue.value(`select cancel_background_job($1, 'second')`, [job.id])).toBe(true);
    expect(await queue.job(job.id)).toMatchObject({ status: 'processing', cancel_reason: 'first' });
  });

  it('cancels a job that died after it was asked to stop', async () => {
    const job = await queue.running();
    await queue.sql('select cancel_background_job($1)', [job.id]);
    await queue.expireLeases(job.id);
    await queue.sql('select sweep_background_jobs()');
    expect(await queue.job(job.id)).toMatchObject({ status: 'cancelled' });
  });

  it('says false for a job that has ended or does not exist', async () => {
    const job = await failed();
    expect(await queue.value('select cancel_background_job($1)', [job.id])).toBe(false);
    expect(await queue.value('select cancel_background_job($1)', [randomUUID()])).toBe(false);
  });

  it('asks the attempt to stop when the job is being claimed', async () => {
    const [id] = await queue.enqueue({ type: 'a' });
    const claimer = await queue.connect();
    await claimer.query('begin');
    const [job] = await queue.claim({}, claimer);
    const operator = await queue.connect();
    const answer = queue.value('select cancel_background_job($1)', [id], operator);
    await queue.untilBlocked(operator, claimer);
    await claimer.query('commit');
    expect(await answer).toBe(true);
    expect(await queue.fail(job!)).toBe('cancelled');
  });
});

describe('get_background_job', () => {
  it('answers the state of a job, and nothing for an unknown one', async () => {
    const job = await queue.running();
    await queue.complete(lease(job, { result: { n: 1 } }));
    const rows = await queue.sql('select * from get_background_job($1)', [job.id]);
    expect(rows).toMatchObject([
      {
        id: job.id,
        type: 'test/job',
        status: 'completed',
        lane: 'edge',
        result: { n: 1 },
        error: null,
        retry_count: 0,
      },
    ]);
    expect(Object.keys(rows[0] as object)).toEqual([
      'id',
      'type',
      'status',
      'lane',
      'result',
      'error',
      'retry_count',
      'max_retries',
      'duration_ms',
      'run_at',
      'progress',
      'progress_message',
    ]);
    expect(await queue.sql('select * from get_background_job($1)', [randomUUID()])).toEqual([]);
  });
});
