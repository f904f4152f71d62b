import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { lease, type Claimed, useQueue } from './test-queue.ts';

const queue = useQueue();

const statuses = ['queued', 'processing', 'completed', 'failed', 'cancelled'] as const;
type Status = (typeof statuses)[number];
const pairs = statuses.flatMap((from) => statuses.map((to) => [from, to] as const));

/** Brings a job to the status the way the queue does, and returns the attempt that holds or held it. */
async function jobThatIs(status: Status): Promise<Claimed> {
  if (status === 'queued') return { id: (await queue.enqueue({ type: 'test/job' }))[0] } as Claimed;
  const job = await queue.running();
  if (status === 'completed') await queue.complete(lease(job));
  if (status === 'failed') await queue.fail(job, { retryable: false });
  if (status === 'cancelled') {
    await queue.sql('select cancel_background_job($1)', [job.id]);
    await queue.fail(job);
  }
  return job;
}

async function claimable(): Promise<string[]> {
  return (await queue.claim({ worker: 'w9' })).map(({ id }) => id);
}

/** A connection that acts as PostgREST does for the secret key. */
async function serviceRole(): Promise<pg.PoolClient> {
  const client = await queue.connect();
  await client.query('begin');
  await client.query('set local role service_role');
  return client;
}

/** The whole row with changes, as supabase-js writes it back: `.upsert({ ...row, ...changes })`. */
async function upsertRow(row: Record<string, unknown>, changes: Record<string, unknown>): Promise<void> {
  const columns = Object.keys(row);
  await queue.sql(
    `insert into background_jobs (${columns.join()})
     select ${columns.join()} from jsonb_populate_record(null::background_jobs, $1)
     on conflict (id) do update set ${columns.map((column) => `${column} = excluded.${column}`).join()}`,
    [JSON.stringify({ ...row, ...changes })],
  );
}

/** The whole row with changes, as `.update({ ...row, ...changes })` writes it back. */
async function updateRow(row: Record<string, unknown>, changes: Record<string, unknown>): Promise<void> {
  const columns = Object.keys(row);
  await queue.sql(
    `update background_jobs j set (${columns.join()}) = (
       select ${columns.join()} from jsonb_populate_record(null::background_jobs, $1)) where j.id = $2`,
    [JSON.stringify({ ...row, ...changes }), row.id],
  );
}

async function expectFits(id: string, status: string): Promise<void> {
  const row = await queue.job(id);
  expect(row.status).toBe(status);
  expect(row.lease_token !== null).toBe(status === 'processing');
  if (status === 'completed') expect(row.completed_at).toBeInstanceOf(Date);
  expect(row.failed_at !== null).toBe(status === 'failed');
  if (status === 'processing') expect(row.started_at).toBeInstanceOf(Date);
  expect(await claimable()).toEqual(status === 'queued' ? [id] : []);
}

describe('a hand edit of status', () => {
  it.each(pairs)('from %s to %s is the truth at once', async (from, to) => {
    const job = await jobThatIs(from);
    await queue.sql('update background_jobs set status = $2 where id = $1', [job.id, to]);
    if (from === 'processing' && to !== 'processing')
      expect(await queue.complete(lease(job))).toEqual([false]);
    await expectFits(job.id, to);
  });

  it.each(pairs)('from %s to %s works for service_role too', async (from, to) => {
    const job = await jobThatIs(from);
    const client = await serviceRole();
    await client.query('update background_jobs set status = $2 where id = $1', [job.id, to]);
    await client.query('commit');
    await expectFits(job.id, to);
  });

  it('keeps the attempt it ended, and frees nobody else', async () => {
    await queue.enqueue({ type: 'a' }, { type: 'a' });
    const [one, two] = await queue.claim();
    await queue.sql(
      `update background_jobs set status = 'failed', error = 'stuck', failed_at = now() where id = $1`,
      [one?.id],
    );
    expect(await queue.sql('select job_id, worker, outcome from background_job_attempts')).toEqual([
      { job_id: one?.id, worker: 'w1', outcome: 'edited' },
    ]);
    expect(await queue.job(one!.id)).toMatchObject({ error: 'stuck', failure_reason: 'operator' });
    expect(await queue.complete(lease(one!), lease(two!))).toEqual([false, true]);
  });

  it('in bulk, as an operator types it, fences every attempt', async () => {
    await queue.enqueue(
      ...Array.from({ length: 20 }, () => ({ type: 'a', concurrency_key: 'k', concurrency_limit: 99 })),
    );
    const old = await queue.claim({ maxJobs: 15 });
    const fresh = await queue.claim({ maxJobs: 5 });
    await queue.internally(
      `update background_jobs set started_at = now() - interval '6 minutes' where id = any ($1)`,
      [old.map(({ id }) => id)],
    );
    await queue.sql(
      `update background_jobs set status='failed', error='…', failed_at=now()
       where status='processing' and started_at < now() - interval '5 minutes'`,
    );
    expect(await queue.complete(...[...old, ...fresh].map((job) => lease(job)))).toEqual([
      ...old.map(() => false),
      ...fresh.map(() => true),
    ]);
    expect(await queue.sql('select * from background_job_slots')).toEqual([]);
  });

  it('refuses a status that does not exist', async () => {
    const job = await jobThatIs('queued');
    await expect(
      queue.sql(`update background_jobs set status = 'done' where id = $1`, [job.id]),
    ).rejects.toMatchObject({
      code: '23514',
      message:
        'background_jobs.status: expected queued, processing, completed, failed or cancelled, got done',
    });
    await expect(
      queue.sql(`update background_jobs set status = null where id = $1`, [job.id]),
    ).rejects.toThrow();
    await expect(
      queue.sql(`insert into background_jobs (type, status) values ('a', 'done')`),
    ).rejects.toThrow();
  });
});

describe('a whole row written back', () => {
  it.each(pairs)('by upsert from %s to %s is the truth at once', async (from, to) => {
    const job = await jobThatIs(from);
    await upsertRow(await queue.job(job.id), { status: to });
    if (from === 'processing' && to !== 'processing')
      expect(await queue.complete(lease(job))).toEqual([false]);
    await expectFits(job.id, to);
  });

  it.each(pairs)(
    'by an update, of a row that was read while it was %s, to %s, is the truth at once',
    async (from, to) => {
      const job = await jobThatIs(from);
      const stale = await queue.job(job.id);
      // Meanwhile the queue, or somebody else, changed it.
      await queue.internally('update background_jobs set progress = 1 where id = $1', [job.id]);
      await queue.internally('update background_jobs set progress = 2 where id = $1', [job.id]);
      await updateRow(stale, { status: to });
      await expectFits(job.id, to);
    },
  );

  it('is refused when a value is out of bounds', async () => {
    const job = await jobThatIs('failed');
    await expect(upsertRow(await queue.job(job.id), { status: 'queued', priority: 999_999 })).rejects.toThrow(
      'background_jobs.priority: expected a number from -10000 to 10000, got 999999',
    );
  });
});

describe('a hand edit of a waiting job', () => {
  it('of run_at lets it run later, or sooner', async () => {
    const [one, two] = await queue.enqueue(
      { type: 'a' },
      { type: 'a', run_at: '2099-01-01T00:00:00Z', expires_at: '2100-01-01T00:00:00Z' },
    );
    await queue.sql(`update background_jobs set run_at = now() + interval '1 hour' where id = $1`, [one]);
    await queue.sql(`update background_jobs set run_at = now() where id = $1`, [two]);
    expect(await claimable()).toEqual([two]);
  });

  it.each(['infinity', '-infinity'])('of run_at to %s is refused, and so is such an insert', async (time) => {
    const [id] = await queue.enqueue({ type: 'a' });
    const refused = `background_jobs.run_at: expected a time, got ${time}`;
    await expect(
      queue.sql('update background_jobs set run_at = $2 where id = $1', [id, time]),
    ).rejects.toThrow(refused);
    await expect(
      queue.sql(`insert into background_jobs (type, run_at) values ('a', $1)`, [time]),
    ).rejects.toThrow(refused);
    expect(await claimable()).toEqual([id]);
  });

  it('of priority changes its place', async () => {
    const [one, two] = await queue.enqueue({ type: 'a' }, { type: 'a' });
    await queue.sql('update background_jobs set priority = 5 where id = $1', [two]);
    expect(await claimable()).toEqual([two, one]);
  });

  it('of lane moves it, never to the inline lane', async () => {
    const [one, two] = await queue.enqueue({ type: 'a' }, { type: 'a' });
    await queue.sql(`update background_jobs set lane = 'worker' where id = $1`, [one]);
    await queue.sql(`update background_jobs set lane = 'inline' where id = $1`, [two]);
    expect(await claimable()).toEqual([two]);
    expect(await queue.claim({ lane: 'worker' })).toHaveLength(1);
  });

  it('of type obeys the new type’s pause', async () => {
    await queue.syncTypes({ type: 'paused' });
    await queue.sql(`select pause_job_type('paused')`);
    const [id] = await queue.enqueue({ type: 'a' });
    await queue.sql(`update background_jobs set type = 'paused' where id = $1`, [id]);
    expect(await claimable()).toEqual([]);
    await queue.sql(`update background_jobs set type = 'b' where id = $1`, [id]);
    expect(await claimable()).toEqual([id]);
  });

  it('of its concurrency key and limit binds it', async () => {
    const [one, two] = await queue.enqueue({ type: 'a' }, { type: 'a' });
    await queue.sql(`update background_jobs set concurrency_key = 'k', concurrency_limit = 1`);
    expect(await claimable()).toEqual([one]);
    await queue.sql('update background_jobs set concurrency_limit = 2 where id = $1', [two]);
    expect(await claimable()).toEqual([two]);
  });

  it('of expires_at expires it', async () => {
    const [id] = await queue.enqueue({ type: 'a' });
    await queue.sql(`update background_jobs set expires_at = now() - interval '1 second' where id = $1`, [
      id,
    ]);
    expect(await claimable()).toEqual([]);
    await queue.sql('select sweep_background_jobs()');
    expect(await queue.job(id!)).toMatchObject({ status: 'failed', failure_reason: 'expired' });
  });

  it('of id moves its ready row along', async () => {
    const [id] = await queue.enqueue({ type: 'a' });
    const renamed = await queue.value<string>(
      'update background_jobs set id = uuid_v7() where id = $1 returning id',
      [id],
    );
    expect(await claimable()).toEqual([renamed]);
  });

  it('of anything else leaves it claimable', async () => {
    const [id] = await queue.enqueue({ type: 'a' });
    await queue.sql(
      `update background_jobs set payload = '{"by": "hand"}', max_retries = 9, timeout_seconds = 5, error = 'x'`,
    );
    expect(await queue.claim()).toMatchObject([
      { id, payload: { by: 'hand' }, max_retries: 9, timeout_seconds: 5 },
    ]);
  });

  it('of its lease gives it none', async () => {
    const [id] = await queue.enqueue({ type: 'a' });
    await queue.sql(
      `update background_jobs set lease_token = gen_random_uuid(), lease_until = now() where id = $1`,
      [id],
    );
    await expectFits(id!, 'queued');
  });
});

describe('a hand edit of a running job', () => {
  it('of its lease changes nothing', async () => {
    const job = await queue.running();
    await queue.sql(
      `update background_jobs set lease_token = gen_random_uuid(), lease_until = '1999-01-01' where id = $1`,
      [job.id],
    );
    await queue.sql(`update background_jobs set lease_token = null, lease_until = null where id = $1`, [
      job.id,
    ]);
    expect(await queue.sql('select * from sweep_background_jobs() where rescued > 0')).toEqual([]);
    expect(await queue.complete(lease(job))).toEqual([true]);
  });

  it.each([
    `run_at = now() + interval '1 hour'`,
    'priority = 7',
    `lane = 'worker'`,
    `lane = 'inline'`,
    `type = 'b'`,
    `concurrency_key = 'k', concurrency_limit = 1`,
    `expires_at = now()`,
    `payload = '[]'`,
    'started_at = null',
    `concurrency_key = null, concurrency_limit = null, lane = 'inline'`,
  ])('of %s lets it end as it would', async (change) => {
    for (const key of [{}, { concurrency_key: 'own' }]) {
      const job = await queue.running(key);
      await queue.sql(`update background_jobs set ${change} where id = $1`, [job.id]);
      expect(await queue.sql('select * from check_background_jobs()')).toEqual([]);
      expect(await queue.complete(lease(job))).toEqual([true]);
      expect(await queue.sql('select * from background_job_slots')).toEqual([]);
    }
  });

  it('of concurrency_key frees the old one', async () => {
    const job = await queue.running({ concurrency_key: 'old' });
    await queue.sql(`update background_jobs set concurrency_key = 'new' where id = $1`, [job.id]);
    const [old] = await queue.enqueue(
      { type: 'a', concurrency_key: 'old' },
      { type: 'a', concurrency_key: 'new' },
    );
    expect(await claimable()).toEqual([old]);
  });

  it('back to queued and claimed again leaves the first attempt without power', async () => {
    const first = await queue.running();
    await queue.sql(`update background_jobs set status = 'queued' where id = $1`, [first.id]);
    const [second] = await queue.claim({ worker: 'w2' });
    expect(await queue.complete(lease(first))).toEqual([false]);
    expect(await queue.fail(first)).toBeNull();
    expect(await queue.complete(lease(second!))).toEqual([true]);
  });
});

describe('a hand insert', () => {
  it.each(statuses)('of a %s job needs only its type', async (status) => {
    const id = await queue.value<string>(
      `insert into background_jobs (type, status) values ('by/hand', $1) returning id`,
      [status],
    );
    expect(await queue.job(id)).toMatchObject({ lane: 'edge', max_retries: 3, priority: 0, payload: {} });
    await expectFits(id, status);
  });

  it.each(statuses)('of a %s job works for service_role too', async (status) => {
    const client = await serviceRole();
    const id = await queue.value<string>(
      `insert into background_jobs (type, status) values ('by/hand', $1) returning id`,
      [status],
      client,
    );
    await client.query('commit');
    await expectFits(id, status);
  });

  it('takes its type’s defaults', async () => {
    await queue.syncTypes({
      type: 'a',
      lane: 'worker',
      timeout_seconds: 7,
      max_retries: 9,
      priority: 5,
      concurrency_limit: 4,
    });
    const id = await queue.value<string>(
      `insert into background_jobs (type, concurrency_key) values ('a', 'k') returning id`,
    );
    expect(await queue.job(id)).toMatchObject({
      lane: 'worker',
      timeout_seconds: 7,
      max_retries: 9,
      priority: 5,
      concurrency_limit: 4,
    });
    expect(await queue.claim({ lane: 'worker' })).toHaveLength(1);
  });

  it('of a copy of a row, with all its columns, is a job like any other', async () => {
    const copy = `insert into background_jobs
      select (jsonb_populate_record(j, jsonb_build_object('id', uuid_v7()))).* from background_jobs j where j.id = $1 returning id`;
    const [fresh] = await queue.enqueue({ type: 'a' });
    const one = await queue.value<string>(copy, [fresh]);
    expect(await claimable()).toEqual([fresh, one]);
    // The original is running now, and so is its copy, under a lease of its own.
    const two = await queue.value<string>(copy, [fresh]);
    await queue.expireLeases(two);
    await queue.sql('select sweep_background_jobs()');
    expect(await queue.job(two)).toMatchObject({ status: 'queued', retry_count: 1 });
  });

  it('of rows that were deleted puts them back', async () => {
    await queue.running();
    const waiting = await queue.enqueue({ type: 'a' });
    await queue.sql('create table kept as select * from background_jobs');
    await queue.sql('delete from background_jobs');
    await queue.sql('insert into background_jobs select * from kept');
    await queue.sql('drop table kept');
    expect(await queue.sql('select * from check_background_jobs()')).toEqual([]);
    expect(await claimable()).toEqual(waiting);
  });

  it('of a job of an inline type runs on the edge lane', async () => {
    await queue.syncTypes({ type: 'a', lane: 'inline' });
    const id = await queue.value<string>(`insert into background_jobs (type) values ('a') returning id`);
    expect(await claimable()).toEqual([id]);
  });

  it('of a future job waits for its time', async () => {
    await queue.sql(`insert into background_jobs (type, run_at) values ('a', now() + interval '3 days')`);
    expect(await claimable()).toEqual([]);
    await queue.sql('select sweep_background_jobs()');
    expect(await queue.value('select status from background_jobs')).toBe('queued');
  });

  it('of a running job is rescued when nobody ends it', async () => {
    const id = await queue.value<string>(
      `insert into background_jobs (type, status) values ('a', 'processing') returning id`,
    );
    await queue.expireLeases(id);
    await queue.sql('select sweep_background_jobs()');
    expect(await queue.job(id)).toMatchObject({ status: 'queued', retry_count: 1 });
  });
});

describe('a hand delete', () => {
  it.each(statuses)('of a %s job leaves nothing of it', async (status) => {
    for (const client of [await queue.connect(), await serviceRole()]) {
      const job = await jobThatIs(status);
      await client.query('delete from background_jobs where id = $1', [job.id]);
      await client.query('commit');
      expect(await claimable()).toEqual([]);
      expect(await queue.job(job.id)).toBeUndefined();
      if (status === 'processing') {
        expect(await queue.complete(lease(job))).toEqual([false]);
        expect(await queue.fail(job)).toBeNull();
      }
    }
  });

  it('of everything, by truncate, empties the queue', async () => {
    await queue.enqueue(
      { type: 'a' },
      { type: 'a', concurrency_key: 'k' },
      { type: 'a', concurrency_key: 'k' },
    );
    await queue.claim({ maxJobs: 2 });
    await queue.sql('truncate background_jobs cascade');
    expect(await queue.sql('select * from check_background_jobs()')).toEqual([]);
    expect(await queue.value('select count(*)::int from background_job_slots')).toBe(0);
    const [id] = await queue.enqueue({ type: 'a', concurrency_key: 'k' });
    expect(await claimable()).toEqual([id]);
  });
});
