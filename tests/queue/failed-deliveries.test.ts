import { describe, expect, it } from 'vitest';
import { lease, useQueue } from './test-queue.ts';

const queue = useQueue();

interface Begun {
  id: string;
  lease_token: string;
}

const job = {
  type: 'test/job',
  payload: { n: 1 },
  idempotency_key: 'test/job:e-1',
  inngest_event_id: 'e-1',
  inngest_run_id: 'run-1',
};
const gaveUp = { name: 'Error', message: 'the host did not answer' };

const record = async (
  input: Record<string, unknown> = job,
  error: unknown = gaveUp,
): Promise<{ id: string; status: string; lane: string }[]> =>
  await queue.sql('select * from record_failed_delivery($1, $2)', [
    JSON.stringify(input),
    JSON.stringify(error),
  ]);

async function begin(runId: string): Promise<Begun> {
  const [begun] = await queue.sql<Begun>('select * from begin_background_job($1, $2, 30)', [
    JSON.stringify({ ...job, inngest_run_id: runId }),
    `inngest:${runId}`,
  ]);
  return begun!;
}

describe('record_failed_delivery', () => {
  it('leaves a failed row for an event that never got one, which a retry sends to its queue', async () => {
    const [row] = await record();
    expect(row).toMatchObject({ status: 'failed', lane: 'edge' });
    expect(await queue.job(row!.id)).toMatchObject({
      type: 'test/job',
      payload: { n: 1 },
      error: 'the host did not answer',
      failure_reason: 'retries_spent',
      inngest_event_id: 'e-1',
      inngest_run_id: 'run-1',
    });
    expect(await queue.claim()).toEqual([]);
    expect(await queue.value('select retry_failed_job($1)', [row!.id])).toBe(true);
    expect(await queue.claim()).toMatchObject([{ id: row!.id, payload: { n: 1 } }]);
  });

  it('knows a delivery that was refused for good', async () => {
    const [row] = await record(job, { name: 'NonRetriableError', message: 'payload: too large' });
    expect(await queue.job(row!.id)).toMatchObject({ failure_reason: 'non_retryable' });
  });

  it('hands an inline job that waits for its next attempt to the edge lane at once', async () => {
    const begun = await begin('run-1');
    await queue.sql('select fail_background_job($1, $2, $3, true, 0)', [
      begun.id,
      begun.lease_token,
      JSON.stringify({ message: 'boom' }),
    ]);
    expect(await queue.job(begun.id)).toMatchObject({ status: 'queued', lane: 'inline' });
    expect(await record()).toEqual([{ id: begun.id, status: 'queued', lane: 'edge' }]);
    expect(await queue.claim()).toMatchObject([{ id: begun.id, retry_count: 1 }]);
  });

  it('takes an inline job from an attempt of the run that died, which spends a retry', async () => {
    const begun = await begin('run-1');
    expect(await record()).toEqual([{ id: begun.id, status: 'queued', lane: 'edge' }]);
    expect(await queue.job(begun.id)).toMatchObject({ retry_count: 1 });
    expect(
      await queue.sql('select outcome, error from background_job_attempts where job_id = $1', [begun.id]),
    ).toEqual([
      {
        outcome: 'rescued',
        error: { name: 'DeliveryFailed', message: 'Inngest gave up: the host did not answer' },
      },
    ]);
    expect(await queue.complete({ job_id: begun.id, lease_token: begun.lease_token, result: 1 })).toEqual([
      false,
    ]);
  });

  it("leaves another run's attempt alone: the event reached two endpoints", async () => {
    const begun = await begin('run-2');
    expect(await record()).toEqual([{ id: begun.id, status: 'processing', lane: 'inline' }]);
    expect(await queue.complete({ job_id: begun.id, lease_token: begun.lease_token, result: 1 })).toEqual([
      true,
    ]);
  });

  it('leaves alone what is queued or running elsewhere, and what has ended', async () => {
    const waiting = { ...job, idempotency_key: 'test/job:e-2' };
    const [id] = await queue.enqueue(waiting);
    expect(await record(waiting)).toEqual([{ id, status: 'queued', lane: 'edge' }]);
    const [claimed] = await queue.claim();
    expect(await record(waiting)).toEqual([{ id, status: 'processing', lane: 'edge' }]);
    expect(await queue.complete({ ...lease(claimed!), result: 'done' })).toEqual([true]);
    expect(await record({ ...waiting, inngest_run_id: 'run-9' })).toEqual([
      { id, status: 'completed', lane: 'edge' },
    ]);
    const failed = await queue.running({ ...job, idempotency_key: 'test/job:e-3' });
    await queue.fail(failed, { retryable: false });
    expect(await record({ ...job, idempotency_key: 'test/job:e-3', inngest_run_id: 'run-9' })).toMatchObject([
      { id: failed.id, status: 'failed' },
    ]);
    expect(await queue.job(failed.id)).toMatchObject({ error: 'boom' });
  });

  it('makes one row when several endpoints give up at once', async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => queue.connect()));
    const rows = await Promise.all(
      clients.map((client, n) =>
        queue.sql<{ id: string }>(
          'select * from record_failed_delivery($1, $2)',
          [JSON.stringify({ ...job, inngest_run_id: `run-${n}` }), JSON.stringify(gaveUp)],
          client,
        ),
      ),
    );
    expect(new Set(rows.flat().map(({ id }) => id)).size).toBe(1);
    expect(await queue.sql('select status from background_jobs')).toEqual([{ status: 'failed' }]);
  });

  it('refuses a job without a key, and what enqueueing refuses', async () => {
    await expect(record({ type: 'test/job' })).rejects.toMatchObject({
      code: 'PT400',
      message: expect.stringContaining('job.idempotency_key') as string,
    });
    await expect(record({ ...job, colour: 'red' })).rejects.toMatchObject({ code: 'PT400' });
  });
});
