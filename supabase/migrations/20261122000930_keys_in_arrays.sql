-- Concurrency keys by the thousand: what a claim and a completion do for each job that has one. Freed keys are noted in one row
-- of many instead of a row each; only keys with parked jobs are looked at more closely; a claim that finds all of its keys free
-- does not count further; and one claim decides about 2,000 keys at most, since each costs an entry in the server's lock table.

drop function job_queue.lock_key(text);
create function job_queue.lock_keys(p_keys text[], p_most integer, out ours text[], out others text[])
language plpgsql
set search_path = ''
as $$
begin
  select coalesce(array_agg(k.key) filter (where k.ours), '{}'), coalesce(array_agg(k.key) filter (where not k.ours), '{}')
  into ours, others
  from (
    select u.key,
           case when u.nth <= p_most then pg_try_advisory_xact_lock(hashtextextended('background_job_slots:' || u.key, 0))
                else false end as ours
    from unnest(p_keys) with ordinality as u(key, nth)) k;
end
$$;
comment on function job_queue.lock_keys(text[], integer) is
  'ours: the concurrency keys about whose slots this transaction, and no other, decides until it ends, p_most at the most; others: the rest.';

drop index public.background_job_freed_keys_key;
alter table public.background_job_freed_keys
  alter column concurrency_key type text[] using array[concurrency_key],
  -- Thousands of keys that are read once: compressing them costs more than writing them.
  alter column concurrency_key set storage external;
alter table public.background_job_freed_keys rename column concurrency_key to concurrency_keys;
alter table public.background_job_freed_keys
  add column keys integer not null generated always as (cardinality(concurrency_keys)) stored;

-- One index for both questions: which slots has a key, and which is the job's.
alter table public.background_job_slots drop constraint background_job_slots_pkey;
drop index public.background_job_slots_key;
alter table public.background_job_slots add constraint background_job_slots_pkey primary key (concurrency_key, job_id);

create function job_queue.note_keys(p_keys text[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_keys <> '{}' then insert into public.background_job_freed_keys (concurrency_keys) values (p_keys); end if;
end
$$;
comment on function job_queue.note_keys(text[]) is 'Notes that the concurrency keys may have room for parked jobs: the next claim looks.';

create or replace function job_queue.note_freed_keys() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform job_queue.note_keys(array(select distinct f.concurrency_key from freed f));
  return null;
end
$$;

create or replace function job_queue.line_up(p_new job_queue.new_job[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  with ordered as materialized (
    select j.*, j.run_at - j.priority * interval '1 minute' as place,
           j.concurrency_key is not null and j.run_at <= clock_timestamp() and row_number() over (
             partition by j.concurrency_key order by j.run_at - j.priority * interval '1 minute', j.id) > j.concurrency_limit as waits
    from unnest(p_new) as j
  ), noted as (
    -- They may be all of their key: somebody has to look.
    insert into public.background_job_freed_keys (concurrency_keys)
    select array_agg(distinct o.concurrency_key) from ordered o where o.waits having count(*) > 0
  )
  insert into public.background_job_ready
    (lane, sort_at, id, run_at, expires_at, type, concurrency_key, concurrency_limit, line_at)
  select o.lane, case when o.waits then 'infinity' else o.place end, o.id, o.run_at, o.expires_at, o.type,
         o.concurrency_key, o.concurrency_limit, case when o.waits then o.place end
  from ordered o;
end
$$;

create or replace function job_queue.remove_ready(p_lane text, p_sort_at timestamptz, p_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Waits for a claim that holds the ready row. This cannot deadlock, although that claim may wait for the job's row,
  -- which our caller holds: its lock_timeout makes it let go of the ready row after 100 ms, long before deadlock_timeout.
  with removed as (
    delete from public.background_job_ready r
    where r.lane = p_lane and r.sort_at in (p_sort_at, 'infinity') and r.id = p_id
    returning r.concurrency_key, r.line_at
  )
  -- It may have been put back in line for a slot that now nobody takes.
  insert into public.background_job_freed_keys (concurrency_keys)
  select array[x.concurrency_key] from removed x where x.concurrency_key is not null and x.line_at is null;
end
$$;

create function job_queue.nobody_parks() returns boolean
language plpgsql
set search_path = ''
as $$
begin
  -- Both in one expression, so that the lock cannot outlive it.
  return case when pg_try_advisory_lock(hashtextextended('background_job_parking', 0))
         then pg_advisory_unlock(hashtextextended('background_job_parking', 0)) else false end;
end
$$;
comment on function job_queue.nobody_parks() is
  'True when no transaction that may park jobs is under way: what the next statement sees as parked is all there is, and who parks later sees the slots that were freed before.';

create or replace function job_queue.unpark_jobs() returns void
language plpgsql
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  v_keys text[];
  v_left text[];
begin
  -- Notes that another claim is taking are its own.
  with taken as (
    delete from public.background_job_freed_keys f
    where f.ctid = any (array(
      select x.ctid
      from (select n.ctid, n.keys, sum(n.keys) over (order by n.ctid) as total
            from (select y.ctid, y.keys from public.background_job_freed_keys y limit 1000 for update skip locked) n) x
      where x.total - x.keys < 1000))
    returning f.concurrency_keys
  )
  select array(select distinct u.key from taken t cross join lateral unnest(t.concurrency_keys) as u(key)) into v_keys;
  if job_queue.nobody_parks() then
    -- Most keys have no parked jobs.
    v_keys := array(
      select k.key from unnest(v_keys) as k(key)
      where exists (select from public.background_job_ready r where r.concurrency_key = k.key and r.line_at is not null));
  end if;
  if v_keys = '{}' then return; end if;
  -- The locks are taken before the next statement's snapshot, which therefore sees what their last holders parked and took.
  select l.ours, l.others into v_keys, v_left from job_queue.lock_keys(v_keys, 1000) as l;
  perform job_queue.note_keys(v_left);
  if v_keys = '{}' then return; end if;
  with parked as materialized (
    select n.ctid
    from unnest(v_keys) as k(key)
    cross join lateral (select count(*) as busy from public.background_job_slots s where s.concurrency_key = k.key) b
    cross join lateral (
      select p.ctid, p.concurrency_limit, row_number() over (order by p.line_at, p.id) as nth
      from job_queue.parked_limits(k.key, b.busy) as l(concurrency_limit)
      cross join lateral (
        select x.ctid, x.concurrency_limit, x.line_at, x.id from public.background_job_ready x
        where x.concurrency_key = k.key and x.concurrency_limit = l.concurrency_limit and x.line_at is not null
        order by x.line_at, x.id limit l.concurrency_limit - b.busy for update skip locked) p) n
    where n.nth <= n.concurrency_limit - b.busy
  )
  update public.background_job_ready r set sort_at = r.line_at, line_at = null
  where r.ctid = any (array(select p.ctid from parked p));
  if found then perform job_queue.ring(); end if;
end
$$;
comment on function job_queue.unpark_jobs() is
  'Puts parked jobs of noted keys back in line, as many as their keys let run, each by its own limit, and takes the notes away. Keys that another transaction decides about stay noted, and so do those beyond a thousand.';

create or replace function job_queue.refresh_parked() returns void
language plpgsql
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
  -- The distinct keys by steps through the index, a few microseconds each: the rows of one key may be many.
  with recursive keys as (
    (select r.concurrency_key as key from public.background_job_ready r
     where r.line_at is not null order by r.concurrency_key limit 1)
    union all
    select (select r.concurrency_key from public.background_job_ready r
            where r.line_at is not null and r.concurrency_key > k.key order by r.concurrency_key limit 1)
    from keys k where k.key is not null
  ), free as (
    select k.key, row_number() over () as nth from keys k
    where (select max(r.concurrency_limit) from public.background_job_ready r
           where r.concurrency_key = k.key and r.line_at is not null)
        > (select count(*) from public.background_job_slots s where s.concurrency_key = k.key)
      and k.key not in (select unnest(f.concurrency_keys) from public.background_job_freed_keys f)
  )
  insert into public.background_job_freed_keys (concurrency_keys)
  select array_agg(f.key) from free f group by f.nth / 1000;
  perform job_queue.unpark_jobs();
end
$$;

drop function job_queue.keep_startable(tid[], boolean);
drop function job_queue.take_slots(tid[]);
create function job_queue.take_slots(
  p_ctids tid[], p_most_keys integer,
  out ctids tid[], out ids uuid[], out keys integer, out undecided text[], out parked boolean)
language plpgsql
set search_path = ''
as $$
declare
  v_all text[];
  v_keys text[];
  v_contested text[];
  v_full text[];
  v_parked tid[];
begin
  select array_agg(k.key), coalesce(array_agg(k.key) filter (where k.jobs > 1), '{}') into v_all, v_contested
  from (select r.concurrency_key as key, count(*) as jobs from public.background_job_ready r
        where r.ctid = any (p_ctids) and r.concurrency_key is not null group by 1) k;
  -- One claimer per key at a time decides about it; the others leave the key's jobs alone. The lock lives until commit,
  -- so the count that the next one reads includes our slots.
  select l.ours, l.others into v_keys, undecided from job_queue.lock_keys(v_all, p_most_keys) as l;
  keys := cardinality(v_keys);
  parked := false;
  v_contested := v_contested || array(
    select distinct s.concurrency_key from public.background_job_slots s where s.concurrency_key = any (v_keys));
  if v_contested = '{}' and undecided = '{}' then
    ctids := p_ctids;
    return;
  end if;
  -- For nobody_parks.
  perform pg_advisory_xact_lock_shared(hashtextextended('background_job_parking', 0));
  select array_agg(c.ctid), array_agg(c.id) into ctids, ids
  from (
    select r.ctid, r.id from public.background_job_ready r
    where r.ctid = any (p_ctids)
      and (r.concurrency_key is null
           or r.concurrency_key in (select unnest(v_keys)) and r.concurrency_key not in (select unnest(v_contested)))
    union all
    select w.ctid, w.id
    from (
      select r.ctid, r.id, r.concurrency_limit, b.busy,
             row_number() over (partition by r.concurrency_key order by r.sort_at, r.id) as nth
      from public.background_job_ready r
      left join (
        select s.concurrency_key, count(*) as busy from public.background_job_slots s
        where s.concurrency_key = any (v_contested) group by s.concurrency_key) b on b.concurrency_key = r.concurrency_key
      where r.ctid = any (p_ctids) and r.concurrency_key in (select unnest(v_contested))
        and r.concurrency_key in (select unnest(v_keys))) w
    where w.nth <= w.concurrency_limit - coalesce(w.busy, 0)) c;
  with parking as (
    update public.background_job_ready r set line_at = r.sort_at, sort_at = 'infinity'
    where r.ctid = any (p_ctids) and r.ctid not in (select unnest(coalesce(ctids, '{}')))
      and r.concurrency_key in (select unnest(v_keys))
    returning r.ctid, r.concurrency_key
  )
  select array_agg(p.ctid), array_agg(distinct p.concurrency_key) into v_parked, v_full from parking p;
  if v_parked is not null then
    parked := true;
    perform job_queue.park_alike(v_parked, coalesce(ctids, '{}'));
    -- More of the same keys may follow. One claim does not work off all of them.
    undecided := undecided || v_full;
  end if;
end
$$;
comment on function job_queue.take_slots(tid[], integer) is
  'Of the locked ready rows those that their concurrency keys let run, ids null when that is all of them; keys: so many are locked until the transaction ends, p_most_keys at the most. Those whose keys are full are parked; undecided: keys that another transaction decides about, or a later claim.';

create function job_queue.keep_startable(
  p_ctids tid[], p_keyed boolean, p_most_keys integer,
  out ctids tid[], out ids uuid[], out keys integer, out undecided text[], out parked boolean, out throttled boolean)
language plpgsql
set search_path = ''
as $$
begin
  select p_ctids, 0, '{}'::text[], false, false into ctids, keys, undecided, parked, throttled;
  if p_keyed then
    select t.ctids, t.ids, t.keys, t.undecided, t.parked into ctids, ids, keys, undecided, parked
    from job_queue.take_slots(p_ctids, p_most_keys) as t;
  end if;
  if ctids is not null and exists (select from public.job_types t where t.throttle_limit is not null) then
    select t.ctids, t.ids into ctids, ids from job_queue.take_starts(ctids) as t;
    throttled := ids is null;
  end if;
end
$$;
comment on function job_queue.keep_startable(tid[], boolean, integer) is
  'Of the locked ready rows those that concurrency keys and throttles let start; ids stays null where that is all of them. keys: so many were locked, p_most_keys at the most; undecided: keys that another transaction decides about, or a later claim; parked: some were; throttled: none may start for their throttles.';

create or replace function job_queue.lease_jobs(
  p_token uuid, p_ids uuid[], p_lane text, p_worker text, p_now timestamptz, p_lease_seconds integer, p_due_only boolean,
  p_keyed boolean) returns integer
language plpgsql
set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  v_until timestamptz := p_now + make_interval(secs => p_lease_seconds);
  v_leased integer;
begin
  -- One table and an array of ids, not a join: a plan that was made while the table was small cannot turn it round.
  if p_keyed then
    with leased as (
      update public.background_jobs j
      set revision = j.revision + 1, status = 'processing', started_at = p_now, lease_token = p_token, lease_until = v_until,
          step_saved = false
      where j.id = any (p_ids) and j.status = 'queued'
        and (not p_due_only or (j.lane = p_lane and j.run_at <= p_now and j.expires_at > p_now))
      returning j.id, j.concurrency_key, j.lane
    ), slotted as (
      insert into public.background_job_slots (job_id, concurrency_key)
      select l.id, l.concurrency_key from leased l where l.concurrency_key is not null and l.lane <> 'inline'
    )
    select count(*)::integer into v_leased from leased l;
  else
    update public.background_jobs j
    set revision = j.revision + 1, status = 'processing', started_at = p_now, lease_token = p_token, lease_until = v_until,
        step_saved = false
    where j.id = any (p_ids) and j.status = 'queued'
      and (not p_due_only or (j.lane = p_lane and j.run_at <= p_now and j.expires_at > p_now));
    get diagnostics v_leased = row_count;
  end if;
  if v_leased = 0 then return 0; end if;
  insert into public.background_job_leases as known (token, worker, lane, claimed_at, lease_until, remaining, job_ids)
  values (p_token, p_worker, p_lane, p_now, v_until, v_leased, p_ids)
  on conflict (token) do update
    set remaining = known.remaining + excluded.remaining, job_ids = known.job_ids || excluded.job_ids;
  return v_leased;
end
$$;

create or replace function job_queue.claim_jobs(
  p_lane text, p_worker text, p_max_jobs integer, p_lease_seconds integer, p_fit_seconds integer, p_types jsonb,
  out token uuid, out ids uuid[])
language plpgsql
set search_path = '' set lock_timeout = '100ms' set enable_seqscan = off set jit = off set plan_cache_mode = force_generic_plan
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_seldom record;
  v_from timestamptz := '-infinity';
  v_types text[];
  v_unfit text[] := '{}';
  v_undecided text[] := '{}';
  v_left integer := p_max_jobs;
  v_passes integer := 0;
  -- Each key is an entry in the server's lock table, of which all clients share about 6,400.
  v_most_keys integer := 2000;
  v_careful boolean := false;
  v_ctids tid[];
  v_ids uuid[];
  v_keyed boolean;
  v_kept record;
  v_look_behind boolean;
  v_claimed integer;
begin
  if p_types is not null or not coalesce(p_lane in ('inline', 'edge', 'worker') and p_worker <> '' and p_worker = btrim(p_worker)
       and p_max_jobs between 1 and 10000 and p_lease_seconds between 1 and 86400, false) then
    perform job_queue.require_claimable(p_lane, p_types);
    perform job_queue.require_claim_arguments(p_worker, p_max_jobs, p_lease_seconds);
    if p_types <> 'null' then v_types := array(select jsonb_array_elements_text(p_types)); end if;
  end if;
  select
    exists (select from public.background_job_freed_keys) as freed_key,
    t.held or exists (
      select from public.job_quotas q where q.blocked_until > v_now or (q.remaining = 0 and q.resets_at > v_now)) as held_type,
    t.throttled as throttle,
    exists (
      select from public.background_job_ready r
      where r.lane = p_lane and r.sort_at > r.run_at and r.sort_at > v_now and r.sort_at < 'infinity' and r.run_at <= v_now
    ) as low_priority,
    case p_lane when 'edge' then (select l.last_value from job_queue.edge_line_noted l)
                when 'worker' then (select l.last_value from job_queue.worker_line_noted l) end as line_noted
  into v_seldom
  from (
    select coalesce(bool_or(t.paused or t.throttle_limit is not null), false) as held,
           coalesce(bool_or(t.throttle_limit is not null), false) as throttled
    from public.job_types t) t;
  if v_seldom.held_type or p_fit_seconds is not null then v_unfit := job_queue.unfit_types(p_fit_seconds); end if;
  if abs(extract(epoch from v_now) * 1000000 - v_seldom.line_noted) <= 1000000 then
    v_from := job_queue.line_start(p_lane, v_now);
  end if;
  if v_seldom.freed_key then perform job_queue.unpark_jobs(); end if;
  token := gen_random_uuid();
  loop
    begin
      select p.ctids, p.ids, p.keyed into v_ctids, v_ids, v_keyed
      from job_queue.pick_line(
        p_lane, v_from, v_now, v_left, v_types, v_unfit, v_undecided, v_careful,
        v_seldom.low_priority or v_seldom.freed_key) as p;
      exit when v_ids is null;
      v_look_behind := false;
      if v_keyed or v_seldom.throttle then
        select * into v_kept from job_queue.keep_startable(v_ctids, v_keyed, v_most_keys);
        v_ctids := v_kept.ctids;
        v_ids := coalesce(v_kept.ids, v_ids);
        v_most_keys := v_most_keys - v_kept.keys;
        v_look_behind := v_kept.parked or v_kept.throttled or v_kept.undecided <> '{}';
        v_undecided := v_undecided || v_kept.undecided;
        if v_kept.throttled then
          -- The front of the line may not start now: look behind it.
          v_unfit := v_unfit || array(select t.type from public.job_types t where t.throttle_limit is not null);
        end if;
      end if;
      if v_ctids is not null then
        delete from public.background_job_ready r where r.ctid = any (v_ctids);
        v_claimed := job_queue.lease_jobs(token, v_ids, p_lane, p_worker, v_now, p_lease_seconds, true, v_keyed);
        if v_claimed < cardinality(v_ctids) then perform job_queue.put_back(v_ids); end if;
        if v_claimed > 0 then ids := ids || v_ids; end if;
        v_left := v_left - v_claimed;
      end if;
      v_passes := v_passes + 1;
      -- Behind jobs that had to stay there are others. With something to show, a claim does not look for ever; and with locks
      -- on a thousand keys it holds up the claims beside it, which then look as long: the next claim goes on.
      exit when v_left = 0 or not v_look_behind or (v_left < p_max_jobs and v_passes >= 4) or cardinality(v_undecided) > 1000
        or v_most_keys <= 0;
    exception when lock_not_available then
      -- Somebody's open transaction holds one of these jobs' rows. Again, with only the jobs that nobody holds.
      if v_careful then raise; end if;
      v_careful := true;
    end;
  end loop;
end
$$;

create or replace function job_queue.end_attempt(
  p_job public.background_jobs, p_outcome text, p_error jsonb, p_status text, p_run_at timestamptz,
  p_lane text, p_retries_spent integer, p_failure_reason text) returns text
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_slice bigint := job_queue.slice_ms(p_job.started_at, v_now);
  v_keeps_error boolean := p_outcome in ('snoozed', 'handed_off');
begin
  insert into public.background_job_attempts (job_id, number, lane, worker, started_at, ended_at, outcome, error)
  select p_job.id, coalesce(max(a.number), 0) + 1, p_job.lane,
         (select l.worker from public.background_job_leases l where l.token = p_job.lease_token),
         coalesce(p_job.started_at, p_job.created_at), v_now, p_outcome, p_error
  from public.background_job_attempts a where a.job_id = p_job.id;
  perform job_queue.release_lease(p_job.lease_token, 1);
  if p_job.concurrency_key is not null then
    delete from public.background_job_slots s where s.concurrency_key = p_job.concurrency_key and s.job_id = p_job.id;
    perform job_queue.ring();
  end if;
  update public.background_jobs j
  set revision = j.revision + 1, status = p_status, lane = p_lane, run_at = p_run_at, lease_token = null, lease_until = null,
      retry_count = j.retry_count + p_retries_spent, duration_ms = v_slice, active_ms = j.active_ms + v_slice,
      error = case when v_keeps_error and p_status = 'queued' then j.error
                   else coalesce(p_error ->> 'message', p_error ::text, j.error) end,
      failed_at = case when p_status = 'failed' then v_now end, failure_reason = p_failure_reason,
      expires_at = case when p_outcome = 'handed_off' then greatest(j.expires_at, v_now + interval '24 hours')
                        else j.expires_at end
  where j.id = p_job.id returning * into p_job;
  if p_status = 'queued' then
    perform job_queue.add_ready(p_job);
  else
    perform job_queue.after_end(array[p_job.id]);
  end if;
  return p_status;
end
$$;

create or replace function job_queue.follow_hand_edit() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if tg_op <> 'DELETE' then perform job_queue.require_sound_row(new); end if;
  if tg_op = 'UPDATE'
     and (old.id, old.type, old.status, old.lane, old.run_at, old.priority, old.expires_at, old.lease_token, old.lease_until,
          old.concurrency_key, old.concurrency_limit)
     is not distinct from (
          new.id, new.type, new.status, new.lane, new.run_at, new.priority, new.expires_at, new.lease_token, new.lease_until,
          new.concurrency_key, new.concurrency_limit) then
    return null;
  end if;
  if tg_op <> 'INSERT' then
    if old.status = 'queued' then
      perform job_queue.remove_ready(old.lane, old.run_at - old.priority * interval '1 minute', old.id);
    elsif old.status = 'processing' and (tg_op = 'DELETE' or new.status <> 'processing') then
      if tg_op = 'UPDATE' then
        insert into public.background_job_attempts (job_id, number, lane, worker, started_at, ended_at, outcome, error)
        select new.id, coalesce(max(a.number), 0) + 1, old.lane,
               (select l.worker from public.background_job_leases l where l.token = old.lease_token),
               coalesce(old.started_at, old.created_at), clock_timestamp(), 'edited',
               jsonb_build_object('message', format('the row was set to %s by hand', new.status))
        from public.background_job_attempts a where a.job_id = new.id;
      end if;
      delete from public.background_job_slots s where s.concurrency_key = old.concurrency_key and s.job_id = old.id;
    end if;
  end if;
  perform job_queue.note_hand_edit(old, new);
  if tg_op = 'DELETE' then
    perform job_queue.after_end(array[old.id]);
    return null;
  end if;
  if tg_op = 'UPDATE' then
    if (old.status, old.lane, old.lease_token, old.lease_until)
       is distinct from (new.status, new.lane, new.lease_token, new.lease_until) then
      new := job_queue.settle_hand_update(old, new);
      perform job_queue.write_settled(new);
    end if;
    if old.status in ('queued', 'processing') and new.status not in ('queued', 'processing') then
      perform job_queue.after_end(array[new.id]);
    end if;
  end if;
  if new.status = 'queued' then
    perform job_queue.add_ready(new);
  elsif new.status = 'processing' and (tg_op = 'INSERT' or old.status <> 'processing') then
    insert into public.background_job_leases (token, worker, lane, claimed_at, lease_until, remaining, job_ids)
    values (new.lease_token, 'by hand', new.lane, clock_timestamp(), new.lease_until, 1, array[new.id]);
  end if;
  if new.status = 'processing' then
    delete from public.background_job_slots s where s.concurrency_key = old.concurrency_key and s.job_id = old.id;
    insert into public.background_job_slots (job_id, concurrency_key)
    select new.id, new.concurrency_key where new.concurrency_key is not null and new.lane <> 'inline';
  end if;
  return null;
end
$$;

drop function job_queue.free_slots(uuid[]);
create function job_queue.free_slots(p_ids uuid[], p_keys text[]) returns void
language plpgsql
set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
  set plan_cache_mode = force_generic_plan
as $$
begin
  delete from public.background_job_slots s using unnest(p_ids, p_keys) as u(id, key)
  where s.concurrency_key = u.key and s.job_id = u.id;
  perform job_queue.ring();
end
$$;
comment on function job_queue.free_slots(uuid[], text[]) is
  'Gives back the slots that the jobs have under their concurrency keys, key by job, and rings for whoever waits for one.';

drop function job_queue.complete_held(uuid[], uuid[], jsonb[], timestamptz);
create function job_queue.complete_held(
  p_ids uuid[], p_tokens uuid[], p_results jsonb[], p_now timestamptz, out accepted bigint[], out keyed uuid[], out keys text[])
language plpgsql
-- Planned at each call: a plan that was made while background_jobs was small would read all of it for each result.
set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
  set plan_cache_mode = force_custom_plan
as $$
declare
  v_ends record;
begin
  with done as (
    update public.background_jobs j
    set revision = j.revision + 1, status = 'completed', result = nullif(i.result, 'null'), error = null, completed_at = p_now,
        lease_token = null, lease_until = null,
        duration_ms = greatest(0, (date_part('epoch', p_now - j.started_at) * 1000)::bigint),
        active_ms = j.active_ms + greatest(0, (date_part('epoch', p_now - j.started_at) * 1000)::bigint)
    from (
      select * from unnest(p_ids, p_tokens, p_results) with ordinality as u(job_id, lease_token, result, n)
      -- One order for all callers, so that two of them seldom wait for each other.
      order by 1) i
    where j.id = i.job_id and j.status = 'processing' and j.lease_token = i.lease_token
    returning i.n, j.id, j.concurrency_key, j.type,
      -- As noted_ms, hour_number and wait_ms, without the calls. A person may have written infinity into the row.
      least(j.duration_ms, 2147483647)::integer as duration, greatest(0, least(j.active_ms, 2147483647))::integer as active,
      floor(date_part('epoch', greatest(least(j.created_at, j.started_at), 'epoch')) / 3600)::integer as created_hour,
      least(date_part('epoch', j.started_at - greatest(least(greatest(j.run_at, j.created_at), j.started_at), 'epoch')) * 1000,
        2147483647)::integer as wait
  )
  select array_agg(d.n) as accepted, array_agg(d.id) filter (where d.concurrency_key is not null) as keyed,
    array_agg(d.concurrency_key) filter (where d.concurrency_key is not null) as keys, array_agg(d.type) as types,
    array_agg(d.created_hour) as hours, array_agg(d.duration) as durations, array_agg(d.active) as actives,
    array_agg(d.wait) as waits
  into v_ends from done d;
  accepted := v_ends.accepted;
  keyed := v_ends.keyed;
  keys := v_ends.keys;
  if accepted is not null then
    perform job_queue.note_completions(
      p_now, v_ends.types, v_ends.hours, v_ends.durations, v_ends.actives, v_ends.waits);
  end if;
end
$$;
comment on function job_queue.complete_held(uuid[], uuid[], jsonb[], timestamptz) is
  'Completes the jobs whose lease tokens still hold them, and notes their ends; returns their positions, and the ids and keys of those with a concurrency key.';

drop function job_queue.complete_leased(uuid, uuid[], timestamptz);
create function job_queue.complete_leased(
  p_token uuid, p_ids uuid[], p_now timestamptz, out accepted uuid[], out keyed uuid[], out keys text[])
language plpgsql
set search_path = '' set enable_seqscan = off set jit = off set plan_cache_mode = force_generic_plan
as $$
declare
  v_ends record;
begin
  with done as (
    update public.background_jobs j
    set revision = j.revision + 1, status = 'completed', result = null, error = null, completed_at = p_now,
        lease_token = null, lease_until = null,
        duration_ms = greatest(0, (date_part('epoch', p_now - j.started_at) * 1000)::bigint),
        active_ms = j.active_ms + greatest(0, (date_part('epoch', p_now - j.started_at) * 1000)::bigint)
    where j.id = any (p_ids) and j.status = 'processing' and j.lease_token = p_token
    returning j.id, j.concurrency_key, j.type,
      -- As in complete_held.
      least(j.duration_ms, 2147483647)::integer as duration, greatest(0, least(j.active_ms, 2147483647))::integer as active,
      floor(date_part('epoch', greatest(least(j.created_at, j.started_at), 'epoch')) / 3600)::integer as created_hour,
      least(date_part('epoch', j.started_at - greatest(least(greatest(j.run_at, j.created_at), j.started_at), 'epoch')) * 1000,
        2147483647)::integer as wait
  )
  select array_agg(d.id) as accepted, array_agg(d.id) filter (where d.concurrency_key is not null) as keyed,
    array_agg(d.concurrency_key) filter (where d.concurrency_key is not null) as keys, array_agg(d.type) as types,
    array_agg(d.created_hour) as hours, array_agg(d.duration) as durations, array_agg(d.active) as actives,
    array_agg(d.wait) as waits
  into v_ends from done d;
  accepted := v_ends.accepted;
  keyed := v_ends.keyed;
  keys := v_ends.keys;
  if accepted is not null then
    perform job_queue.note_completions(
      p_now, v_ends.types, v_ends.hours, v_ends.durations, v_ends.actives, v_ends.waits);
  end if;
end
$$;
comment on function job_queue.complete_leased(uuid, uuid[], timestamptz) is
  'complete_held for jobs of one lease that have nothing to tell: without a join, which costs more than their update.';

create or replace function public.complete_background_jobs(results jsonb) returns table (job_id uuid, accepted boolean)
language plpgsql security definer
set search_path = '' set enable_seqscan = off set jit = off set lock_timeout = '2s' set plan_cache_mode = force_generic_plan
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_ids uuid[];
  v_tokens uuid[];
  v_results jsonb[];
  -- Positions in results: the same job may be there twice, with the token of a lost attempt too.
  v_accepted bigint[];
  v_keyed uuid[];
  v_keys text[];
begin
  begin
    select array_agg((e.r ->> 'job_id')::uuid), array_agg((e.r ->> 'lease_token')::uuid), array_agg(e.r -> 'result')
    into v_ids, v_tokens, v_results from jsonb_array_elements(results) as e(r);
  exception when invalid_text_representation or invalid_parameter_value then null;
  end;
  if v_ids is null or array_position(v_ids, null) is not null or array_position(v_tokens, null) is not null then
    perform job_queue.require_lease_array('results', results);
  end if;
  select c.accepted, c.keyed, c.keys into v_accepted, v_keyed, v_keys from job_queue.complete_held(v_ids, v_tokens, v_results, v_now) as c;
  if v_accepted is not null then
    if v_keyed is not null then perform job_queue.free_slots(v_keyed, v_keys); end if;
    perform job_queue.release_lease(t.token, t.jobs::integer)
    from (select v_tokens[u.n] as token, count(*) as jobs from unnest(v_accepted) as u(n) group by 1 order by 1) t;
    perform job_queue.enqueue_follow_ups(results, v_accepted);
    perform job_queue.tell_of_ends(array(select v_ids[u.n] from unnest(v_accepted) as u(n)));
  end if;
  if cardinality(v_accepted) = cardinality(v_ids) then
    return query select u.id, true from unnest(v_ids) as u(id);
  else
    return query select a.id, a.accepted from job_queue.mark_accepted(v_ids, v_accepted) as a;
  end if;
end
$$;

create or replace function public.complete_job_batch(lease_token uuid, job_ids uuid[], results jsonb default null) returns uuid[]
language plpgsql security definer
set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_accepted uuid[];
  v_keyed uuid[];
  v_keys text[];
begin
  if lease_token is null then
    raise exception using errcode = 'PT400', message = 'lease_token: expected a uuid, got nothing';
  elsif job_ids is null or array_ndims(job_ids) > 1 or array_position(job_ids, null) is not null then
    raise exception using errcode = 'PT400', message = 'job_ids: expected an array of uuids';
  elsif results <> 'null' and (jsonb_typeof(results) <> 'array' or jsonb_array_length(results) <> cardinality(job_ids)) then
    raise exception using errcode = 'PT400', message = format(
      'results: expected null or an array of %s, one for each job, got %s', cardinality(job_ids),
      case jsonb_typeof(results) when 'array' then jsonb_array_length(results)::text else jsonb_typeof(results) end);
  end if;
  if jsonb_typeof(results) = 'array' then
    select array(select job_ids[u.n] from unnest(c.accepted) as u(n)), c.keyed, c.keys into v_accepted, v_keyed, v_keys
    from job_queue.complete_held(
      job_ids, array_fill(lease_token, array[cardinality(job_ids)]), array(select jsonb_array_elements(results)), v_now) as c;
  else
    select c.accepted, c.keyed, c.keys into v_accepted, v_keyed, v_keys from job_queue.complete_leased(lease_token, job_ids, v_now) as c;
  end if;
  if cardinality(v_accepted) > 0 then
    if v_keyed is not null then perform job_queue.free_slots(v_keyed, v_keys); end if;
    perform job_queue.release_lease(lease_token, cardinality(v_accepted));
    perform job_queue.tell_of_ends(v_accepted);
    if cardinality(v_accepted) = cardinality(job_ids) then return '{}'; end if;
  end if;
  return array(select u.id from unnest(job_ids) as u(id) where u.id not in (select unnest(v_accepted)));
end
$$;

revoke all on function job_queue.lock_keys(text[], integer), job_queue.note_keys(text[]), job_queue.nobody_parks(),
  job_queue.take_slots(tid[], integer),
  job_queue.keep_startable(tid[], boolean, integer),
  job_queue.free_slots(uuid[], text[]), job_queue.complete_held(uuid[], uuid[], jsonb[], timestamptz),
  job_queue.complete_leased(uuid, uuid[], timestamptz) from public, anon, authenticated, service_role;
