import fc from 'fast-check';
import type pg from 'pg';
import { expect } from 'vitest';
import { concurrencyLimit, type Lease, type ModelJob, type QueueModel } from './queue-model.ts';

/** The real queue: several connections, each command on one of them. */
export interface RealQueue {
  connections: pg.Client[];
}

type Command = fc.AsyncCommand<QueueModel, RealQueue>;
type Ask = <Row extends object>(sql: string, values?: unknown[]) => Promise<Row[]>;

const statuses = ['queued', 'processing', 'completed', 'failed', 'cancelled'] as const;

/** A command from a name and what it does to the model and, on one connection, to the queue. */
function command(
  name: string,
  connection: number,
  act: (model: QueueModel, ask: Ask) => Promise<void>,
): Command {
  return {
    check: () => true,
    run: async (model, real) => {
      const client = real.connections[connection % real.connections.length];
      if (!client) throw new Error('the queue under test has no connection');
      await act(model, async <Row extends object>(sql: string, values: unknown[] = []) => {
        const { rows } = await client.query<Row>(sql, values);
        return rows;
      });
      await expectSameJobs(model, real);
    },
    toString: () => `${name} on connection ${connection}`,
  };
}

async function expectSameJobs(model: QueueModel, real: RealQueue): Promise<void> {
  const rows = await real.connections[0]?.query<{ id: string }>(
    `select j.id, j.status, j.retry_count, j.lease_token, j.run_at <= clock_timestamp() as due,
            (select count(*)::int from background_job_attempts a where a.job_id = j.id) as attempts,
            (select coalesce(array_agg(s.name order by s.name), '{}') from background_job_steps s where s.job_id = j.id) as steps
     from background_jobs j order by j.id`,
  );
  const expected = [...model.jobs.values()].map((job) => ({
    id: job.id,
    status: job.status,
    retry_count: job.retryCount,
    lease_token: job.token,
    due: job.due,
    attempts: job.attempts,
    steps: [...job.steps].sort(),
  }));
  expect(rows?.rows).toEqual(expected.sort((a, b) => (a.id < b.id ? -1 : 1)));
}

const pick = <Item>(items: readonly Item[], index: number): Item | undefined => items[index % items.length];
const anyJob = (model: QueueModel, index: number): ModelJob | undefined =>
  pick([...model.jobs.values()], index);
const anyLease = (model: QueueModel, index: number): Lease | undefined => pick(model.leases, index);

function enqueue(connection: number, key: string | null, concurrencyKey: string | null, maxRetries: number) {
  return command(`enqueue ${key ?? 'a job'}`, connection, async (model, ask) => {
    const job = {
      type: 'model/job',
      idempotency_key: key,
      concurrency_key: concurrencyKey,
      concurrency_limit: concurrencyKey && concurrencyLimit,
      max_retries: maxRetries,
    };
    const [row] = await ask<{ id: string; created: boolean }>('select * from enqueue_background_jobs($1)', [
      JSON.stringify([job]),
    ]);
    const known = key === null ? undefined : model.withKey(key);
    expect(row?.created).toBe(known === undefined);
    if (known) expect(row?.id).toBe(known.id);
    else if (row) model.enqueued(row.id, key, concurrencyKey, maxRetries);
  });
}

function claim(connection: number, jobs: number) {
  return command(`claim ${jobs}`, connection, async (model, ask) => {
    const expected = model.claimable();
    const rows = await ask<{ id: string; lease_token: string; steps: object; retry_count: number }>(
      `select * from claim_background_jobs('edge', 'model', $1, 600)`,
      [jobs],
    );
    if (jobs >= model.jobs.size) expect(rows.length).toBe(expected);
    expect(rows.length > 0).toBe(expected > 0);
    for (const row of rows) {
      const job = model.job(row.id);
      expect(job.due && model.mayStart(job)).toBe(true);
      expect(Object.keys(row.steps).sort()).toEqual([...job.steps].sort());
      expect(row.retry_count).toBe(job.retryCount);
      model.claimed(row.id, row.lease_token);
    }
  });
}

function claimOne(connection: number, index: number) {
  return command('claim a named job', connection, async (model, ask) => {
    const job = anyJob(model, index);
    if (!job) return;
    const rows = await ask<{ id: string; lease_token: string }>(
      `select * from claim_background_job($1, 'model', 600)`,
      [job.id],
    );
    expect(rows.length).toBe(model.mayStart(job) ? 1 : 0);
    const due = job.due;
    for (const row of rows) model.claimed(row.id, row.lease_token);
    job.due = due;
  });
}

const leaseJson = (lease: Lease, more: object = {}) =>
  JSON.stringify([{ job_id: lease.jobId, lease_token: lease.token, ...more }]);

function heartbeat(connection: number, index: number) {
  return command('heartbeat', connection, async (model, ask) => {
    const lease = anyLease(model, index);
    if (!lease) return;
    const [row] = await ask<{ state: string }>('select * from heartbeat_background_jobs($1, 600)', [
      leaseJson(lease),
    ]);
    const job = model.held(lease);
    expect(row?.state).toBe(job ? (job.cancelRequested ? 'cancel' : 'continue') : 'lost');
  });
}

function complete(connection: number, index: number) {
  return command('complete', connection, async (model, ask) => {
    const lease = anyLease(model, index);
    if (!lease) return;
    const [row] = await ask<{ accepted: boolean }>('select * from complete_background_jobs($1)', [
      leaseJson(lease, { result: { done: true } }),
    ]);
    const job = model.held(lease);
    expect(row?.accepted).toBe(job !== undefined);
    if (job) model.completed(job);
  });
}

/** A call that ends an attempt and answers the job's new status, or null for a lost lease. */
function ending(name: string, sql: string, effect: (model: QueueModel, job: ModelJob) => string) {
  return (connection: number, index: number) =>
    command(name, connection, async (model, ask) => {
      const lease = anyLease(model, index);
      if (!lease) return;
      const [row] = await ask<{ status: string | null }>(sql, [lease.jobId, lease.token]);
      const job = model.held(lease);
      expect(row?.status).toBe(job ? effect(model, job) : null);
    });
}

const fail = ending(
  'fail, retryable',
  `select fail_background_job($1, $2, '{"message": "model"}', true) as status`,
  (model, job) => model.failed(job, true),
);
const failForGood = ending(
  'fail for good',
  `select fail_background_job($1, $2, '{"message": "model"}', false) as status`,
  (model, job) => model.failed(job, false),
);
const snooze = ending(
  'snooze',
  `select snooze_background_job($1, $2, now() + interval '1 hour', 'model') as status`,
  (model, job) => model.snoozed(job),
);
const handOff = ending('hand off', 'select hand_off_background_job($1, $2) as status', (model, job) =>
  model.handedOff(job),
);

function saveStep(connection: number, index: number, step: string) {
  return command(`save step ${step}`, connection, async (model, ask) => {
    const lease = anyLease(model, index);
    if (!lease) return;
    const [row] = await ask<{ saved: boolean }>(`select save_background_job_step($1, $2, $3, '1') as saved`, [
      lease.jobId,
      lease.token,
      step,
    ]);
    const job = model.held(lease);
    expect(row?.saved).toBe(job !== undefined);
    if (!job) return;
    job.stepSaved = true;
    if (!job.steps.includes(step)) job.steps.push(step);
  });
}

function cancel(connection: number, index: number) {
  return command('cancel', connection, async (model, ask) => {
    const job = anyJob(model, index);
    if (!job) return;
    const [row] = await ask<{ cancelled: boolean }>('select cancel_background_job($1) as cancelled', [
      job.id,
    ]);
    expect(row?.cancelled).toBe(job.status === 'queued' || job.status === 'processing');
    if (job.status === 'processing') job.cancelRequested = true;
    if (job.status === 'queued') model.edited(job, 'cancelled', null);
  });
}

function retry(connection: number, index: number, force: boolean) {
  return command(`retry${force ? ' by force' : ''}`, connection, async (model, ask) => {
    const job = anyJob(model, index);
    if (!job) return;
    const [row] = await ask<{ retried: boolean }>('select retry_failed_job($1, $2) as retried', [
      job.id,
      force,
    ]);
    const retried = job.status === 'failed' && (force || job.retryCount < job.maxRetries);
    expect(row?.retried).toBe(retried);
    if (!retried) return;
    job.retryCount += 1;
    job.due = true;
    model.edited(job, 'queued', null);
  });
}

/** The lease of a running job runs out, and a sweep finds it. */
function crash(connection: number, index: number) {
  return command('crash and sweep', connection, async (model, ask) => {
    const job = pick(
      [...model.jobs.values()].filter(({ status }) => status === 'processing'),
      index,
    );
    if (!job) return;
    await ask('begin');
    await ask(
      `update background_jobs set revision = revision + 1, lease_until = now() - interval '1 second' where id = $1`,
      [job.id],
    );
    await ask(`update background_job_leases set lease_until = now() - interval '1 second' where token = $1`, [
      job.token,
    ]);
    await ask('commit');
    const [row] = await ask<{ rescued: string }>(
      'select sum(rescued) as rescued from sweep_background_jobs()',
    );
    expect(Number(row?.rescued)).toBe(1);
    model.failed(job, true);
  });
}

function handInsert(connection: number, status: (typeof statuses)[number]) {
  return command(`insert a ${status} row by hand`, connection, async (model, ask) => {
    const [row] = await ask<{ id: string; lease_token: string | null }>(
      `insert into background_jobs (type, status) values ('model/job', $1) returning id, lease_token`,
      [status],
    );
    if (!row) throw new Error('the hand insert returned no row');
    model.enqueued(row.id, null, null, 3);
    model.edited(model.job(row.id), status, row.lease_token);
  });
}

function handUpdate(connection: number, index: number, status: (typeof statuses)[number]) {
  return command(`set a row to ${status} by hand`, connection, async (model, ask) => {
    const job = anyJob(model, index);
    if (!job) return;
    await ask('update background_jobs set status = $2 where id = $1', [job.id, status]);
    const [row] = await ask<{ lease_token: string | null }>(
      'select lease_token from background_jobs where id = $1',
      [job.id],
    );
    model.edited(job, status, row?.lease_token ?? null);
  });
}

function handSchedule(connection: number, index: number, due: boolean, priority: number) {
  return command(`set run_at ${due ? 'back' : 'ahead'} by hand`, connection, async (model, ask) => {
    const job = anyJob(model, index);
    if (!job) return;
    await ask(`update background_jobs set run_at = now() + $2::interval, priority = $3 where id = $1`, [
      job.id,
      due ? '-1 minute' : '1 hour',
      priority,
    ]);
    job.due = due;
  });
}

function handDelete(connection: number, index: number) {
  return command('delete a row by hand', connection, async (model, ask) => {
    const job = anyJob(model, index);
    if (!job) return;
    await ask('delete from background_jobs where id = $1', [job.id]);
    model.jobs.delete(job.id);
  });
}

function pause(connection: number, paused: boolean) {
  return command(paused ? 'pause the type' : 'resume the type', connection, async (model, ask) => {
    await ask(`select ${paused ? 'pause' : 'resume'}_job_type('model/job')`);
    model.paused = paused;
  });
}

const connection = fc.nat(3);
const index = fc.nat(1000);

/** Every operation of the queue, hand edits included, on any of four connections. */
export const queueCommands = [
  fc
    .tuple(
      connection,
      fc.constantFrom(null, null, 'key 1', 'key 2'),
      fc.constantFrom(null, 'one repository'),
      fc.integer({ min: 0, max: 3 }),
    )
    .map((parts) => enqueue(...parts)),
  fc.tuple(connection, fc.constantFrom(1, 3, 100)).map((parts) => claim(...parts)),
  fc.tuple(connection, index).map((parts) => claimOne(...parts)),
  fc.tuple(connection, index).map((parts) => heartbeat(...parts)),
  fc.tuple(connection, index).map((parts) => complete(...parts)),
  fc.tuple(connection, index).map((parts) => fail(...parts)),
  fc.tuple(connection, index).map((parts) => failForGood(...parts)),
  fc.tuple(connection, index).map((parts) => snooze(...parts)),
  fc.tuple(connection, index).map((parts) => handOff(...parts)),
  fc.tuple(connection, index, fc.constantFrom('one', 'two')).map((parts) => saveStep(...parts)),
  fc.tuple(connection, index).map((parts) => cancel(...parts)),
  fc.tuple(connection, index, fc.boolean()).map((parts) => retry(...parts)),
  fc.tuple(connection, index).map((parts) => crash(...parts)),
  fc.tuple(connection, fc.constantFrom(...statuses)).map((parts) => handInsert(...parts)),
  fc.tuple(connection, index, fc.constantFrom(...statuses)).map((parts) => handUpdate(...parts)),
  fc
    .tuple(connection, index, fc.boolean(), fc.integer({ min: -90, max: 90 }))
    .map((parts) => handSchedule(...parts)),
  fc.tuple(connection, index).map((parts) => handDelete(...parts)),
  fc.tuple(connection, fc.boolean()).map((parts) => pause(...parts)),
];
