import type pg from 'pg';

/**
 * What happened, as the database took it: changes of rows, noted by a trigger in the transaction of each change, and what
 * runs of jobs did. Whoever acts on a committed row takes its number later: the numbers order causes before effects, and no
 * clock is asked. Nothing of it is the product's.
 */
const schema = `
  create schema chaos;
  create table chaos.changes (
    n bigint generated always as identity primary key, job_id uuid not null, type text not null,
    key text, allowed integer, was text, is_now text not null, at timestamptz not null default clock_timestamp(),
    xid xid8 not null default pg_current_xact_id());
  create table chaos.signs (
    n bigint generated always as identity primary key, job_id uuid not null, run uuid not null, step text,
    at timestamptz not null default clock_timestamp(), xid xid8 not null default pg_current_xact_id());
  create index on chaos.signs (job_id);
  create index on chaos.changes (job_id);
  create table chaos.effects (job_id uuid not null, step text not null, primary key (job_id, step));

  create function chaos.note_change() returns trigger language plpgsql security definer set search_path = '' as $$
  begin
    insert into chaos.changes (job_id, type, key, allowed, was, is_now)
    values (new.id, new.type, new.concurrency_key, new.concurrency_limit, old.status, new.status);
    return null;
  end $$;
  create trigger note_change after update on public.background_jobs
    for each row when (old.status is distinct from new.status) execute function chaos.note_change();

  create function public.chaos_begin(job_id uuid, run uuid) returns void
  language plpgsql security definer set search_path = '' as $$
  begin
    insert into chaos.signs (job_id, run) values (chaos_begin.job_id, chaos_begin.run);
  end $$;
  create function public.chaos_effect(job_id uuid, step text, run uuid) returns void
  language plpgsql security definer set search_path = '' as $$
  begin
    insert into chaos.signs (job_id, run, step) values (chaos_effect.job_id, chaos_effect.run, chaos_effect.step);
    insert into chaos.effects values (chaos_effect.job_id, chaos_effect.step) on conflict do nothing;
  end $$;
  grant execute on function public.chaos_begin(uuid, uuid), public.chaos_effect(uuid, text, uuid) to service_role`;

export async function openLedger(pool: pg.Pool): Promise<void> {
  await pool.query(schema);
}

/** Forgets everything, jobs too. */
export async function clearLedger(pool: pg.Pool): Promise<void> {
  await pool.query('delete from public.background_jobs; truncate chaos.changes, chaos.signs, chaos.effects');
}
