import type pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../support/database.ts';

export interface Claimed {
  id: string;
  type: string;
  payload: unknown;
  retry_count: number;
  max_retries: number;
  timeout_seconds: number;
  lease_token: string;
  steps: Record<string, unknown>;
}

export interface JobRow {
  id: string;
  type: string;
  status: string;
  lane: string;
  result: unknown;
  error: string | null;
  failure_reason: string | null;
  retry_count: number;
  lease_token: string | null;
  [column: string]: unknown;
}

export interface ClaimRequest {
  lane?: string;
  worker?: string;
  maxJobs?: number;
  leaseSeconds?: number;
  fitSeconds?: number | null;
  types?: unknown;
}

/** Anything that runs SQL: the pool, or one connection with its own transaction. */
type Runner = Pick<pg.ClientBase, 'query'>;

export interface TestQueue {
  sql<Row>(text: string, values?: unknown[], runner?: Runner): Promise<Row[]>;
  /** The only column of the only row. */
  value<T>(text: string, values?: unknown[], runner?: Runner): Promise<T>;
  /** A connection of its own, released (and its transaction rolled back) after the test. */
  connect(): Promise<pg.PoolClient>;
  /** Ids of the new jobs, in input order. */
  enqueue(...jobs: Record<string, unknown>[]): Promise<string[]>;
  claim(request?: ClaimRequest, runner?: Runner): Promise<Claimed[]>;
  /** Enqueues one job and claims it. */
  running(job?: Record<string, unknown>): Promise<Claimed>;
  fail(
    job: Claimed,
    more?: { error?: unknown; retryable?: boolean; retryAfter?: number },
  ): Promise<string | null>;
  complete(...results: Record<string, unknown>[]): Promise<boolean[]>;
  job(id: string): Promise<JobRow>;
  syncTypes(...definitions: Record<string, unknown>[]): Promise<void>;
  /** Makes the leases of the jobs look a second overdue, as if their worker had died a while ago. */
  expireLeases(...ids: string[]): Promise<void>;
  /** Changes rows as the queue's own functions do, without the hand-edit triggers. */
  internally(text: string, values?: unknown[]): Promise<void>;
  /** Resolves when the connection waits for a lock that another one (of `blockers`, when given) holds. */
  untilBlocked(client: pg.PoolClient, ...blockers: pg.PoolClient[]): Promise<void>;
}

/** A queue in a database of its own for the file; emptied, and found sound, after each test. */
export function useQueue(): TestQueue {
  let database: TestDatabase;
  let clients: pg.PoolClient[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await Promise.all(clients.map((client) => client.query('rollback')));
    clients.forEach((client) => client.release());
    clients = [];
    await expectSoundQueue(database.pool);
    await database.pool.query('delete from background_jobs');
    await database.pool.query('delete from job_types; delete from job_type_starts; delete from job_quotas');
    // Statistics outlive the rows.
    await database.pool.query(
      'truncate background_job_ends, job_rollups, job_creations, job_dead_letters, job_recent_ends',
    );
    await database.pool.query(`update background_job_leases set lease_until = now()`);
    // A sweep looks at 1,000 leases at most.
    for (let n = 0; n < 2; n++) await database.pool.query('select sweep_background_jobs()');
    await expectNothingLeft(database.pool);
  });
  afterAll(async () => {
    await database.close();
  });

  const queue: TestQueue = {
    async sql<Row>(text: string, values: unknown[] = [], runner: Runner = database.pool) {
      return (await runner.query(text, values)).rows as Row[];
    },
    async value<T>(text: string, values: unknown[] = [], runner: Runner = database.pool) {
      const rows = await queue.sql<Record<string, T>>(text, values, runner);
      return Object.values(rows[0] ?? {})[0] as T;
    },
    async connect() {
      const client = await database.pool.connect();
      clients.push(client);
      return client;
    },
    async enqueue(...jobs) {
      const rows = await queue.sql<{ id: string }>('select * from enqueue_background_jobs($1)', [
        JSON.stringify(jobs),
      ]);
      return rows.map(({ id }) => id);
    },
    async claim(request = {}, runner = database.pool) {
      const { lane = 'edge', worker = 'w1', maxJobs = 100, leaseSeconds = 60 } = request;
      return await queue.sql<Claimed>(
        'select * from claim_background_jobs($1, $2, $3, $4, $5, $6)',
        [lane, worker, maxJobs, leaseSeconds, request.fitSeconds ?? null, asJson(request.types)],
        runner,
      );
    },
    async running(job = {}) {
      const [id] = await queue.enqueue({ type: 'test/job', ...job });
      const claimed = await queue.claim({ maxJobs: 1 });
      expect(claimed.map((each) => each.id)).toEqual([id]);
      return claimed[0] as Claimed;
    },
    async fail(job, { error = { name: 'Error', message: 'boom' }, retryable = true, retryAfter } = {}) {
      return await queue.value('select fail_background_job($1, $2, $3, $4, $5)', [
        job.id,
        job.lease_token,
        JSON.stringify(error),
        retryable,
        retryAfter ?? null,
      ]);
    },
    async complete(...results) {
      const rows = await queue.sql<{ accepted: boolean }>('select * from complete_background_jobs($1)', [
        JSON.stringify(results),
      ]);
      return rows.map(({ accepted }) => accepted);
    },
    async job(id) {
      const [row] = await queue.sql<JobRow>('select * from background_jobs where id = $1', [id]);
      return row as JobRow;
    },
    async syncTypes(...definitions) {
      await queue.sql('select sync_job_types($1)', [JSON.stringify(definitions)]);
    },
    async expireLeases(...ids) {
      await queue.internally(
        `update background_jobs set lease_until = clock_timestamp() - interval '1 second'
         where id = any ($1) and status = 'processing'`,
        [ids],
      );
      await queue.sql(
        `update background_job_leases set lease_until = clock_timestamp() - interval '1 second'
         where job_ids && $1::uuid[]`,
        [ids],
      );
    },
    async internally(text, values = []) {
      const marked = text.replaceAll('update background_jobs set', '$& revision = revision + 1,');
      await database.pool.query(marked, values);
    },
    async untilBlocked(client, ...blockers) {
      await vi.waitFor(
        async () => {
          const blocking = await queue.value<number[]>('select pg_blocking_pids($1)', [backend(client)]);
          const awaited = blockers.length === 0 ? blocking : blockers.map(backend);
          expect(blocking.filter((pid) => awaited.includes(pid))).not.toEqual([]);
        },
        { timeout: 30_000, interval: 5 },
      );
    },
  };
  return queue;
}

/** A lease as the fenced functions take it. */
export function lease(job: Claimed, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { job_id: job.id, lease_token: job.lease_token, ...more };
}

function backend(client: pg.PoolClient): number {
  return (client as pg.PoolClient & { processID: number }).processID;
}

function asJson(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

/** Deleting every job by hand leaves no trace in the narrow tables once a sweep has come by after the leases' time. */
async function expectNothingLeft(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query(`
    select (select count(*)::int from background_job_ready) as ready,
           (select count(*)::int from background_job_leases) as leases,
           (select count(*)::int from background_job_slots) as slots,
           (select count(*)::int from background_job_attempts) as attempts,
           (select count(*)::int from background_job_steps) as steps`);
  expect(rows).toEqual([{ ready: 0, leases: 0, slots: 0, attempts: 0, steps: 0 }]);
}
