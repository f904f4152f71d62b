import { describe, expect, it } from 'vitest';
import { lease, useQueue } from './test-queue.ts';

const queue = useQueue();

/** Two completed jobs of 100 and 300 ms, one failed, one running, one due, one for later. */
async function aDay(): Promise<void> {
  for (const duration of [100, 300]) {
    const job = await queue.running();
    await queue.sql(`update background_jobs set status = 'completed', duration_ms = $2 where id = $1`, [
      job.id,
      duration,
    ]);
  }
  await queue.fail(await queue.running(), { retryable: false });
  await queue.running();
  await queue.enqueue(
    { type: 'waiting' },
    { type: 'waiting', run_at: new Date(Date.now() + 3_600_000).toISOString() },
  );
}

describe('get_job_statistics_summary', () => {
  it('shows the queue at a glance', async () => {
    await aDay();
    const rows = await queue.sql<{ metric: string; value: string }>(
      'select * from get_job_statistics_summary()',
    );
    const summary = Object.fromEntries(rows.map(({ metric, value }) => [metric, value]));
    expect(summary).toMatchObject({
      'Total jobs (24 h)': '6',
      Queued: '2',
      Processing: '1',
      'Completed (24 h)': '2',
      'Failed (24 h)': '1',
      'Dead letter': '1',
      'Success rate (24 h)': '66.7 %',
      'Average duration': '200 ms',
      'p50 duration': '100 ms',
      'p95 duration': '300 ms',
    });
    expect(summary['Average wait']).toMatch(/^\d+ ms$/);
    expect(summary['p95 wait']).toMatch(/^\d+ ms$/);
    expect(summary['Oldest queued']).toMatch(/^\d+ s$/);
  });

  it('has words for an empty queue', async () => {
    const values = await queue.sql<{ value: string | null }>(
      'select value from get_job_statistics_summary()',
    );
    expect(values.map(({ value }) => value)).toEqual([
      '0',
      '0',
      '0',
      '0',
      '0',
      '0',
      'no finished job',
      'no finished job',
      'no finished job',
      'no finished job',
      'no started job',
      'no started job',
      'nothing due',
    ]);
  });

  it('counts running jobs truly after hand edits', async () => {
    await queue.enqueue({ type: 'a' }, { type: 'a' }, { type: 'a' });
    const [one] = await queue.claim();
    await queue.sql(`update background_jobs set status = 'failed' where id = $1`, [one?.id]);
    expect(
      await queue.value(`select value from get_job_statistics_summary() where metric = 'Processing'`),
    ).toBe('2');
  });
});

describe('the views', () => {
  it('job_statistics has one row per type, also for a type without a finished job', async () => {
    await aDay();
    expect(await queue.sql('select * from job_statistics order by type')).toMatchObject([
      {
        type: 'test/job',
        queued: '0',
        processing: '1',
        completed: '2',
        failed: '1',
        cancelled: '0',
        success_rate: '66.7',
        avg_duration_ms: '200',
        min_duration_ms: '100',
        max_duration_ms: '300',
        p50_duration_ms: '100',
        p95_duration_ms: '300',
      },
      { type: 'waiting', queued: '2', completed: '0', success_rate: null, avg_duration_ms: null },
    ]);
    expect(
      await queue.sql(
        'select type, created, completed, failed from job_statistics_hourly where completed > 0',
      ),
    ).toMatchObject([{ type: 'test/job' }]);
  });

  it('queue_depth counts what waits, and what is due', async () => {
    await aDay();
    expect(await queue.sql('select lane, type, queued, due from queue_depth')).toEqual([
      { lane: 'edge', type: 'waiting', queued: '2', due: '1' },
    ]);
  });

  it('dead_letter_jobs shows failed jobs with their attempts, until they are retried', async () => {
    await aDay();
    expect(await queue.sql('select type, failure_reason, error, attempts from dead_letter_jobs')).toEqual([
      { type: 'test/job', failure_reason: 'non_retryable', error: 'boom', attempts: '1' },
    ]);
    await queue.sql('select retry_failed_job(id, true) from dead_letter_jobs');
    expect(await queue.sql('select * from dead_letter_jobs')).toEqual([]);
  });

  it('stuck_jobs shows jobs past their lease or their time-out', async () => {
    const [fine, late, dead] = [
      await queue.running(),
      await queue.running({ timeout_seconds: 10 }),
      await queue.running(),
    ];
    await queue.internally(
      `update background_jobs set started_at = now() - interval '41 seconds' where id = $1`,
      [late.id],
    );
    await queue.expireLeases(dead.id);
    expect(await queue.sql('select id, reason from stuck_jobs order by id')).toEqual([
      { id: late.id, reason: expect.stringContaining('time-out') as string },
      { id: dead.id, reason: expect.stringContaining('lease expired') as string },
    ]);
    expect(await queue.complete(lease(fine))).toEqual([true]);
  });
});
