import type { Pool } from 'pg';
import { createPgRpc } from '../../src/database/pg-rpc.ts';
import { catalog } from '../../src/jobs/catalog.ts';
import { createJobQueue } from '../../src/queue/job-queue.ts';

/** Ids of the jobs that are worth a look of their own. */
export interface DemoJobs {
  /** Failed after several attempts, with saved steps, between a parent and its children. */
  failed: string;
  running: string;
}

/**
 * Three hours in the life of a queue, made up: some thousand ended jobs, a few waiting, running and failed ones,
 * quotas and schedules. The same on every run, but for the time.
 */
export async function fillWithDemoData(pool: Pool): Promise<DemoJobs> {
  const queue = createJobQueue(createPgRpc(pool));
  await queue.syncJobTypes(catalog);
  await queue.syncPayloadSchemas(catalog);
  await pool.query(repositories);
  await pool.query(endedJobs);
  await pool.query(quotas);
  await pool.query(schedules);
  await pool.query("select pause_job_type('classify/repository.size')");
  await pool.query("select set_job_lane('capture/pr.details', 'edge')");
  const failed = await failedJob(pool);
  await queue.enqueue([
    { type: 'capture/repository.sync.graphql', payload: { repository: 'octo-org/compiler' } },
    { type: 'embeddings/compute.requested', payload: { repository: 'octo-org/compiler' } },
    ...[11, 12, 13, 14].map((prNumber) => ({
      type: 'capture/pr.details',
      payload: { repository: 'octo-org/compiler', prNumber },
    })),
  ]);
  const running = await runningJob(pool);
  await pool.query('analyze background_jobs');
  return { failed, running };
}

const repositories = `
insert into repositories (github_id, owner, name)
select n, 'octo-org', name from unnest(array['compiler', 'website', 'mobile-app', 'infrastructure']) with ordinality as r(name, n)`;

/** Durations spread as real ones do: many short, few long. Failures come in a burst, as when GitHub has an outage. */
const endedJobs = `
with kinds(type, lane, typical_ms, weight) as (values
  ('capture/pr.details', 'edge', 900, 30), ('capture/pr.reviews', 'inline', 420, 20),
  ('capture/pr.comments', 'inline', 380, 16), ('capture/issue.comments', 'inline', 350, 8),
  ('capture/repository.sync.graphql', 'edge', 41000, 4), ('update/pr.activity', 'inline', 640, 9),
  ('embeddings/compute.requested', 'worker', 12500, 4), ('workspace.metrics.aggregate', 'edge', 5200, 5),
  ('discover/repository.new', 'edge', 2600, 2), ('system/ping', 'inline', 4, 2)
), picks as (
  select k.*, n, (hashtext(k.type || n) & 1023) / 1023.0 as dice, (hashtext('at' || k.type || n) & 65535) / 65535.0 as place
  from kinds k cross join lateral generate_series(1, k.weight * 34) as n
), jobs as (
  select *, now() - interval '20 seconds' - (place * interval '180 minutes') as ended_at,
    greatest(2, round(typical_ms * exp(1.6 * (dice - 0.45))))::bigint as took_ms,
    case when dice > case when place between 0.2 and 0.24 then 0.7 else 0.992 end then 'failed'
         when dice between 0.5 and 0.504 then 'cancelled' else 'completed' end as status
  from picks
), timed as (
  select *, ended_at - took_ms * interval '1 millisecond' as started_at,
    ended_at - (took_ms + 30 + 900 * dice * dice) * interval '1 millisecond' as created_at from jobs
)
insert into background_jobs (id, type, lane, status, payload, result, error, failure_reason, retry_count, max_retries, priority,
  timeout_seconds, created_at, run_at, expires_at, started_at, completed_at, failed_at, cancel_requested_at, duration_ms, active_ms, repository_id)
select (left(job_queue.first_uuid_at(created_at)::text, 15) || substr(gen_random_uuid()::text, 16))::uuid,
  type, lane, status, jsonb_build_object('repository', 'octo-org/compiler', 'prNumber', n),
  case status when 'completed' then jsonb_build_object('stored', n % 40) end,
  case status when 'failed' then 'GitHub answered 502 Bad Gateway to GET /repos/octo-org/compiler/pulls/' || n end,
  case status when 'failed' then 'retries_spent' end, case status when 'failed' then 3 else (dice > 0.97)::integer end, 3, 0, 300,
  created_at, created_at, created_at + interval '1 day', started_at,
  case status when 'completed' then ended_at end, case status when 'failed' then ended_at end,
  case status when 'cancelled' then ended_at end, took_ms, took_ms,
  (select r.id from repositories r order by r.github_id offset n % 4 limit 1)
from timed`;

const quotas = `
insert into job_quotas (quota, token, allowance, remaining, resets_at) values
  ('github:core', '9f2c41d07ab3', 5000, 3127, now() + interval '21 minutes'),
  ('github:graphql', '9f2c41d07ab3', 5000, 391, now() + interval '34 minutes'),
  ('github:core', '1be07c55d2f8', 5000, 4980, now() + interval '48 minutes')`;

const schedules = `
select set_job_schedule('nightly-sizes', 'classify/repository.size', '0 3 * * *', 'Europe/Berlin'),
  set_job_schedule('workspace-metrics', 'workspace.metrics.schedule', '*/30 * * * *'),
  set_job_schedule('priorities', 'sync/workspace.priorities', '15 * * * *'), pause_job_schedule('priorities')`;

const claim = 'select id, lease_token from claim_background_job($1, $2, 600)';

async function failedJob(pool: Pool): Promise<string> {
  const parent = await enqueue(pool, {
    type: 'discover/repository.new',
    payload: { repository: 'octo-org/website' },
  });
  await complete(pool, parent);
  const job = await enqueue(pool, {
    type: 'capture/repository.sync.enhanced',
    payload: { repository: 'octo-org/website', pageSize: 100, maxPages: 200 },
    max_retries: 1,
    depends_on: [parent],
    inngest_event_id: '01JD8R2W9GJ2Q5V3ZK4M6N7P8Q',
    inngest_run_id: '01JD8R2WB3H7T0C9XF5S1E2A4D',
  });
  for (const type of ['workspace.repository.changed', 'embeddings/compute.requested'])
    await enqueue(pool, { type, payload: {}, depends_on: [job] });
  await pool.query(
    'update background_jobs set repository_id = (select id from repositories where name = $2) where id = $1',
    [job, 'website'],
  );
  for (const attempt of [1, 2]) {
    const token = await lease(pool, job, `process-job eu-central-1 ${attempt}`);
    for (const page of [2 * attempt - 1, 2 * attempt])
      await pool.query('select save_background_job_step($1, $2, $3, $4)', [
        job,
        token,
        `page ${page}`,
        JSON.stringify({ stored: 100, cursor: `Y3Vyc29yOnYyO${page}` }),
      ]);
    const error = {
      name: 'RequestError',
      message: 'GitHub answered 502 Bad Gateway to POST /graphql',
      stack:
        'RequestError: GitHub answered 502 Bad Gateway to POST /graphql\n    at request (src/github/create-github.ts:71)',
    };
    await pool.query('select fail_background_job($1, $2, $3, true)', [job, token, JSON.stringify(error)]);
  }
  return job;
}

async function runningJob(pool: Pool): Promise<string> {
  const job = await enqueue(pool, {
    type: 'capture/repository.sync.enhanced',
    payload: { repository: 'octo-org/mobile-app' },
  });
  const token = await lease(pool, job, 'process-job eu-central-1');
  await pool.query('select report_background_job_progress($1, $2, 64, $3)', [job, token, 'page 128 of 200']);
  return job;
}

async function enqueue(pool: Pool, job: Record<string, unknown>): Promise<string> {
  const text = 'select id from enqueue_background_jobs($1)';
  const { rows } = await pool.query<{ id: string }>(text, [JSON.stringify([job])]);
  return rows[0]?.id ?? '';
}

async function lease(pool: Pool, job: string, worker: string): Promise<string> {
  await pool.query("update background_jobs set run_at = now() where id = $1 and status = 'queued'", [job]);
  const { rows } = await pool.query<{ lease_token: string }>(claim, [job, worker]);
  if (!rows[0]) throw new Error(`job ${job} could not be claimed`);
  return rows[0].lease_token;
}

async function complete(pool: Pool, job: string): Promise<void> {
  const token = await lease(pool, job, 'process-job eu-central-1');
  const result = [{ job_id: job, lease_token: token, result: { found: true } }];
  await pool.query('select complete_background_jobs($1)', [JSON.stringify(result)]);
}
