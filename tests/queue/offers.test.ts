import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { type Claimed, lease, useQueue } from './test-queue.ts';

const queue = useQueue();

interface Offering {
  offer: string;
  /** The connection on which the worker listens. */
  client: pg.PoolClient;
  heard: string[];
}

let offering: Offering[] = [];

afterEach(async () => {
  for (const { client } of offering) {
    client.removeAllListeners('notification');
    await client.query('select pg_advisory_unlock_all(); unlisten *');
  }
  offering = [];
  await queue.sql('delete from background_job_offers; delete from background_job_workers');
});

const byOffer = `hashtextextended('background_job_offers:' || $1, 0)`;

async function fetchJob(offer: string): Promise<Claimed | null> {
  return await queue.value(`select offer_worker($1, 'worker', 'w1', 30)`, [offer]);
}

async function withdraw(offer: string): Promise<Claimed | null> {
  return await queue.value('select withdraw_worker_offer($1)', [offer]);
}

/** A worker that waits for a job of lane worker, listens on its channel, and says so. */
async function offerWorker(): Promise<Offering> {
  const client = await queue.connect();
  const one: Offering = { offer: randomUUID(), client, heard: [] };
  offering.push(one);
  client.on('notification', ({ payload = '' }) => one.heard.push(payload));
  await client.query(`listen "${one.offer}"`);
  await client.query(`select pg_advisory_lock(${byOffer})`, [one.offer]);
  await queue.sql(`select report_worker('w1', '["worker"]', true)`);
  expect(await fetchJob(one.offer)).toBeNull();
  return one;
}

type Enqueue = { type?: string; lane?: string; key?: string; text?: string; handOver?: boolean };

async function enqueue(
  { type = 'a', lane = 'worker', key, text, handOver = true }: Enqueue = {},
  client?: pg.PoolClient,
) {
  return await queue.value<string | null>(
    `select enqueue_background_job($1, $2, $3, $4, hand_over => $5)`,
    [type, { n: 1, text }, lane, key ?? null, handOver],
    client,
  );
}

const status = async (id: string | null) => (await queue.job(id ?? '')).status;

describe('an enqueue that finds a worker waiting', () => {
  it('leaves the job as a claim by that worker leaves it', async () => {
    const { offer } = await offerWorker();
    const handed = await enqueue();
    const waiting = await enqueue({ handOver: false });
    expect([await status(handed), await status(waiting)]).toEqual(['processing', 'queued']);
    await queue.claim({ lane: 'worker', leaseSeconds: 32 });
    const columns = `status, payload, lane, retry_count, step_saved, revision > 0 as ours, started_at >= run_at as started,
      lease_until - started_at as lease, result, error, duration_ms, active_ms`;
    const row = async (id: string | null) =>
      await queue.sql(`select ${columns} from background_jobs where id = $1`, [id]);
    expect(await row(handed)).toEqual(await row(waiting));
    const held = async (id: string | null) =>
      await queue.sql(
        `select l.worker, l.lane, l.remaining, l.job_ids = array[j.id] as one, l.lease_until = j.lease_until as until,
           l.claimed_at = j.started_at as at
         from background_jobs j join background_job_leases l on l.token = j.lease_token where j.id = $1`,
        [id],
      );
    expect(await held(handed)).toEqual(await held(waiting));
    expect(await queue.sql('select from background_job_ready')).toEqual([]);
    expect(await fetchJob(offer)).toMatchObject({ id: handed, type: 'a', payload: { n: 1 } });
  });

  it('tells the worker the job as it answers the fetch', async () => {
    const { offer, client, heard } = await offerWorker();
    await enqueue({ text: 'ÿ "quoted"' });
    await client.query('select 1');
    const [copy = ''] = heard;
    expect(JSON.parse(copy)).toEqual(await fetchJob(offer));
  });

  it.each([
    [7_000, true],
    [8_000, false],
  ])('with a payload of %d bytes brings the job in the notification: %s', async (bytes, brings) => {
    const { offer, client, heard } = await offerWorker();
    const id = await enqueue({ text: 'ÿ'.repeat(bytes / 2) });
    await client.query('select 1');
    expect(heard.map((copy) => copy !== '')).toEqual([brings]);
    expect(await fetchJob(offer)).toMatchObject({ id });
  });

  it('hands over jobs with idempotency keys, and leaves the offer alone when a key is known', async () => {
    const { offer } = await offerWorker();
    const id = await enqueue({ key: 'k' });
    expect(await status(id)).toBe('processing');
    expect(await fetchJob(offer)).toMatchObject({ id });
    expect(await enqueue({ key: 'k' })).toBeNull();
    expect(await fetchJob(offer)).toBeNull();
    expect(await status(await enqueue())).toBe('processing');
  });

  it('hands over one job, and lines up the next until the worker offers itself again', async () => {
    const { offer } = await offerWorker();
    const [first, second] = [await enqueue(), await enqueue()];
    expect([await status(first), await status(second)]).toEqual(['processing', 'queued']);
    const job = await fetchJob(offer);
    const third = await enqueue();
    const next = await fetchJob(offer);
    expect([job?.id, next?.id]).toEqual([first, third]);
    expect(next?.lease_token).not.toBe(job?.lease_token);
  });

  it.each<[string, Enqueue, string]>([
    ['asks for it, for its transaction may be long', { handOver: false }, 'select'],
    ['is for its lane', { lane: 'edge' }, 'select'],
    ['has a type that is not paused', {}, `select pause_job_type('a')`],
    ['has a type without a throttle', {}, 'update job_types set throttle_limit = 9, throttle_seconds = 9'],
    ['has a type without quotas', {}, `update job_types set quotas = '{github:rest}'`],
    ['finds its sign up', {}, 'update background_job_workers set idle = false'],
    [
      'has heard of it lately',
      {},
      `update background_job_offers set renewed_at = renewed_at - interval '2.5 seconds'`,
    ],
  ])('does so only when it %s', async (_what, job, change) => {
    await queue.syncTypes({ type: 'a', lane: 'worker' });
    await offerWorker();
    await queue.sql(change);
    expect(await status(await enqueue(job))).toBe('queued');
    expect(await queue.sql('select from background_job_offers where job_id is not null')).toEqual([]);
  });

  it('passes by a worker that no longer listens', async () => {
    const { offer, client } = await offerWorker();
    await client.query(`select pg_advisory_unlock(${byOffer})`, [offer]);
    expect(await status(await enqueue())).toBe('queued');
  });

  it('lines up while another enqueue is about to hand over, and the offer survives a rollback', async () => {
    const { offer } = await offerWorker();
    const client = await queue.connect();
    await client.query('begin');
    await enqueue({}, client);
    expect(await status(await enqueue())).toBe('queued');
    await client.query('rollback');
    expect(await fetchJob(offer)).toBeNull();
    const id = await enqueue();
    expect(await fetchJob(offer)).toMatchObject({ id });
  });
});

describe('a job that was handed over', () => {
  it('is fetched once, completed under its lease, and leaves nothing behind', async () => {
    const { offer } = await offerWorker();
    const id = await enqueue();
    const job = await fetchJob(offer);
    expect(await fetchJob(offer)).toBeNull();
    expect(await queue.complete(lease(job!, { result: 'done' }))).toEqual([true]);
    expect(await queue.job(id!)).toMatchObject({ status: 'completed', result: 'done' });
    expect(await queue.sql('select from background_job_leases')).toEqual([]);
  });

  it('comes with the withdrawal of the offer, which waits for the enqueue', async () => {
    const { offer } = await offerWorker();
    const [enqueuing, withdrawing] = [await queue.connect(), await queue.connect()];
    await enqueuing.query('begin');
    const id = await enqueue({}, enqueuing);
    const withdrawn = queue.value<Claimed | null>('select withdraw_worker_offer($1)', [offer], withdrawing);
    await queue.untilBlocked(withdrawing, enqueuing);
    await enqueuing.query('commit');
    expect(await withdrawn).toMatchObject({ id });
    expect(await withdraw(offer)).toBeNull();
    expect(await status(await enqueue())).toBe('queued');
  });

  it('is not answered when it was edited by hand before', async () => {
    const { offer } = await offerWorker();
    const id = await enqueue();
    await queue.sql(
      `update background_jobs set status = 'failed', error = 'by hand', failed_at = now() where id = $1`,
      [id],
    );
    expect(await fetchJob(offer)).toBeNull();
    expect(await fetchJob(offer)).toBeNull();
    expect(await status(id)).toBe('failed');
  });

  it('has its lease renewed when the worker comes late', async () => {
    const { offer } = await offerWorker();
    const id = await enqueue();
    await queue.internally(`update background_jobs set lease_until = lease_until - interval '4 seconds'`);
    await queue.sql(`update background_job_offers set handed_at = handed_at - interval '4 seconds'`);
    expect(await fetchJob(offer)).toMatchObject({ id });
    const left = `select lease_until > clock_timestamp() + interval '29 seconds' from background_jobs`;
    expect(await queue.value(left)).toBe(true);
  });

  it('is there for its worker over another connection, for as long as the lease lasts', async () => {
    const { offer, client } = await offerWorker();
    const id = await enqueue();
    await client.query(`select pg_advisory_unlock(${byOffer})`, [offer]);
    await queue.sql('select sweep_background_jobs()');
    expect(await withdraw(offer)).toMatchObject({ id });
    expect(await status(id)).toBe('processing');
  });

  it('is rescued like any other when its worker is gone', async () => {
    const { offer, client } = await offerWorker();
    const id = await enqueue();
    await client.query(`select pg_advisory_unlock(${byOffer})`, [offer]);
    await queue.internally(`update background_jobs set lease_until = lease_until - interval '32 seconds'`);
    await queue.sql(`update background_job_leases set lease_until = lease_until - interval '32 seconds'`);
    await queue.sql(`update background_job_offers set handed_at = handed_at - interval '32 seconds'`);
    await queue.sql('select sweep_background_jobs()');
    expect(await queue.job(id!)).toMatchObject({ status: 'queued', retry_count: 1 });
    expect(await queue.sql('select from background_job_offers')).toEqual([]);
    expect(await withdraw(offer)).toBeNull();
  });
});

describe('an offer', () => {
  it('is forgotten by the sweep when nobody listens for it', async () => {
    const { offer, client } = await offerWorker();
    await queue.sql('select sweep_background_jobs()');
    expect(await queue.sql('select offer from background_job_offers')).toEqual([{ offer }]);
    await client.query(`select pg_advisory_unlock(${byOffer})`, [offer]);
    await queue.sql('select sweep_background_jobs()');
    expect(await queue.sql('select from background_job_offers')).toEqual([]);
  });

  it.each([
    [[null, 'worker', 'w', 30], /^offer: expected a uuid/],
    [[randomUUID(), 'inline', 'w', 30], /^lane: expected edge or worker/],
    [[randomUUID(), 'worker', ' ', 30], /^worker/],
    [[randomUUID(), 'worker', 'w', 0], /^lease_seconds/],
  ])('is refused with %j', async (values, message) => {
    await expect(queue.sql('select offer_worker($1, $2, $3, $4)', values)).rejects.toMatchObject({
      code: 'PT400',
      message: expect.stringMatching(message) as string,
    });
  });
});
