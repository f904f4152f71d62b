import type pg from 'pg';

/** How many finished jobs there are, over how many days. */
const rows = 1_000_000;
const days = 30;

/** Of the repositories that sync jobs name. */
const repositories = 500;

/**
 * Fills `background_jobs` with finished jobs as the queue leaves them: 30 types, 96 % completed, 3 % failed, 1 % cancelled,
 * durations from 20 ms to minutes, every fourth of an event, an attempt for each failure. Some 20 s.
 */
export async function seedMillionJobs(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    // A full page is read as fast as three with a third of the rows; and the hand-edit triggers have nothing to do.
    await client.query(`alter table background_jobs set (fillfactor = 100);
      alter table background_jobs set (autovacuum_enabled = false); set session_replication_role = 'replica'`);
    await client.query(repositoriesSql, [repositories]);
    await client.query(jobsSql, [rows, days, repositories, types]);
    await client.query(attemptsSql);
    await client.query('reset session_replication_role; analyze background_jobs, background_job_attempts');
  } finally {
    client.release();
  }
}

const repositoriesSql = `with made as (
    insert into repositories (github_id, owner, name, pull_requests_synced_at)
    select n, 'octo-org', 'seeded-' || n, now() - n * interval '5 minutes' from generate_series(0, $1::integer - 1) as n
    returning id)
  insert into tracked_repositories (repository_id) select id from made`;

const types = [
  ...['capture/repository.sync', 'capture/pr.details', 'capture/pr.reviews', 'system/ping'],
  ...Array.from({ length: 26 }, (_, n) => `seeded/type.${n + 1}`),
];

const jobsSql = `insert into background_jobs (
    id, type, payload, status, lane, result, error, failure_reason, retry_count, max_retries, priority, timeout_seconds,
    created_at, run_at, expires_at, started_at, completed_at, failed_at, duration_ms, active_ms, revision, inngest_event_id)
  select
    encode(int8send(((extract(epoch from j.created_at) * 1000)::bigint << 16) | 28672) || int8send(-9223372036854775808 + n), 'hex')::uuid,
    ($4::text[])[1 + n % 30], j.payload, j.status, 'edge',
    case j.status when 'completed' then '{"ok": true}'::jsonb end,
    case j.status when 'failed' then 'GitHub answered ' || 500 + n % 4 end,
    case j.status when 'failed' then 'retries_spent' end,
    0, 3, 0, 120, j.created_at, j.created_at, j.created_at + interval '1 day', j.created_at + j.wait,
    case j.status when 'completed' then j.created_at + j.wait + j.ms * interval '1 millisecond' end,
    case j.status when 'failed' then j.created_at + j.wait + j.ms * interval '1 millisecond' end,
    j.ms, j.ms, 3, case n % 4 when 0 then 'seeded-event-' || n / 8 end
  from (
    select n, now() - ($1::bigint - n) * make_interval(days => $2) / $1::bigint - interval '1 minute' as created_at,
      case when n % 97 < 93 then 'completed' when n % 97 < 96 then 'failed' else 'cancelled' end as status,
      jsonb_build_object('repository', 'octo-org/seeded-' || n % $3::integer) as payload,
      (n % 89) * interval '7 milliseconds' as wait,
      (20 * exp((n * 7919 % 10000) / 1100::float8))::bigint as ms
    from generate_series(1, $1::bigint) as n) j`;

const attemptsSql = `insert into background_job_attempts (job_id, number, lane, worker, started_at, ended_at, outcome, error)
  select j.id, 1, j.lane, 'seed', j.started_at, j.failed_at, 'failed', jsonb_build_object('message', j.error)
  from background_jobs j where j.status = 'failed'`;
