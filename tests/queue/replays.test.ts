import { describe, expect, it } from 'vitest';
import { useQueue } from './test-queue.ts';

const queue = useQueue();

const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A run id as Inngest makes it, scheduled at `time`. */
function runAt(time: Date): string {
  let id = '0'.repeat(16);
  for (let ms = time.getTime(), at = 0; at < 10; at += 1, ms = Math.floor(ms / 32)) id = digits[ms % 32] + id;
  return id;
}

const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);
const job = { type: 'test/job', idempotency_key: 'test/job:e-1' };

const begin = async (runId: string): Promise<{ run: boolean; status: string; lane: string } | undefined> =>
  (
    await queue.sql<{ run: boolean; status: string; lane: string }>(
      'select * from begin_background_job($1, $2, 30)',
      [JSON.stringify({ ...job, inngest_run_id: runId }), `inngest:${runId}`],
    )
  )[0];

async function failsInline(runId: string): Promise<void> {
  const [begun] = await queue.sql<{ id: string; lease_token: string }>(
    'select * from begin_background_job($1, $2, 30)',
    [JSON.stringify({ ...job, inngest_run_id: runId }), `inngest:${runId}`],
  );
  const error = JSON.stringify({ message: 'gone' });
  await queue.sql('select fail_background_job($1, $2, $3, false)', [begun?.id, begun?.lease_token, error]);
}

describe('a job that failed for good', () => {
  it('is not run again by the run that the same event started at another endpoint', async () => {
    await failsInline(runAt(minutesAgo(1)));
    expect(await begin(runAt(minutesAgo(1)).replace(/0$/, '1'))).toMatchObject({
      run: false,
      status: 'failed',
    });
    const [again] = await queue.sql<{ status: string }>('select * from enqueue_background_jobs($1)', [
      JSON.stringify([{ ...job, inngest_run_id: runAt(minutesAgo(1)).replace(/0$/, '2') }]),
    ]);
    expect(again).toMatchObject({ status: 'failed' });
  });

  it('is run again by a run that was started later: a person replayed the event', async () => {
    await failsInline(runAt(minutesAgo(1)));
    expect(await begin(runAt(minutesAgo(-1)))).toMatchObject({ run: true, lane: 'inline' });
  });

  it('is queued again on its lane by a run that was started later', async () => {
    const running = await queue.running({ ...job, inngest_run_id: runAt(minutesAgo(1)) });
    await queue.fail(running, { retryable: false });
    expect(await begin(runAt(minutesAgo(2)))).toMatchObject({ status: 'failed' });
    expect(await begin(runAt(minutesAgo(-1)))).toMatchObject({ status: 'queued', lane: 'edge' });
  });
});

it('a run id of Inngest tells its time, any other text none', async () => {
  const time = new Date('2026-11-22T04:05:06.789Z');
  expect(await queue.value('select job_queue.ulid_time($1)', [runAt(time)])).toEqual(time);
  expect(await queue.value('select job_queue.ulid_time($1)', ['01ARZ3NDEKTSV4RRFFQ69G5FAV'])).toEqual(
    new Date(1_469_922_850_259),
  );
  for (const other of ['run-1', '', null, '8ZZZZZZZZZZZZZZZZZZZZZZZZZ'])
    expect(await queue.value('select job_queue.ulid_time($1)', [other])).toBeNull();
});
