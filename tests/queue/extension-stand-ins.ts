import type { TestQueue } from './test-queue.ts';

/**
 * Stand-ins for Supabase's extensions, which this Postgres does not have. They have the signatures of pg_cron 1.6, pg_net
 * and supabase_vault as far as the wake uses them, and record the calls instead of carrying them out.
 */
export const standIns = {
  pg_cron: `
    create schema cron;
    create table cron.job (
      jobid bigserial primary key, schedule text not null, command text not null, jobname text,
      username text not null default current_user, unique (jobname, username));
    create function cron.schedule(job_name text, schedule text, command text) returns bigint language sql as $$
      insert into cron.job as j (jobname, schedule, command) values ($1, $2, $3)
      on conflict (jobname, username) do update set schedule = excluded.schedule, command = excluded.command
      returning jobid $$;
    create function cron.unschedule(job_id bigint) returns boolean language sql as $$
      delete from cron.job where jobid = job_id returning true $$;`,
  pg_net: `
    create schema net;
    create table net.calls (url text, body jsonb, params jsonb, headers jsonb, timeout_milliseconds integer);
    create function net.http_post(
      url text, body jsonb default '{}', params jsonb default '{}',
      headers jsonb default '{"Content-Type": "application/json"}', timeout_milliseconds integer default 1000)
    returns bigint language sql as $$
      insert into net.calls values ($1, $2, $3, $4, $5) returning 1::bigint $$;`,
  supabase_vault: `
    create schema vault;
    create table vault.secrets (name text, secret text);
    create view vault.decrypted_secrets as select name, secret as decrypted_secret from vault.secrets;
    create function vault.create_secret(new_secret text, new_name text) returns void language sql as $$
      insert into vault.secrets values ($2, $1) $$;`,
};

export async function removeStandIns(queue: TestQueue): Promise<void> {
  await queue.sql('drop schema if exists cron, net, vault cascade');
}
