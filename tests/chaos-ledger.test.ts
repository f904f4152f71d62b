import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { clearLedger, openLedger } from '../chaos/ledger/ledger.ts';
import { recoverySeconds, whatRuns } from '../chaos/ledger/recovery.ts';
import { findViolations, type Violations } from '../chaos/ledger/violations.ts';
import { createJobQueue, type ClaimedJob, type JobQueue } from '../src/queue/job-queue.ts';
import { createTestDatabase, type TestDatabase } from './support/database.ts';

let database: TestDatabase;
let queue: JobQueue;

beforeAll(async () => {
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
  await openLedger(database.pool);
});
beforeEach(() => clearLedger(database.pool));
afterAll(() => database.close());

const none: Violations = { lost: 0, twice: 0, heldTwice: 0, stuck: 0, unsound: 0 };
const kept = { jobs: [], events: [] };

async function claim(more: { concurrencyKey?: string } = {}): Promise<ClaimedJob> {
  const [job] = await queue.enqueue([{ type: 'chaos/edge', concurrencyLimit: 2, ...more }]);
  const claimed = await queue.claimOne(job?.id ?? '', 'this test', 60);
  if (!claimed) throw new Error('the job could not be claimed');
  return claimed;
}

async function step({ id, leaseToken }: ClaimedJob, name: string): Promise<void> {
  await effect(id, name, crypto.randomUUID());
  await queue.saveStep({ jobId: id, leaseToken }, name, null);
}

const begin = (job_id: string, run: string) => database.rpc('chaos_begin', { job_id, run });
const effect = (job_id: string, step: string, run: string) =>
  database.rpc('chaos_effect', { job_id, step, run });
const complete = ({ id, leaseToken }: ClaimedJob) =>
  queue.complete([{ jobId: id, leaseToken, result: null }]);

it('finds nothing where everything went well', async () => {
  const job = await claim();
  await step(job, 'first');
  await complete(job);
  expect(await findViolations(database.pool, { jobs: [job.id], events: [] })).toEqual(none);
});

it('finds acknowledged jobs and events that are lost, and events that are there twice', async () => {
  const [failed] = await queue.enqueue([{ type: 'chaos/edge' }]);
  await database.pool.query(`update background_jobs set status = 'failed' where id = $1`, [failed?.id]);
  const twice = { type: 'chaos/edge', inngestEventId: 'twice' };
  for (const { id } of await queue.enqueue([twice, twice]))
    await database.pool.query(`update background_jobs set status = 'completed' where id = $1`, [id]);
  const acknowledged = { jobs: [crypto.randomUUID(), failed?.id ?? ''], events: ['never came', 'twice'] };
  expect(await findViolations(database.pool, acknowledged)).toEqual({ ...none, lost: 4 });
});

it('finds a parent without its children', async () => {
  const [parent] = await queue.enqueue([{ type: 'chaos/parent' }]);
  await database.pool.query(`update background_jobs set status = 'completed' where id = $1`, [parent?.id]);
  expect(await findViolations(database.pool, kept)).toEqual({ ...none, lost: 2 });
});

it('finds an effect after its step was saved, and a saved step without its effect', async () => {
  const job = await claim();
  await step(job, 'first');
  await effect(job.id, 'first', crypto.randomUUID());
  await queue.saveStep({ jobId: job.id, leaseToken: job.leaseToken }, 'second', null);
  await complete(job);
  expect(await findViolations(database.pool, kept)).toMatchObject({ twice: 2 });
});

it('finds a run that goes on after a later one has begun', async () => {
  const job = await claim();
  const [earlier, later] = [crypto.randomUUID(), crypto.randomUUID()];
  await begin(job.id, earlier);
  await begin(job.id, later);
  await effect(job.id, 'first', later);
  await complete(job);
  expect(await findViolations(database.pool, kept)).toEqual(none);
  await effect(job.id, 'second', earlier);
  expect(await findViolations(database.pool, kept)).toEqual({ ...none, heldTwice: 1 });
});

it('finds more jobs of a key than may run', async () => {
  const two = [await claim({ concurrencyKey: 'a' }), await claim({ concurrencyKey: 'a' })];
  expect(await findViolations(database.pool, kept)).toEqual({ ...none, stuck: 2 });
  await database.pool.query(`insert into chaos.changes (job_id, type, key, allowed, was, is_now)
    values (gen_random_uuid(), 'chaos/edge', 'a', 2, 'queued', 'processing')`);
  for (const job of two) await complete(job);
  expect(await findViolations(database.pool, kept)).toEqual({ ...none, heldTwice: 1 });
});

it('finds jobs that do not end, and rows that do not agree', async () => {
  await queue.enqueue([{ type: 'chaos/edge' }]);
  await database.pool.query('delete from background_job_ready');
  expect(await findViolations(database.pool, kept)).toEqual({ ...none, stuck: 1, unsound: 1 });
});

it('takes an end that was being written at the fault for one after it', async () => {
  const job = await claim();
  const client = await database.pool.connect();
  await client.query('begin');
  const results = JSON.stringify([{ job_id: job.id, lease_token: job.leaseToken, result: null }]);
  await client.query('select complete_background_jobs($1)', [results]);
  const running = await whatRuns(() => database.pool);
  expect(running.ids).toEqual([job.id]);
  await client.query('commit');
  client.release();
  expect(await recoverySeconds(() => database.pool, running, running.at, 1)).toBe(0);
});

it('takes what was in flight at the fault for no sign that a job goes on', async () => {
  const job = await claim();
  const running = await whatRuns(() => database.pool);
  await effect(job.id, 'first', crypto.randomUUID());
  await database.pool.query(`update chaos.signs set at = $1::timestamptz + interval '50 ms'`, [running.at]);
  expect(await recoverySeconds(() => database.pool, running, running.at, 0)).toBe(Infinity);
  await effect(job.id, 'second', crypto.randomUUID());
  await database.pool.query(
    `update chaos.signs set at = $1::timestamptz + interval '2 s' where step = 'second'`,
    [running.at],
  );
  expect(await recoverySeconds(() => database.pool, running, running.at, 0)).toBe(2);
});

it('finds that a job does not go on', async () => {
  await claim();
  const running = await whatRuns(() => database.pool);
  expect(await recoverySeconds(() => database.pool, running, running.at, 0)).toBe(Infinity);
});
