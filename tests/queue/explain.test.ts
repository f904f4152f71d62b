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
