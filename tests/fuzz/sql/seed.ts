import type pg from 'pg';
import { catalog } from '../../../src/jobs/catalog.ts';
import { createJobQueue } from '../../../src/queue/job-queue.ts';
import { createPgRpc } from '../../../src/database/pg-rpc.ts';
import type { Known } from './argument.ts';

/** Puts something of everything into the database: jobs in each state, a repository with its people, a workspace. */
export async function seed(pool: pg.Pool): Promise<Known> {
  const queue = createJobQueue(createPgRpc(pool));
  await queue.syncJobTypes(catalog);
  await pool.query(`select register_callback_endpoint('https://hooks.example.com/jobs')`);
  await pool.query(
    `select enqueue_background_jobs(jsonb_build_array(
       jsonb_build_object('type', 'fuzz/a', 'idempotency_key', 'known', 'inngest_event_id', 'event', 'inngest_run_id', 'run'),
       jsonb_build_object('type', 'fuzz/b', 'lane', 'worker', 'concurrency_key', 'key', 'concurrency_limit', 1),
       jsonb_build_object('type', 'fuzz/b', 'lane', 'worker', 'concurrency_key', 'key', 'concurrency_limit', 1),
       jsonb_build_object('type', 'fuzz/c', 'callback_url', 'https://hooks.example.com/jobs/done'),
       jsonb_build_object('type', 'fuzz/d', 'run_at', now() + interval '1 hour'),
       jsonb_build_object('type', 'system/ping'),
       jsonb_build_object('type', 'fuzz/e')))`,
  );
  await pool.query(
    `update background_jobs set status = 'failed', error = 'by hand', failed_at = now() where type = 'fuzz/e'`,
  );
  await queue.claim({ lane: 'worker', worker: 'known worker', maxJobs: 1, leaseSeconds: 3_600 });
  await queue.claim({ lane: 'edge', worker: 'known worker', maxJobs: 1, leaseSeconds: 3_600 });
  await capture(pool);
  return await readKnown(pool);
}

async function capture(pool: pg.Pool): Promise<void> {
  await pool.query(`
    insert into repositories (github_id, owner, name) values (1, 'octo-org', 'known');
    insert into contributors (github_id, username, account_type) values (1, 'ada', 'User');
    insert into pull_requests (github_id, repository_id, author_id, number, title, state, base_branch, head_branch, created_at, updated_at)
    select 1, r.id, c.id, 1, 'one', 'open', 'main', 'one', '2026-11-21', '2026-11-21' from repositories r, contributors c;
    insert into workspaces (name, slug) values ('known', 'known');
    insert into workspace_repositories (workspace_id, repository_id) select w.id, r.id from workspaces w, repositories r;
    insert into analysis_jobs (user_id, repository_id) select gen_random_uuid(), r.id from repositories r;
  `);
}

async function readKnown(pool: pg.Pool): Promise<Known> {
  const read = async <T>(statement: string): Promise<T[]> =>
    (await pool.query<{ value: T }>(statement)).rows.map(({ value }) => value);
  const jobs = await read<string>(
    `select id::text as value from background_jobs union all
     select lease_token::text from background_jobs where lease_token is not null`,
  );
  const others = await read<string>(
    `select id::text as value from repositories union all select id::text from pull_requests
     union all select id::text from workspaces union all select id::text from analysis_jobs
     union all select user_id::text from analysis_jobs`,
  );
  return {
    uuids: [...jobs, ...others],
    texts: [
      ...[
        'fuzz/a',
        'fuzz/b',
        'system/ping',
        'edge',
        'worker',
        'inline',
        'known',
        'key',
        'event',
        'run',
        'known worker',
      ],
      ...[
        'https://hooks.example.com/jobs',
        'https://hooks.example.com/jobs/done',
        'octo-org',
        'github:graphql',
        '* * * * *',
      ],
    ],
    numbers: [1, 2, 60],
  };
}
