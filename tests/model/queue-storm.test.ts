import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../support/database.ts';

/**
 * Eight connections at once do what workers, operators and sweeps do, while a reaper cuts connections in the middle of
 * whatever they do. Nothing acknowledged may be lost, nothing may happen twice, and the queue must be sound after it.
 */

const actors = 8;
const operationsPerActor = 250;
const keyLimit = 2;

interface Ledger {
  acknowledged: Set<string>;
  deleted: Set<string>;
  claims: Map<string, number>;
  accepted: Map<string, number>;
  leases: { jobId: string; token: string }[];
  unexpected: string[];
}

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(async () => {
  await database.close();
});

/** Small seeded generator (mulberry32): a failing seed can be run again, although not its interleaving. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What an actor may meet: a cut connection always; a deadlock only where people edit many rows in one statement. */
interface Weather {
  operations: ((actor: Actor) => Promise<void>)[];
  expected: RegExp;
}

/** One connection that is opened again when the reaper cut it. */
class Actor {
  private client: pg.Client | null = null;
  readonly next: () => number;
  readonly ledger: Ledger;
  private readonly expected: RegExp;

  constructor(seed: number, ledger: Ledger, expected: RegExp) {
    this.next = random(seed);
    this.ledger = ledger;
    this.expected = expected;
  }

  async ask<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
    try {
      this.client ??= await this.connect();
      return (await this.client.query<Row>(sql, values)).rows;
    } catch (error) {
      this.judge(error);
      return [];
    }
  }

  /** A cut connection is part of the storm; any other error is a finding. */
  private judge(error: unknown): void {
    const cut =
      error instanceof Error && /terminat|not queryable|ECONNRESET|ended|closed/i.test(error.message);
    if (!cut) this.ledger.unexpected.push(String(error));
    this.client?.end().catch(() => {});
    this.client = null;
  }

  private async connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: database.url, application_name: 'storm' });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async close(): Promise<void> {
    await this.client?.end();
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.next() * items.length)];
  }
}

const anyJob = `(select id from background_jobs offset floor(random() * (select count(*) from background_jobs)) limit 1)`;

async function enqueue(actor: Actor): Promise<void> {
  const job = (n: number) => ({
    type: 'storm/job',
    priority: n % 3,
    ...(n % 4 === 0 && { concurrency_key: 'storm', concurrency_limit: keyLimit }),
    ...(n % 5 === 0 && { idempotency_key: `key ${n}` }),
  });
  const jobs = Array.from({ length: 1 + Math.floor(actor.next() * 6) }, () =>
    job(Math.floor(actor.next() * 200)),
  );
  const rows = await actor.ask<{ id: string }>('select id from enqueue_background_jobs($1)', [
    JSON.stringify(jobs),
  ]);
  for (const { id } of rows) actor.ledger.acknowledged.add(id);
}

async function claim(actor: Actor): Promise<void> {
  const rows = await actor.ask<{ id: string; lease_token: string }>(
    `select id, lease_token from claim_background_jobs('edge', 'storm', $1, 600)`,
    [1 + Math.floor(actor.next() * 8)],
  );
  for (const { id, lease_token: token } of rows) {
    actor.ledger.leases.push({ jobId: id, token });
    count(actor.ledger.claims, `${id} ${token}`);
  }
}

async function complete(actor: Actor): Promise<void> {
  const leases = Array.from({ length: 4 }, () => actor.pick(actor.ledger.leases.slice(-40))).filter(
    (lease) => lease !== undefined,
  );
  const unique = [...new Map(leases.map((lease) => [lease.jobId, lease])).values()];
  const rows = await actor.ask<{ job_id: string; accepted: boolean }>(
    'select * from complete_background_jobs($1)',
    [JSON.stringify(unique.map(({ jobId, token }) => ({ job_id: jobId, lease_token: token, result: 1 })))],
  );
  rows.forEach(({ job_id: jobId, accepted }, index) => {
    if (accepted) count(actor.ledger.accepted, `${jobId} ${unique[index]?.token}`);
  });
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

const withLease = (sql: string) => async (actor: Actor) => {
  const lease = actor.pick(actor.ledger.leases.slice(-40));
  if (lease) await actor.ask(sql, [lease.jobId, lease.token]);
};

const withSql = (sql: string) => async (actor: Actor) => {
  await actor.ask(sql);
};

async function remove(actor: Actor): Promise<void> {
  const [row] = await actor.ask<{ id: string }>(`select ${anyJob} as id`);
  if (!row?.id) return;
  actor.ledger.deleted.add(row.id);
  await actor.ask('delete from background_jobs where id = $1', [row.id]);
}

/** A lease runs out; the sweep rescues its job. */
async function expireAndSweep(actor: Actor): Promise<void> {
  await actor.ask(
    `with late as (
       update background_jobs set revision = revision + 1, lease_until = now() - interval '1 second'
       where id = (select id from background_jobs where status = 'processing' order by random() limit 1)
         and status = 'processing'
       returning lease_token)
     update background_job_leases set lease_until = now() - interval '1 second' where token in (select lease_token from late)`,
  );
  await actor.ask('select * from sweep_background_jobs()');
}

async function cutConnections(actor: Actor): Promise<void> {
  await actor.ask(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'storm' and pid <> pg_backend_pid() and datname = current_database() and random() < 0.2`,
  );
}

async function watchKey(actor: Actor): Promise<void> {
  const [row] = await actor.ask<{ running: number }>(
    `select count(*)::int as running from background_jobs where status = 'processing' and concurrency_key = 'storm'`,
  );
  if (row && row.running > keyLimit) actor.ledger.unexpected.push(`${row.running} jobs of one key at once`);
}

const operations: Weather['operations'] = [
  enqueue,
  enqueue,
  claim,
  claim,
  claim,
  complete,
  complete,
  withLease(`select fail_background_job($1, $2, '{"message": "storm"}', true, 0)`),
  withLease(`select snooze_background_job($1, $2, now(), 'storm')`),
  withLease(`select save_background_job_step($1, $2, 'step', '1')`),
  withLease('select hand_off_background_job($1, $2)'),
  withLease(
    `select * from heartbeat_background_jobs(jsonb_build_array(jsonb_build_object('job_id', $1::uuid, 'lease_token', $2::uuid)), 600)`,
  ),
  withSql(`select * from claim_background_job(${anyJob}, 'storm', 600)`),
  withSql(`select cancel_background_job(${anyJob})`),
  withSql(`select retry_failed_job(${anyJob}, true)`),
  withSql(`insert into background_jobs (type) values ('storm/by hand')`),
  withSql(`update background_jobs set status = 'queued' where id = ${anyJob}`),
  withSql(
    `update background_jobs set status = 'failed', error = 'by hand' where status = 'processing' and random() < 0.1`,
  ),
  withSql(`update background_jobs set status = 'completed' where id = ${anyJob}`),
  withSql(
    `update background_jobs set run_at = now() - random() * interval '1 hour', priority = 4 where id = ${anyJob}`,
  ),
  withSql(
    `update background_jobs set lane = case lane when 'edge' then 'worker' else 'edge' end where id = ${anyJob}`,
  ),
  remove,
  expireAndSweep,
  cutConnections,
  watchKey,
];

const cut = /terminat|not queryable|ECONNRESET|ended|closed/i;

const single: Weather = { operations, expected: cut };

/**
 * Two statements that lock many rows may meet in opposite order; Postgres then ends one, and its client repeats it.
 * `persist` does that for outcomes.
 */
const bulk: Weather = {
  operations: [
    ...operations,
    withSql(
      `update background_jobs set status = 'failed', error = 'by hand' where status = 'processing' and random() < 0.1`,
    ),
    withSql(`update background_jobs set run_at = now() where status = 'queued' and random() < 0.2`),
  ],
  expected: new RegExp(`${cut.source}|deadlock detected`, 'i'),
};

async function storm(seed: number, weather: Weather): Promise<Ledger> {
  const ledger: Ledger = {
    acknowledged: new Set(),
    deleted: new Set(),
    claims: new Map(),
    accepted: new Map(),
    leases: [],
    unexpected: [],
  };
  await Promise.all(
    Array.from({ length: actors }, async (_, n) => {
      const actor = new Actor(seed * 1000 + n, ledger, weather.expected);
      for (let done = 0; done < operationsPerActor; done += 1) await actor.pick(weather.operations)?.(actor);
      await actor.close();
    }),
  );
  return ledger;
}

/** A calm worker after the storm: everything that waits or was left running comes to an end. */
async function drainAll(): Promise<void> {
  const { pool } = database;
  const open = `select count(*)::int as open from background_jobs where status in ('queued', 'processing')`;
  await pool.query(`update background_jobs set run_at = now(), lane = 'edge' where status = 'queued'`);
  for (;;) {
    await pool.query(`
      with claimed as (select jsonb_agg(jsonb_build_object('job_id', id, 'lease_token', lease_token)) as leases
                       from claim_background_jobs('edge', 'calm', 100, 600))
      select complete_background_jobs(leases) from claimed where leases is not null`);
    const { rows } = await pool.query<{ open: number }>(open);
    if (rows[0]?.open === 0) return;
    await pool.query(
      `update background_jobs set status = 'queued', lane = 'edge' where status = 'processing'`,
    );
  }
}

test.each([
  ['single edits', 1, single],
  ['single edits', 2, single],
  ['bulk edits', 3, bulk],
])(
  'a storm with %s (seed %i) loses nothing, does nothing twice and leaves a sound queue',
  async (_, seed, weather) => {
    const ledger = await storm(seed, weather);
    expect(ledger.unexpected).toEqual([]);
    await database.pool.query('select * from sweep_background_jobs()');
    await expectSoundQueue(database.pool);
    expect([...ledger.claims.values()].filter((times) => times > 1)).toEqual([]);
    expect([...ledger.accepted.values()].filter((times) => times > 1)).toEqual([]);
    await drainAll();
    await expectSoundQueue(database.pool);
    const { rows } = await database.pool.query<{ id: string }>(
      `select id from background_jobs where status in ('completed', 'failed', 'cancelled')`,
    );
    const ended = new Set(rows.map(({ id }) => id));
    const lost = [...ledger.acknowledged].filter((id) => !ended.has(id) && !ledger.deleted.has(id));
    expect(lost).toEqual([]);
  },
);
