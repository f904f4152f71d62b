-- Jobs whose concurrency key is busy step out of the line, so that claims do not pass by them again and again: the claim
-- that finds the key full parks them (sort_at = infinity, their place in line_at), and when a slot of the key becomes free a
-- note tells the next claim to put as many back as may run. A note is always written, and is taken away only by whoever
-- holds the key's lock: so no job stays parked while its key is free, whichever of two transactions commits first.

alter table public.background_job_ready add column line_at timestamptz;
comment on column public.background_job_ready.line_at is
  'The sort_at of a parked job (sort_at = infinity): it waits until its concurrency key has a free slot. Null: not parked.';
create index background_job_ready_parked on public.background_job_ready (concurrency_key, line_at, id)
  where line_at is not null;

create table public.background_job_freed_keys (concurrency_key text not null)
with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
create index background_job_freed_keys_key on public.background_job_freed_keys (concurrency_key);
comment on table public.background_job_freed_keys is
  'Concurrency keys that may have a free slot for parked jobs: the next claim looks. Only the queue''s functions write it.';

alter table public.background_job_freed_keys enable row level security;
revoke all on public.background_job_freed_keys from public, anon, authenticated, service_role;
grant select on public.background_job_freed_keys to service_role;

create function job_queue.note_freed_keys() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into public.background_job_freed_keys (concurrency_key) select distinct f.concurrency_key from freed f;
  return null;
end
$$;
comment on function job_queue.note_freed_keys() is 'After slots are given back: notes their keys.';
create trigger background_job_slots_freed after delete on public.background_job_slots
  referencing old table as freed for each statement execute function job_queue.note_freed_keys();

create function job_queue.lock_key(p_key text) returns boolean
language plpgsql
set search_path = ''
as $$
begin
  return pg_try_advisory_xact_lock(hashtextextended('background_job_slots:' || p_key, 0));
end
$$;
comment on function job_queue.lock_key(text) is
  'True when this transaction, and no other, decides about the concurrency key''s slots until it ends.';

create function job_queue.unpark_jobs() returns void
language plpgsql
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  v_keys text[] := array(
    select k.concurrency_key
    from (select distinct f.concurrency_key from public.background_job_freed_keys f order by 1 limit 1000) k
    where job_queue.lock_key(k.concurrency_key));
begin
  if v_keys = '{}' then return; end if;
  delete from public.background_job_freed_keys f where f.concurrency_key = any (v_keys);
  -- A statement of its own, whose snapshot is taken after the locks: it sees what their last holders parked and took.
  with parked as materialized (
    select n.ctid
    from unnest(v_keys) as k(key)
    cross join lateral (select count(*) as busy from public.background_job_slots s where s.concurrency_key = k.key) b
    cross join lateral (
      select p.ctid, p.concurrency_limit, row_number() over (order by p.line_at, p.id) as nth
      from (select x.ctid, x.concurrency_limit, x.line_at, x.id from public.background_job_ready x
            where x.concurrency_key = k.key and x.line_at is not null
            order by x.line_at, x.id
            limit greatest(0, (
              select y.concurrency_limit from public.background_job_ready y
              where y.concurrency_key = k.key and y.line_at is not null order by y.line_at, y.id limit 1) - b.busy)
            for update skip locked) p) n
    where n.nth <= n.concurrency_limit - b.busy
  )
  update public.background_job_ready r set sort_at = r.line_at, line_at = null
  where r.ctid = any (array(select p.ctid from parked p));
  if found then perform job_queue.ring(); end if;
end
$$;
comment on function job_queue.unpark_jobs() is
  'Puts parked jobs of noted keys back in line, as many as their keys let run, and takes the notes away. Notes whose key another transaction decides about stay.';

create function job_queue.refresh_parked() returns void
language plpgsql
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
  -- The distinct keys by steps through the index: the rows of one key may be many.
  with recursive keys as (
    (select r.concurrency_key as key, 1 as n from public.background_job_ready r
     where r.line_at is not null order by r.concurrency_key limit 1)
    union all
    select (select r.concurrency_key from public.background_job_ready r
            where r.line_at is not null and r.concurrency_key > k.key order by r.concurrency_key limit 1), k.n + 1
    from keys k where k.key is not null and k.n < 1000
  )
  insert into public.background_job_freed_keys (concurrency_key)
  select k.key from keys k
  where k.key is not null
    and not exists (select from public.background_job_freed_keys f where f.concurrency_key = k.key);
  perform job_queue.unpark_jobs();
end
$$;
comment on function job_queue.refresh_parked() is
  'Looks at up to 1,000 keys with parked jobs, whether or not they are noted: a limit raised by hand, or a job put back in line whose type is paused, wrote no note.';

drop function job_queue.take_slots(tid[]);
create function job_queue.take_slots(p_ctids tid[], out ctids tid[], out ids uuid[], out undecided text[], out parked boolean)
language plpgsql
set search_path = ''
as $$
declare
  v_keys text[];
begin
  -- One claimer per key at a time decides about it; the others leave the key's jobs alone. The lock lives until commit,
  -- so the count that the next one reads includes our slots.
  select coalesce(array_agg(k.key) filter (where k.ours), '{}'), coalesce(array_agg(k.key) filter (where not k.ours), '{}')
  into v_keys, undecided
  from (
    select d.key, job_queue.lock_key(d.key) as ours
    from (select distinct r.concurrency_key as key from public.background_job_ready r
          where r.ctid = any (p_ctids) and r.concurrency_key is not null order by 1) d) k;
  select array_agg(c.ctid order by c.sort_at, c.id), array_agg(c.id order by c.sort_at, c.id) into ctids, ids
  from (
    select r.ctid, r.sort_at, r.id, r.concurrency_key, r.concurrency_limit, b.busy,
           row_number() over (partition by r.concurrency_key order by r.sort_at, r.id) as nth
    from public.background_job_ready r
    left join (
      select s.concurrency_key, count(*) as busy from public.background_job_slots s
      where s.concurrency_key = any (v_keys) group by s.concurrency_key) b on b.concurrency_key = r.concurrency_key
    where r.ctid = any (p_ctids)) c
  where c.concurrency_key is null
     or (c.concurrency_key = any (v_keys) and c.nth <= c.concurrency_limit - coalesce(c.busy, 0));
  update public.background_job_ready r set line_at = r.sort_at, sort_at = 'infinity'
  where r.ctid = any (p_ctids) and not r.ctid = any (coalesce(ctids, '{}')) and r.concurrency_key = any (v_keys);
  parked := found;
end
$$;
comment on function job_queue.take_slots(tid[]) is
  'Of the locked ready rows those that their concurrency keys let run; the keys are locked until the transaction ends. Those whose keys are full are parked; undecided: keys that another transaction decides about.';

create or replace function job_queue.remove_ready(p_lane text, p_sort_at timestamptz, p_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Waits for a claim that holds the ready row. This cannot deadlock, although that claim may wait for the job's row,
  -- which our caller holds: its lock_timeout makes it let go of the ready row after 100 ms, long before deadlock_timeout.
  delete from public.background_job_ready r
  where r.lane = p_lane and r.sort_at in (p_sort_at, 'infinity') and r.id = p_id;
end
$$;

create or replace function job_queue.put_back(p_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  begin
    perform from public.background_jobs b where b.id = any (p_ids) and b.status = 'queued' order by b.id for no key update;
  exception when lock_not_available then
    -- Without the lock, what is put back may be out of step with an edit that is going on: the sweep mends that. To fail
    -- here would take back a claim whose jobs are on their way to the worker.
    null;
  end;
  insert into public.background_job_ready (lane, sort_at, id, run_at, expires_at, type, concurrency_key, concurrency_limit)
  select j.lane, j.run_at - j.priority * interval '1 minute', j.id, j.run_at, j.expires_at, j.type,
         j.concurrency_key, j.concurrency_limit
  from public.background_jobs j where j.id = any (p_ids) and j.status = 'queued';
end
$$;

revoke all on function job_queue.note_freed_keys(), job_queue.lock_key(text), job_queue.unpark_jobs(),
  job_queue.refresh_parked(), job_queue.take_slots(tid[])
  from public, anon, authenticated, service_role;
