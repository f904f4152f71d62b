import type pg from 'pg';
import { catalog } from '../../src/jobs/catalog.ts';
import { createJobQueue } from '../../src/queue/job-queue.ts';
import { standIns } from '../queue/extension-stand-ins.ts';
import type { TestDatabase } from '../support/database.ts';

/** What a hosted project has beyond our migrations, as far as the pages name it. */
const hosted = [
  ...Object.values(standIns),
  `create table net._http_response (status_code integer, error_msg text, created timestamptz);
   create table cron.job_run_details (status text, return_message text, start_time timestamptz);
   create schema auth;
   create table auth.users (id uuid, email text, raw_app_meta_data jsonb);`,
];

/** What the examples name: a repository, a type that the reader has made, a receiver of callbacks, a secret. */
const named = [
  `insert into repositories (id, github_id, owner, name)
   values ('0199aaaa-0000-7000-8000-000000000001', 1, 'octo-org', 'hello-hybrid')`,
  `select sync_job_types('[{"type": "metrics/stars.count"}]')`,
  `select register_callback_endpoint('https://receiver.example.com')`,
  `select vault.create_secret('a secret', 'process_job_secret')`,
];

/** Where a page leaves something to the reader. */
const anyId = '0199aaaa-0000-7000-8000-000000000001';

export async function prepare({ pool, rpc }: TestDatabase): Promise<void> {
  await createJobQueue(rpc).syncJobTypes(catalog);
  for (const statement of [...hosted, ...named]) await pool.query(statement);
}

/** With something in place of what the reader is to put in: `'…'`, `'<id>'`, `= …`, `'https://…'`, a condition at the end. */
function filledIn(code: string): string {
  return code
    .replaceAll(/'(…|<[a-z ]*id>)'|(?<== )…/g, `'${anyId}'`)
    .replaceAll(`'https://…'`, `'https://receiver.example.com'`)
    .replace(/ …$/, '');
}

/**
 * Runs the texts one after the other, each as the SQL editor does, all statements at once, and takes everything back.
 * @throws {Error} `docs/jobs.md:12: …` for the first that the database refuses
 */
export async function runAndUndo(
  pool: pg.Pool,
  texts: readonly { where: string; code: string }[],
): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    for (const { where, code } of texts)
      await client.query(filledIn(code)).catch((cause: unknown) => {
        throw new Error(`${where}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      });
  } finally {
    await client.query('rollback');
    client.release();
  }
}
