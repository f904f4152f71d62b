import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { lease, useQueue } from './test-queue.ts';

const queue = useQueue();

async function explain(id: string | undefined): Promise<string> {
  return await queue.value('select explain_background_job($1)', [id]);
}

describe('explain_background_job', () => {
  it('knows no unknown job', async () => {
    expect(await explain(randomUUID())).toBe('no such job');
  });

  it('says that nobody is working on the lane, and how many jobs are before', async () => {
    await queue.enqueue({ type: 'a' });
    const [second] = await queue.enqueue({ type: 'a' });
    expect(await explain(second)).toMatch(
      /waiting on lane edge, 1 runnable jobs before it; nobody is working on the lane \(newest job started: never\)/,
    );
    await queue.claim({ maxJobs: 1 });
    expect(await explain(second)).toBe('waiting on lane edge, 0 runnable jobs before it');
  });

  it('says until when a job is scheduled, backs off or snoozes, and why', async () => {
    const until = '2099-01-01T00:00:00Z';
    const [scheduled] = await queue.enqueue({ type: 'a', run_at: until });
    expect(await explain(scheduled)).toMatch(/^scheduled: waits until 2099-01-01/);
    const failed = await queue.running();
    await queue.fail(failed, { retryAfter: 60 });
    expect(await explain(failed.id)).toMatch(/^backoff until \d{4}-.*: boom$/);
    const snoozed = await queue.running({ expires_at: '2100-01-01T00:00:00Z' });
    await queue.sql(`select snooze_background_job($1, $2, $3, 'rate limit')`, [
      snoozed.id,
      snoozed.lease_token,
      until,
    ]);
    expect(await explain(snoozed.id)).toMatch(/^snoozed until 2099-.*: rate limit$/);
  });

  it('says that the type is paused', async () => {
    await queue.syncTypes({ type: 'a' });
    await queue.sql(`select pause_job_type('a')`);
    const [id] = await queue.enqueue({ type: 'a' });
    expect(await explain(id)).toMatch(/^paused: .*resume_job_type/);
  });

  it('says which job keeps the concurrency key busy', async () => {
    const busy = await queue.running({ concurrency_key: 'k' });
    const [id] = await queue.enqueue({ type: 'a', concurrency_key: 'k' });
    expect(await explain(id)).toBe(`concurrency key k is busy: job ${busy.id} is running`);
  });

  it('says until when a quota of the type is exhausted', async () => {
    await queue.syncTypes({ type: 'a', quotas: ['github:core'] });
    const [id] = await queue.enqueue({ type: 'a' });
    await queue.sql('select report_job_quotas($1)', [
      JSON.stringify([
        { quota: 'github:core', token: 't1', remaining: 0, resets_at: '2099-01-01T00:00:00Z' },
      ]),
    ]);
    expect(await explain(id)).toMatch(/^quota github:core is exhausted until 2099-01-01/);
  });

  it('says that the type is throttled', async () => {
    await queue.syncTypes({ type: 'a', throttle_limit: 1, throttle_seconds: 60 });
    const [, second] = await queue.enqueue({ type: 'a' }, { type: 'a' });
    await queue.claim();
    expect(await explain(second)).toBe('throttled: 1 jobs of type a have started within 60 s');
  });

  it('says for which parents a job waits, and no more of those that have ended', async () => {
    const running = await queue.running({ type: 'p1' });
    const [waiting] = await queue.enqueue({ type: 'p2' });
    const [child] = await queue.enqueue({ type: 'a', depends_on: [running.id, waiting] });
    expect(await explain(child)).toBe(
      `waits for job ${running.id} (p1, processing), job ${waiting} (p2, queued)`,
    );
    await queue.complete(lease(running));
    expect(await explain(child)).toBe(`waits for job ${waiting} (p2, queued)`);
  });

  it('says that a job backs off after its process died', async () => {
    const job = await queue.running();
    await queue.expireLeases(job.id);
    await queue.sql('select sweep_background_jobs()');
    expect(await explain(job.id)).toMatch(/^backoff until \d{4}-.*: the lease of w1 expired/);
  });

  it('says that a worker is there, although it has claimed nothing yet', async () => {
    const [id] = await queue.enqueue({ type: 'a', lane: 'worker' });
    expect(await explain(id)).toMatch(/nobody is working on the lane/);
    await queue.sql(
      `insert into background_job_workers (worker, lanes, idle) values ('w1', '{worker}', true)`,
    );
    expect(await explain(id)).toBe('waiting on lane worker, 0 runnable jobs before it');
    await queue.sql('delete from background_job_workers');
  });

  it('says that a waiting job has expired', async () => {
    const [id] = await queue.enqueue({ type: 'a', expires_at: '2001-01-01T00:00:00Z' });
    expect(await explain(id)).toMatch(/^expired at 2001-01-01.*next sweep/);
    await queue.sql('select sweep_background_jobs()');
    expect(await explain(id)).toMatch(/^dead because it expired at 2001/);
  });

  it('says since when and where a job runs, and what is about to happen to it', async () => {
    const job = await queue.running();
    expect(await explain(job.id)).toMatch(/^running since \d{4}-.* on w1$/);
    await queue.sql('select cancel_background_job($1)', [job.id]);
    expect(await explain(job.id)).toMatch(/on w1; cancel requested at/);
    await queue.expireLeases(job.id);
    expect(await explain(job.id)).toMatch(/on w1; its lease expired at .*next sweep/);
  });

  it('says how a job ended', async () => {
    const done = await queue.running();
    await queue.complete(lease(done));
    expect(await explain(done.id)).toMatch(/^done: completed at .* after \d+ ms of work$/);
    const [cancelled] = await queue.enqueue({ type: 'a' });
    await queue.sql(`select cancel_background_job($1, 'enough')`, [cancelled]);
    expect(await explain(cancelled)).toBe('cancelled: enough');
  });

  it('says why a job is dead', async () => {
    const hopeless = await queue.running();
    await queue.fail(hopeless, { retryable: false });
    expect(await explain(hopeless.id)).toBe('dead because another attempt would fail in the same way: boom');
    const spent = await queue.running({ max_retries: 0 });
    await queue.fail(spent);
    expect(await explain(spent.id)).toBe('dead because its 0 retries are spent: boom');
    const [edited] = await queue.enqueue({ type: 'a' });
    await queue.sql(`update background_jobs set status = 'failed' where id = $1`, [edited]);
    expect(await explain(edited)).toBe('dead because somebody set it to failed: no error was recorded');
  });

  it('counts a crash as a crash, and only that', async () => {
    const job = await queue.running({ max_retries: 1 });
    await queue.fail(job);
    await queue.sql(`select claim_background_job($1, 'w1', 60)`, [job.id]);
    await queue.expireLeases(job.id);
    await queue.sql('select sweep_background_jobs()');
    expect(await explain(job.id)).toMatch(
      /^dead because its process died and its 1 retries are spent: the lease of w1 expired/,
    );
  });
});
