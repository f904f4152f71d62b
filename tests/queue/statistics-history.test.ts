import { beforeEach, expect, it } from 'vitest';
import { lease, useQueue } from './test-queue.ts';

const queue = useQueue();
beforeEach(async () => {
  await queue.enqueue(...Array.from({ length: 30 }, (_, n) => ({ type: n % 3 === 0 ? 'a' : 'b' })));
  await queue.complete(...(await queue.claim({ maxJobs: 20 })).map((job) => lease(job)));
  const [first] = await queue.claim({ maxJobs: 5 });
  if (first) await queue.fail(first, { retryable: false });
});

async function statistics(): Promise<unknown[]> {
  return [
    await queue.sql('select * from job_statistics order by type'),
    await queue.sql('select * from job_statistics_hourly order by hour, type'),
    await queue.sql(`select * from get_job_statistics_summary() where metric <> 'Oldest queued'`),
  ];
}

it('say the same before and after the log of ends is folded', async () => {
  const before = await statistics();
  expect(await queue.value('select count(*) from background_job_ends')).not.toBe('0');
  await queue.sql('select job_queue.fold_ends(now())');
  expect(await queue.value('select count(*) from background_job_ends')).toBe('0');
  expect(await statistics()).toEqual(before);
});

it('are folded by a sweep when their minute is over', async () => {
  const before = await statistics();
  await queue.sql(`update background_job_ends set ended_at = ended_at - interval '1 minute'`);
  await queue.sql('select sweep_background_jobs()');
  expect(await queue.value('select count(*) from background_job_ends')).toBe('0');
  expect(await statistics()).toEqual(before);
});

it('can be told from the rows of jobs that ended before ends were counted', async () => {
  const noted = await statistics();
  await queue.sql('select job_queue.recount_ends()');
  expect(await statistics()).toEqual(noted);
});

it('outlive the rows', async () => {
  const [{ completed } = { completed: '' }] = await queue.sql<{ completed: string }>(
    `select sum(completed) as completed from job_statistics`,
  );
  expect(completed).toBe('20');
  await queue.sql(`delete from background_jobs where status in ('completed', 'failed')`);
  expect(await queue.value('select sum(completed) from job_statistics')).toBe('20');
  expect(
    await queue.value(`select value from get_job_statistics_summary() where metric = 'Dead letter'`),
  ).toBe('0');
});

it('count no dead letter after a truncate', async () => {
  await queue.sql('truncate background_jobs cascade');
  expect(
    await queue.value(`select value from get_job_statistics_summary() where metric = 'Dead letter'`),
  ).toBe('0');
});

it('count a job that ran again twice, as created once', async () => {
  await queue.sql('select retry_failed_job(id, true) from dead_letter_jobs');
  const again = await queue.claim({ maxJobs: 30 });
  await queue.complete(...again.map((job) => lease(job)));
  expect(
    await queue.sql(
      'select sum(created) as created, sum(completed) as completed, sum(failed) as failed from job_statistics_hourly',
    ),
  ).toEqual([{ created: '30', completed: '26', failed: '1' }]);
});

it('are told without a look at all rows of background_jobs', async () => {
  await queue.enqueue(...Array.from({ length: 1_500 }, () => ({ type: 'c' })));
  await queue.sql('vacuum analyze background_jobs, background_job_ready, background_job_leases');
  const reader = await queue.connect();
  await reader.query('begin');
  const scans = () =>
    queue.value<string>(`select pg_stat_get_xact_numscans('background_jobs'::regclass)`, [], reader);
  const before = await scans();
  for (const view of [
    'get_job_statistics_summary()',
    'job_statistics',
    'job_statistics_hourly',
    'queue_depth',
  ])
    await reader.query(`select * from ${view}`);
  expect(await scans()).toBe(before);
  await reader.query('select count(*) from background_jobs where error is null');
  expect(await scans()).not.toBe(before);
});
