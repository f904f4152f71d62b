import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { lease, useQueue } from './test-queue.ts';

const queue = useQueue();

interface Origin {
  event_id?: string;
  run_id?: string;
  job_id?: string;
}

const cancel = async ({ event_id, run_id, job_id }: Origin): Promise<{ id: string; status: string }[]> =>
  await queue.sql(
    'select * from cancel_background_jobs_of(event_id => $1, run_id => $2, job_id => $3, reason => $4)',
    [event_id ?? null, run_id ?? null, job_id ?? null, 'a person asked'],
  );

/** As the router enqueues a job of an event. */
const ofEvent = (type: string, eventId: string, runId = `run of ${eventId}`): Record<string, unknown> => ({
  type,
  idempotency_key: `${type}:${eventId}`,
  inngest_event_id: eventId,
  inngest_run_id: runId,
});

beforeEach(async () => {
  await queue.syncTypes({ type: 'test/one' }, { type: 'test/two' });
});

describe('cancel_background_jobs_of', () => {
  it('cancels every job that the event asked for, and no other', async () => {
    const [one, two, other] = await queue.enqueue(
      ofEvent('test/one', 'e-1'),
      ofEvent('test/two', 'e-1'),
      ofEvent('test/one', 'e-2'),
    );
    const cancelled = await cancel({ event_id: 'e-1' });
    expect(cancelled.map(({ id, status }) => [id, status]).sort()).toEqual(
      [
        [one, 'cancelled'],
        [two, 'cancelled'],
      ].sort(),
    );
    expect(await queue.job(one!)).toMatchObject({ status: 'cancelled', cancel_reason: 'a person asked' });
    expect(await queue.job(other!)).toMatchObject({ status: 'queued' });
  });

  it('cancels the waiting and the running jobs of a run, and leaves finished ones alone', async () => {
    const running = await queue.running(ofEvent('test/one', 'e-1', 'run-1'));
    const finished = await queue.running(ofEvent('test/one', 'e-2', 'run-1'));
    await queue.complete(lease(finished));
    const [waiting, other] = await queue.enqueue(
      ofEvent('unknown/type', 'e-3', 'run-1'),
      ofEvent('test/one', 'e-4', 'run-2'),
    );
    expect(await cancel({ run_id: 'run-1' })).toMatchObject([
      { id: running.id, type: 'test/one', status: 'processing' },
      { id: waiting, type: 'unknown/type', status: 'cancelled' },
    ]);
    expect(await queue.job(finished.id)).toMatchObject({ status: 'completed' });
    expect(await queue.job(other!)).toMatchObject({ status: 'queued' });
    expect(
      await queue.sql('select * from heartbeat_background_jobs($1, 30)', [JSON.stringify([lease(running)])]),
    ).toEqual([{ job_id: running.id, state: 'cancel' }]);
  });

  it('cancels a job by its id, whatever event or run brought it', async () => {
    const [id] = await queue.enqueue({ type: 'test/one' });
    expect(await cancel({ job_id: id })).toMatchObject([{ id, status: 'cancelled' }]);
    expect(await cancel({ job_id: id })).toEqual([]);
  });

  it("leaves an event's job alone that another run brought: the event started a function of another app, too", async () => {
    const [id] = await queue.enqueue(ofEvent('test/one', 'e-1', 'run-1'));
    expect(await cancel({ event_id: 'e-1', run_id: 'run-of-another-app' })).toEqual([]);
    expect(await cancel({ event_id: 'e-1', run_id: 'run-1' })).toMatchObject([{ id, status: 'cancelled' }]);
  });

  it('goes by the run where event and id lead to no job', async () => {
    const [id] = await queue.enqueue({ type: 'test/one', inngest_run_id: 'run-1' });
    const origin = { job_id: randomUUID(), event_id: 'nobody', run_id: 'run-1' };
    expect(await cancel(origin)).toMatchObject([{ id, status: 'cancelled' }]);
  });

  it('refuses a call that names nothing', async () => {
    await expect(cancel({})).rejects.toMatchObject({
      code: 'PT400',
      message: 'event_id, run_id, job_id: expected at least one of them, got none',
    });
  });

  it('finds the job of an event by its unique key', async () => {
    await queue.enqueue(...Array.from({ length: 2_000 }, (_, n) => ofEvent('test/one', `e-${n}`)));
    await queue.sql('analyze background_jobs');
    const plan = await queue.sql<{ 'QUERY PLAN': string }>(
      `explain select j.id from background_jobs j
       where j.idempotency_key = any (array(select t.type || ':' || 'e-7' from job_types t))`,
    );
    expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toContain('background_jobs_idempotency_key');
  });
});
