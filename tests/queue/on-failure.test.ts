import { beforeEach, describe, expect, it } from 'vitest';
import { lease, useQueue } from './test-queue.ts';

const queue = useQueue();

beforeEach(async () => {
  await queue.syncTypes(
    { type: 'heard', has_on_failure: true },
    { type: 'unheard' },
    { type: 'system/job.failed', has_on_failure: true },
  );
});

/** What `system/job.failed` was started with, in the order of the failures. */
async function told(): Promise<Record<string, unknown>[]> {
  const rows = await queue.sql<{ payload: Record<string, unknown> }>(
    `select payload from background_jobs where type = 'system/job.failed' order by id`,
  );
  return rows.map(({ payload }) => payload);
}

describe('a failed job whose type has an onFailure', () => {
  it('starts system/job.failed with what is known of the failure', async () => {
    const job = await queue.running({ type: 'heard', payload: { order: 7 } });
    await queue.fail(job, { retryable: false });
    expect(await told()).toEqual([
      {
        jobId: job.id,
        type: 'heard',
        error: 'boom',
        reason: 'non_retryable',
        retryCount: 0,
        failedAt: expect.stringMatching(/T.*Z$/) as string,
      },
    ]);
    expect(await queue.value('select get_job_payload($1)', [job.id])).toEqual({ order: 7 });
  });

  it('starts it in the same transaction', async () => {
    const job = await queue.running({ type: 'heard' });
    const worker = await queue.connect();
    await worker.query('begin');
    await worker.query(`select fail_background_job($1, $2, '{"message": "boom"}', false)`, [
      job.id,
      job.lease_token,
    ]);
    await worker.query('rollback');
    expect(await told()).toEqual([]);
    expect(await queue.job(job.id)).toMatchObject({ status: 'processing' });
  });

  it('starts it however the job failed: crashed, expired, by a parent, by hand, undelivered', async () => {
    const crashed = await queue.running({ type: 'heard', max_retries: 0 });
    const [, , byHand] = await queue.enqueue(
      { type: 'heard', expires_at: '2020-01-01T00:00:00Z' },
      { type: 'heard', depends_on: [crashed.id], on_parent_failure: 'fail' },
      { type: 'heard' },
    );
    await queue.expireLeases(crashed.id);
    await queue.sql('select sweep_background_jobs()');
    await queue.sql(`update background_jobs set status = 'failed' where id = $1`, [byHand]);
    await queue.sql(
      `select record_failed_delivery('{"type": "heard", "idempotency_key": "e1"}', '{"message": "gone"}')`,
    );
    const reasons = (await told()).map(({ reason }) => reason);
    expect(reasons.toSorted()).toEqual([
      'crashed',
      'dependency_failed',
      'expired',
      'operator',
      'retries_spent',
    ]);
  });

  it('starts it once for each time it fails', async () => {
    const job = await queue.running({ type: 'heard' });
    for (let failures = 1; failures <= 3; failures++) {
      const [held] = failures === 1 ? [job] : await queue.claim({ types: ['heard'] });
      await queue.fail(held!, { retryable: false });
      expect(await told()).toHaveLength(failures);
      await queue.sql('select retry_failed_job($1)', [job.id]);
    }
  });

  it('starts nothing by a retry, a completion or a cancellation', async () => {
    const retried = await queue.running({ type: 'heard' });
    await queue.fail(retried, { retryAfter: 0 });
    const [again] = await queue.claim();
    await queue.complete(lease(again!));
    const [cancelled] = await queue.enqueue({ type: 'heard' });
    await queue.sql('select cancel_background_job($1)', [cancelled]);
    expect(await told()).toEqual([]);
  });

  it('is the last one: a failing system/job.failed starts nothing', async () => {
    const job = await queue.running({ type: 'heard' });
    await queue.fail(job, { retryable: false });
    const [handler] = await queue.claim();
    await queue.fail(handler!, { retryable: false });
    expect(await told()).toHaveLength(1);
  });
});

it('a failed job of another type starts nothing', async () => {
  const job = await queue.running({ type: 'unheard' });
  await queue.fail(job, { retryable: false });
  expect(await told()).toEqual([]);
});

it('a sweep tells all the failures that it brings about', async () => {
  const late = { type: 'heard', expires_at: '2020-01-01T00:00:00Z' };
  await queue.enqueue(...Array.from({ length: 200 }, () => late));
  await queue.sql('select sweep_background_jobs()');
  expect(new Set((await told()).map(({ jobId }) => jobId)).size).toBe(200);
});
