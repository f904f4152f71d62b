import pg from 'pg';
import { expect } from 'vitest';
import { createPgRpc } from '../../src/database/pg-rpc.ts';
import { DatabaseUnreachableError } from '../../src/database/rpc.ts';
import type { JobDefinition } from '../../src/jobs/define-job.ts';
import { evaluateSchedules, type ScheduleOptions } from '../../src/worker/schedules.ts';
import type { TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { isCut, type Producer } from './storm.ts';

const looks = 8;
const minutes = 35;

/** Schedules of every minute that nobody has looked at for a while, with every missed tick to be made up for. */
export async function addSchedules({ pool }: TestDatabase, type: string, count: number): Promise<void> {
  await pool.query(
    `insert into job_schedules (name, type, cron, catch_up, evaluated_until, payload)
     select 'storm ' || n, $1, '* * * * *', 'all', now() - make_interval(mins => $3), jsonb_build_object('repository', (n % 7)::text)
     from generate_series(1, $2) n`,
    [type, count, minutes],
  );
}

/** A process that looks at all schedules again and again, on connections that may be cut in the middle. */
export function evaluator(
  database: TestDatabase,
  catalog: readonly JobDefinition[],
  place: number,
): Producer {
  return async (random) => {
    const pool = new pg.Pool({ connectionString: database.url, max: 1, application_name: `storm ${place}` });
    pool.on('error', () => {});
    pool.on('connect', (client) => client.on('error', () => {}));
    const options: ScheduleOptions = {
      rpc: createPgRpc(pool),
      catalog,
      withDefinitions: true,
      log: silentLogger,
    };
    for (let look = 0; look < looks; look += 1) {
      await lookOnce(options);
      if (look < looks - 1) await forget(database, `storm ${random.integer(1, 20)}`);
    }
    await pool.end();
    await evaluateSchedules({ ...options, rpc: database.rpc });
  };
}

async function lookOnce(options: ScheduleOptions): Promise<void> {
  try {
    await evaluateSchedules(options);
  } catch (error) {
    if (!(error instanceof DatabaseUnreachableError) && !isCut(error)) throw error;
  }
}

/** As after a backup was restored: the schedule counts from the beginning again, and its ticks are there already. */
async function forget({ pool }: TestDatabase, name: string): Promise<void> {
  await pool.query(
    `update job_schedules set evaluated_until = created_at - make_interval(mins => $2) where name = $1`,
    [name, minutes],
  );
}

/** Every schedule has one job for each of its minutes, and no other. @returns how many jobs that are */
export async function expectEveryTickOnce({ pool }: TestDatabase): Promise<number> {
  const { rows } = await pool.query<{
    name: string;
    problem: string | null;
    missing: number;
    made: number;
    ticks: number;
  }>(
    `select s.name, s.problem, count(j.id)::integer as made, count(distinct j.idempotency_key)::integer as ticks,
       (floor(extract(epoch from s.evaluated_until) / 60) - floor(extract(epoch from s.created_at - make_interval(mins => $1)) / 60)
        - count(distinct j.idempotency_key))::integer as missing
     from job_schedules s left join background_jobs j on split_part(j.idempotency_key, '@', 1) = 'schedule:' || s.name
     group by s.name`,
    [minutes],
  );
  for (const { name, problem, missing, made, ticks } of rows)
    expect({ name, problem, missing, twice: made - ticks }).toEqual({
      name,
      problem: null,
      missing: 0,
      twice: 0,
    });
  return rows.reduce((sum, { made }) => sum + made, 0);
}
