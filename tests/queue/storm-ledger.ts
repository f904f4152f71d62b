import { expect } from 'vitest';
import type pg from 'pg';

/**
 * What happened to the jobs of a storm, written by triggers in the transaction of each change. Whoever acts on a
 * committed change takes its number after that change took its own: so the numbers order causes before effects,
 * without a look at any clock.
 */
const ledger = `
  create table storm_changes (
    n bigint generated always as identity primary key,
    job_id uuid not null, type text not null, key text, allowed integer,
    was text not null, is_now text not null,
    -- The change happened between these two.
    earliest timestamptz not null default now(), latest timestamptz not null default clock_timestamp());
  create function note_storm_change() returns trigger language plpgsql set search_path = public as $$
  begin
    insert into storm_changes (job_id, type, key, allowed, was, is_now)
    values (new.id, new.type, new.concurrency_key, new.concurrency_limit, old.status, new.status);
    return null;
  end $$;
  create trigger note_storm_change after update on background_jobs
    for each row when (old.status is distinct from new.status) execute function note_storm_change()`;

export async function openLedger(pool: pg.Pool): Promise<void> {
  await pool.query(ledger);
}

/** More jobs of a key that ran at the same time than the key allows. */
const crowdedKeys = `
  with counted as (
    select c.key, c.allowed, sum(case when c.is_now = 'processing' then 1 else -1 end) over (partition by c.key order by c.n) as running
    from storm_changes c where c.key is not null and 'processing' in (c.was, c.is_now))
  select key, allowed, max(running)::integer as running from counted where running > allowed group by key, allowed`;

/** More starts of a type than its throttle allows that certainly lay within one period of it. */
const crowdedPeriods = `
  with started as (
    select c.n, c.type, c.earliest, c.latest, t.throttle_limit, t.throttle_seconds,
           row_number() over (partition by c.type order by c.n) as nth
    from storm_changes c join job_types t on t.type = c.type
    where c.is_now = 'processing' and t.throttle_limit is not null)
  select later.type, later.nth::integer, later.latest - earlier.earliest as apart
  from started earlier join started later on later.type = earlier.type and later.nth = earlier.nth + earlier.throttle_limit
  where later.latest - earlier.earliest < make_interval(secs => earlier.throttle_seconds)`;

/** Jobs that started before every job that they depend on had ended. */
const earlyChildren = `
  select d.job_id, d.parent_id from background_job_dependencies d
  join lateral (select min(c.n) as n from storm_changes c where c.job_id = d.job_id and c.is_now = 'processing') start on true
  left join lateral (
    select max(c.n) as n from storm_changes c
    where c.job_id = d.parent_id and c.is_now in ('completed', 'failed', 'cancelled')) ending on true
  where start.n < coalesce(ending.n, start.n + 1)`;

/** Jobs that did not come to exactly one end, whatever became of the processes that ran them. */
const oddEnds = `
  select j.id, j.type, j.status, count(c.n)::integer as ends from background_jobs j
  left join storm_changes c on c.job_id = j.id and c.is_now in ('completed', 'failed', 'cancelled')
  group by j.id having count(c.n) <> 1 or j.status in ('queued', 'processing')`;

/** Every limit held at every moment of the storm, and every job came to one end. */
export async function expectCleanLedger(pool: pg.Pool): Promise<void> {
  for (const violations of [crowdedKeys, crowdedPeriods, earlyChildren, oddEnds]) {
    const { rows } = await pool.query<Record<string, unknown>>(violations);
    expect(rows).toEqual([]);
  }
}
