import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Runner, run as runGraphile } from 'graphile-worker';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { recordingLogger } from '../../tests/support/recording-logger.ts';
import { type Housekeeping, startHousekeeping } from './housekeeping.ts';

/** Every runner that was started: nothing else can end one the way its own faults do. */
let runners: Runner[];
const run: typeof runGraphile = async (options) => {
  const runner = await runGraphile(options);
  runners.push(runner);
  return runner;
};

let database: TestDatabase;
let pools: pg.Pool[];
let started: Housekeeping[];

beforeEach(async () => {
  database = await createTestDatabase();
  pools = [];
  runners = [];
  started = [];
});
afterEach(async () => {
  await Promise.all(started.map((each) => each.stop()));
  await Promise.all(pools.map((pool) => pool.end()));
  await database.close();
});

const log = recordingLogger();

async function start(): Promise<void> {
  const pool = new pg.Pool({ connectionString: database.url });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  pools.push(pool);
  const options = { pool, rpc: database.rpc, keepDays: 30, catalog: [], withDefinitions: true, log, run };
  started.push(await startHousekeeping(options));
}

async function rows(sql: string): Promise<Record<string, unknown>[]> {
  return (await database.pool.query<Record<string, unknown>>(sql)).rows;
}

/** Takes a turn of the crontab now. */
async function takeTurn(task: string): Promise<void> {
  await rows(`select graphile_worker.add_job('${task}')`);
}

async function made(): Promise<unknown> {
  return (await rows('select count(*)::int as jobs from background_jobs'))[0]?.['jobs'];
}

async function minutely(): Promise<void> {
  await rows(`insert into job_schedules (name, type, cron, evaluated_until)
    values ('a', 'test/job', '* * * * *', now() - interval '1 minute')`);
}

it('can be started by many processes at once, and knows its turns once', async () => {
  await Promise.all(Array.from({ length: 4 }, start));
  await vi.waitFor(
    async () =>
      expect(await rows('select identifier from graphile_worker._private_known_crontabs order by 1')).toEqual(
        [{ identifier: 'prune' }, { identifier: 'schedules' }],
      ),
    { timeout: 30_000 },
  );
});

it('looks at the schedules and prunes', async () => {
  await start();
  await minutely();
  await rows(`insert into background_jobs (id, type, status, created_at, completed_at)
    values ('00000000-0000-7000-8000-000000000000', 'test/old', 'completed', '2020-01-01', '2020-01-01')`);
  await takeTurn('evaluate_job_schedules');
  await takeTurn('prune_background_jobs');
  await vi.waitFor(
    async () => {
      const types = await rows('select distinct type from background_jobs');
      expect(types).toEqual([{ type: 'test/job' }]);
    },
    { timeout: 30_000 },
  );
});

it('goes on when its connections were cut', async () => {
  await start();
  await vi.waitFor(
    async () => {
      const cut = await rows(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query like 'LISTEN%'`);
      expect(cut).toHaveLength(1);
    },
    { timeout: 30_000 },
  );
  await minutely();
  await takeTurn('evaluate_job_schedules');
  await vi.waitFor(async () => expect(await made()).not.toBe(0), { timeout: 30_000 });
});

it('starts its runner again when that has ended by itself', async () => {
  await start();
  await runners.at(-1)?.stop();
  const startedBefore = runners.length;
  await vi.waitFor(() => expect(runners.length).toBeGreaterThan(startedBefore), { timeout: 30_000 });
  expect(log.records.map(({ message }) => message)).toContain('housekeeping ended, starting it again');
  await minutely();
  await takeTurn('evaluate_job_schedules');
  await vi.waitFor(async () => expect(await made()).not.toBe(0), { timeout: 30_000 });
});
