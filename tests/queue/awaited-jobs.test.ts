import { beforeEach, describe, expect, it } from 'vitest';
import { lease, useQueue } from './test-queue.ts';

const queue = useQueue();

beforeEach(async () => {
  await queue.syncTypes(
    { type: 'awaited', awaits_completion: true },
    { type: 'unawaited' },
    { type: 'system/job.finished', awaits_completion: true },
  );
});

/** What `system/job.finished` was started with, in the order of the ends. */
async function told(): Promise<Record<string, unknown>[]> {
  const rows = await queue.sql<{ payload: Record<string, unknown> }>(
    `select payload from background_jobs where type = 'system/job.finished' order by id`,
  );
  return rows.map(({ payload }) => payload);
}

describe('the end of an awaited job', () => {
  it('starts system/job.finished: completed, failed, cancelled, by hand', async () => {
    const completed = await queue.running({ type: 'awaited', payload: { order: 7 } });
    const failed = await queue.running({ type: 'awaited' });
    await queue.complete(lease(completed));
    await queue.fail(failed, { retryable: false });
    const [cancelled, byHand] = await queue.enqueue({ type: 'awaited' }, { type: 'awaited' });
    await queue.sql('select cancel_background_job($1)', [cancelled]);
    await queue.sql(`update background_jobs set status = 'failed' where id = $1`, [byHand]);
    expect(await told()).toEqual([
      { jobId: completed.id, type: 'awaited', status: 'completed' },
      { jobId: failed.id, type: 'awaited', status: 'failed' },
      { jobId: cancelled, type: 'awaited', status: 'cancelled' },
      { jobId: byHand, type: 'awaited', status: 'failed' },
    ]);
  });

  it('starts it in the same transaction', async () => {
    const job = await queue.running({ type: 'awaited' });
    const worker = await queue.connect();
    await worker.query('begin');
    await worker.query(`select fail_background_job($1, $2, '{"message": "boom"}', false)`, [
      job.id,
      job.lease_token,
    ]);
    await worker.query('rollback');
    expect(await told()).toEqual([]);
  });

  it('is announced again when it ends again, and not by a retry', async () => {
    const job = await queue.running({ type: 'awaited' });
    await queue.fail(job, { retryable: false });
    await queue.sql('select retry_failed_job($1)', [job.id]);
    const [again] = await queue.claim({ types: ['awaited'] });
    await queue.fail(again!, { retryAfter: 0 });
    const [third] = await queue.claim({ types: ['awaited'] });
    await queue.complete(lease(third!));
    expect((await told()).map(({ status }) => status)).toEqual(['failed', 'completed']);
  });

  it('announces itself only: neither a deletion nor the end of system/job.finished does', async () => {
    const job = await queue.running({ type: 'awaited' });
    await queue.complete(lease(job));
    const [announcement] = await queue.claim();
    await queue.complete(lease(announcement!));
    await queue.sql('delete from background_jobs where id = $1', [job.id]);
    expect(await told()).toHaveLength(1);
  });
});

it('the end of another job starts nothing', async () => {
  await queue.complete(lease(await queue.running({ type: 'unawaited' })));
  expect(await told()).toEqual([]);
});
