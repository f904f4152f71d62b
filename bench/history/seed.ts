import pg from 'pg';
import { jobType } from '../contenders/contender.ts';

/** Finished jobs are spread over so many days, so that the statistics' windows of 24 hours and 7 days hold many. */
const days = 7;

/** Rows of one statement. */
const perStatement = 100_000;

/** What is being done now, and how many of the rows are there. */
export type Told = (what: string, rows: number) => void;

/**
 * Fills `background_jobs` with finished jobs of 20 types: 96 % completed, 3 % failed, 1 % cancelled, durations from 20 ms
 * to minutes. The triggers that follow hand edits are off meanwhile, so that the statistics are counted afterwards, from the
 * rows. Then vacuums, as autovacuum would have by then.
 */
export async function seedHybridJobs(databaseUrl: string, rows: number, told: Told): Promise<void> {
  await seed(databaseUrl, 'background_jobs', rows, told, async (client, first, last) => {
    await client.query("set session_replication_role = 'replica'");
    await client.query(
      `insert into background_jobs (
         id, type, payload, status, lane, result, error, failure_reason, retry_count, max_retries, priority,
         timeout_seconds, created_at, run_at, expires_at, started_at, completed_at, failed_at, duration_ms, active_ms, revision)
       select
         (lpad(to_hex((extract(epoch from j.created_at) * 1000)::bigint), 12, '0') || '7' || substr(j.digits, 1, 3)
           || '8' || substr(j.digits, 5, 15))::uuid,
         'seeded/type.' || n % 20, '{"repository": "octo-org/hello-hybrid", "reason": "seeded as finished"}', j.status, 'worker',
         case j.status when 'completed' then '{"ok": true}'::jsonb end,
         case j.status when 'failed' then 'GitHub answered 502' end,
         case j.status when 'failed' then 'retries_spent' end,
         0, 3, 0, 120, j.created_at, j.created_at, j.created_at + interval '1 day', j.created_at + j.wait,
         case j.status when 'completed' then j.created_at + j.wait + j.ms * interval '1 millisecond' end,
         case j.status when 'failed' then j.created_at + j.wait + j.ms * interval '1 millisecond' end, j.ms, j.ms, 3
       from (
         select n, md5(n::text) as digits, now() - ($3 - n) * make_interval(days => $4) / $3 as created_at,
           case when n % 100 < 96 then 'completed' when n % 100 < 99 then 'failed' else 'cancelled' end as status,
           (n % 97) * interval '7 milliseconds' as wait,
           (20 * exp((n * 7919 % 10000) / 1100.0))::bigint as ms
         from generate_series($1::bigint, $2::bigint) as n
         -- Each column is computed once, not once for each use of it.
         offset 0
       ) j`,
      [first, last, rows, days],
    );
  });
  await onClient(databaseUrl, async (client) => {
    told('counting for the statistics', rows);
    await client.query('select job_queue.recount_ends()');
    await client.query('vacuum analyze background_job_ends, job_rollups, job_creations, job_recent_ends');
    await client.query('checkpoint');
    told('done', rows);
  });
}

/** Fills pg-boss's own partition with completed jobs: copies of one that it has just completed, with other times and ids. */
export async function seedPgBoss(databaseUrl: string, rows: number, told: Told): Promise<void> {
  const table = await onClient(databaseUrl, async (client) => {
    const found = await client.query<{ table: string; jobs: number }>(
      `select tableoid::regclass::text as table, count(*)::integer as jobs from pgboss.job
       where name = $1 and state = 'completed' group by 1`,
      [jobType],
    );
    const [row] = found.rows;
    if (!row) throw new Error('pg-boss: expected a completed job to copy');
    return row.table;
  });
  await seed(databaseUrl, table, rows, told, async (client, first, last) => {
    const columns = await client.query<{ name: string }>(
      `select quote_ident(attname) as name from pg_attribute
       where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
      [table],
    );
    const names = columns.rows.map(({ name }) => name);
    const createdOn = `now() - (${rows} - n) * interval '${days} days' / ${rows}`;
    const own: Record<string, string> = {
      id: 'gen_random_uuid()',
      created_on: createdOn,
      start_after: createdOn,
      started_on: `${createdOn} + interval '50 milliseconds'`,
      completed_on: `${createdOn} + interval '150 milliseconds'`,
      keep_until: `${createdOn} + interval '14 days'`,
    };
    await client.query(
      `insert into ${table} (${names.join(', ')})
       select ${names.map((name) => own[name] ?? `t.${name}`).join(', ')}
       from (select * from ${table} where state = 'completed' limit 1) t, generate_series($1::bigint, $2::bigint) as n`,
      [first, last],
    );
  });
}

type Insert = (client: pg.Client, first: number, last: number) => Promise<void>;

async function seed(
  databaseUrl: string,
  table: string,
  rows: number,
  told: Told,
  insert: Insert,
): Promise<void> {
  await onClient(databaseUrl, async (client) => {
    for (let first = 1; first <= rows; first += perStatement) {
      const last = Math.min(rows, first + perStatement - 1);
      await insert(client, first, last);
      told('inserting', last);
    }
    told('vacuum', rows);
    await client.query(`vacuum analyze ${table}`);
    await client.query('checkpoint');
  });
}

async function onClient<Result>(
  connectionString: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
