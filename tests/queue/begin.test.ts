import { describe, expect, it } from 'vitest';
import { type Claimed, useQueue } from './test-queue.ts';

const queue = useQueue();

interface Begun {
  id: string;
  lease_token: string | null;
  run: boolean;
  status: string;
  result: unknown;
  lane: string;
}

async function begin(job: Record<string, unknown> = {}, worker = 'run-1', leaseSeconds = 60): Promise<Begun> {
  const [row] = await queue.sql<Begun>('select * from begin_background_job($1, $2, $3)', [
    JSON.stringify({ type: 'a', idempotency_key: 'k', inngest_run_id: 'run-1', ...job }),
    worker,
    leaseSeconds,
  ]);
  return row as Begun;
}

function held({ id, lease_token }: Begun): Claimed {
  return { id, lease_token } as Claimed;
}

describe('begin_background_job', () => {
  it('records a new job as running inline, and gives the lease to the caller', async () => {
    const begun = await begin({ payload: { x: 1 } });
    expect(begun).toMatchObject({ run: true, status: 'processing', result: null, lane: 'inline' });
    expect(await queue.job(begun.id)).toMatchObject({
      status: 'processing',
      lane: 'inline',
      payload: { x: 1 },
      lease_token: begun.lease_token,
    });
    expect(await queue.complete({ job_id: begun.id, lease_token: begun.lease_token, result: 7 })).toEqual([
      true,
    ]);
  });

  it('answers a run that comes back for its next step with the same token and a renewed lease', async () => {
    const first = await begin({}, 'run-1', 10);
    const again = await begin({}, 'run-1', 3600);
    expect(again).toEqual(first);
    expect(
      await queue.value(
        `select lease_until > now() + interval '50 minutes' from background_jobs where id = $1`,
        [first.id],
      ),
    ).toBe(true);
  });

  it.each([`select pause_job_type('a')`, `select set_job_lane('a', 'edge')`])(
    'lets a run that has begun go on after %s',
    async (change) => {
      await queue.syncTypes({ type: 'a', lane: 'inline' });
      const first = await begin();
      await queue.sql(change);
      expect(await begin()).toEqual(first);
      expect(await begin({}, 'run-2')).toMatchObject({ run: false, status: 'processing', lease_token: null });
    },
  );

  it('runs a job for one of two workers', async () => {
    const first = await begin({}, 'run-1');
    expect(await begin({}, 'run-2')).toEqual({ ...first, run: false, lease_token: null });
  });

  it('runs a job for exactly one of five workers at once', async () => {
    const answers = await Promise.all([1, 2, 3, 4, 5].map((n) => begin({}, `run-${n}`)));
    expect(answers.filter(({ run }) => run)).toHaveLength(1);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  });

  it('gives each job without a key a row of its own', async () => {
    const [one, two] = [await begin({ idempotency_key: null }), await begin({ idempotency_key: null })];
    expect(one.id).not.toBe(two.id);
  });

  it('answers with the result of a job that is done', async () => {
    const first = await begin();
    await queue.complete({ job_id: first.id, lease_token: first.lease_token, result: { n: 1 } });
    expect(await begin({ inngest_run_id: 'run-9' })).toEqual({
      id: first.id,
      run: false,
      lease_token: null,
      status: 'completed',
      result: { n: 1 },
      lane: 'inline',
    });
  });

  it('takes a job again whose attempt failed, whatever its backoff, by any worker', async () => {
    const first = await begin();
    expect(await queue.fail(held(first), { retryAfter: 3600 })).toBe('queued');
    const second = await begin({}, 'run-2');
    expect(second).toMatchObject({ id: first.id, run: true, status: 'processing' });
    expect(second.lease_token).not.toBe(first.lease_token);
    expect(await queue.job(first.id)).toMatchObject({ retry_count: 1, error: 'boom' });
  });

  it('takes a failed inline job again while a sweep is looking at the queue', async () => {
    const first = await begin();
    await queue.fail(held(first));
    const sweep = await queue.connect();
    await sweep.query('begin');
    await sweep.query('select sweep_background_jobs()');
    expect(await begin()).toMatchObject({ run: true });
  });

  it('does not run a job whose retries are spent, but does when its event is replayed', async () => {
    const first = await begin({ max_retries: 0 });
    expect(await queue.fail(held(first))).toBe('failed');
    expect(await begin()).toMatchObject({ run: false, status: 'failed' });
    expect(await begin({ inngest_run_id: 'run-2' }, 'run-2')).toMatchObject({ id: first.id, run: true });
    expect(await queue.job(first.id)).toMatchObject({
      retry_count: 0,
      failed_at: null,
      failure_reason: null,
    });
  });

  it('rescues a job whose lease expired to the edge lane, when another worker asks', async () => {
    const first = await begin();
    await queue.expireLeases(first.id);
    expect(await begin({}, 'run-2')).toMatchObject({
      id: first.id,
      run: false,
      lease_token: null,
      status: 'queued',
      lane: 'edge',
    });
    expect(await queue.job(first.id)).toMatchObject({ retry_count: 1 });
    expect(await queue.fail(held(first))).toBeNull();
  });

  it('lets the worker itself go on when its lease expired and nobody noticed', async () => {
    const first = await begin();
    await queue.expireLeases(first.id);
    expect(await begin()).toEqual(first);
    expect(await queue.sql('select * from stuck_jobs')).toEqual([]);
  });

  it('queues the job instead when its type was moved to another lane', async () => {
    await queue.syncTypes({ type: 'a', lane: 'inline' });
    await queue.sql(`select set_job_lane('a', 'worker')`);
    expect(await begin()).toMatchObject({ run: false, lease_token: null, status: 'queued', lane: 'worker' });
    expect(await queue.claim({ lane: 'worker' })).toHaveLength(1);
  });

  it('queues the job instead when its type is paused', async () => {
    await queue.syncTypes({ type: 'a', lane: 'inline' });
    await queue.sql(`select pause_job_type('a')`);
    expect(await begin()).toMatchObject({ run: false, status: 'queued', lane: 'edge' });
  });

  it('does not run a job that waits on, runs on or has ended on another lane', async () => {
    const [id] = await queue.enqueue({ type: 'a', idempotency_key: 'k' });
    expect(await begin()).toMatchObject({ id, run: false, status: 'queued', lane: 'edge' });
    const [job] = await queue.claim();
    expect(await begin()).toMatchObject({ id, run: false, status: 'processing' });
    await queue.complete({ job_id: id, lease_token: job?.lease_token });
    expect(await begin()).toMatchObject({ id, run: false, status: 'completed' });
  });

  it('queues a job again that failed on another lane, when its event is replayed', async () => {
    const job = await queue.running({ type: 'a', idempotency_key: 'k', inngest_run_id: 'run-1' });
    await queue.fail(job, { retryable: false });
    expect(await begin()).toMatchObject({ run: false, status: 'failed' });
    expect(await begin({ inngest_run_id: 'run-2' }, 'run-2')).toMatchObject({
      id: job.id,
      run: false,
      status: 'queued',
      lane: 'edge',
    });
    expect(await queue.claim()).toHaveLength(1);
  });

  it('refuses what enqueue refuses, and leaves nothing behind', async () => {
    await expect(begin({ colour: 'red' })).rejects.toMatchObject({ code: 'PT400' });
    await expect(begin({ payload: 'x'.repeat(1_048_576) })).rejects.toMatchObject({ code: 'PT413' });
    await expect(begin({}, '')).rejects.toMatchObject({ code: 'PT400' });
    await expect(begin({}, 'w', 0)).rejects.toMatchObject({ code: 'PT400' });
    await expect(queue.sql(`select begin_background_job(null, 'w', 60)`)).rejects.toMatchObject({
      code: 'PT400',
    });
    expect(await queue.value('select count(*)::int from background_jobs')).toBe(0);
  });

  it('reads whole numbers however JSON writes them', async () => {
    const [{ id } = { id: '' }] = await queue.sql<{ id: string }>(
      `select * from begin_background_job('{"type": "a", "priority": 2.0, "timeout_seconds": 7.0}', 'w', 60)`,
    );
    expect(await queue.job(id)).toMatchObject({ priority: 2, timeout_seconds: 7 });
  });
});
