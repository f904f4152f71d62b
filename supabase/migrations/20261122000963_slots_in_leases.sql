-- Slots of many jobs at once. A row for each, with its index entry, its removal and the note of its key were two thirds of what a
-- concurrency key cost a claim and a completion of thousands. A claim of many now writes its slots into its lease, as two arrays,
-- and they are worth as much as the jobs' rows say: such a slot is taken while its job runs under that lease. So nobody has to take
-- it away; the key is noted as before. Claims of few jobs, of which there may be many, keep a row for each slot.

alter table public.background_job_leases add column slot_keys text[], add column slot_job_ids uuid[];
alter table public.background_job_leases
  alter column slot_keys set storage external, alter column slot_job_ids set storage external;
comment on column public.background_job_leases.slot_keys is
  'Concurrency keys of the jobs in slot_job_ids, one for each, when the claim brought many with keys: they have no row in background_job_slots. A job that no longer runs under this lease has none of these slots.';
create index background_job_leases_slots on public.background_job_leases (token) where slot_keys is not null;
comment on table public.background_job_slots is
  'One row per running job that has a concurrency key and was claimed from a queued lane with few others. Those that were claimed with many: see slot_keys of background_job_leases. Both: job_queue.busy_slots.';

create function job_queue.busy_slots(p_keys text[]) returns table (concurrency_key text, job_id uuid)
language plpgsql stable
set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_nestloop = on
  set jit = off set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  -- Claims of thousands leave no rows here: that is seen at once, and not key by key.
  if exists (select from public.background_job_slots) then
    return query
      select s.concurrency_key, s.job_id from public.background_job_slots s where s.concurrency_key = any (p_keys);
  end if;
  return query
    select u.key, u.id
    from public.background_job_leases l cross join lateral unnest(l.slot_keys, l.slot_job_ids) as u(key, id)
    -- Not as joins, which a plan that was made while the tables were small turns round: a look into a hash table for each
    -- entry, and one by id for each that matches.
    where l.slot_keys is not null and (u.key in (select unnest(p_keys))) is true
      and l.token = (
        select j.lease_token from public.background_jobs j
        where j.id = u.id and j.status = 'processing' and j.concurrency_key = u.key and j.lane <> 'inline')
      and not exists (select from public.background_job_slots s where s.concurrency_key = u.key and s.job_id = u.id);
end
$$;
comment on function job_queue.busy_slots(text[]) is 'The slots of these concurrency keys that are taken, and by which jobs.';

-- Whoever ends a run notes its key, for there need not be a row whose removal could.
drop trigger background_job_slots_freed on public.background_job_slots;
drop function job_queue.note_freed_keys();

drop function job_queue.lease_jobs(uuid, uuid[], text, text, timestamptz, integer, boolean, boolean);
create function job_queue.lease_jobs(
  p_token uuid, p_ids uuid[], p_lane text, p_worker text, p_now timestamptz, p_lease_seconds integer, p_due_only boolean,
  p_keyed boolean, p_keys text[] default null) returns integer
language plpgsql
set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  v_until timestamptz := p_now + make_interval(secs => p_lease_seconds);
  v_leased integer;
  v_keys integer := cardinality(array_remove(p_keys, null));
  v_slot_keys text[];
  v_slot_job_ids uuid[];
begin
  -- One table and an array of ids, not a join: a plan that was made while the table was small cannot turn it round.
  update public.background_jobs j
  set revision = j.revision + 1, status = 'processing', started_at = p_now, lease_token = p_token, lease_until = v_until,
      step_saved = false
  where j.id = any (p_ids) and j.status = 'queued'
    and (not p_due_only or (j.lane = p_lane and j.run_at <= p_now and j.expires_at > p_now));
  get diagnostics v_leased = row_count;
  if v_leased = 0 then return 0; end if;
  if v_keys >= 64 and v_keys * 2 >= cardinality(p_ids) then
    -- Some may have no key, or not be leased: those have no slot.
    v_slot_keys := p_keys;
    v_slot_job_ids := p_ids;
  elsif p_keyed then
    select array_agg(j.concurrency_key), array_agg(j.id) into v_slot_keys, v_slot_job_ids from public.background_jobs j
    where j.id = any (p_ids) and j.lease_token = p_token and j.concurrency_key is not null and j.lane <> 'inline';
    -- Every later claim of a key reads the arrays of all leases: there should be few of them, and long ones.
    if cardinality(v_slot_keys) < 64 then
      insert into public.background_job_slots (job_id, concurrency_key)
      select u.id, u.key from unnest(v_slot_keys, v_slot_job_ids) as u(key, id);
      v_slot_keys := null;
      v_slot_job_ids := null;
    end if;
  end if;
  insert into public.background_job_leases as known (
    token, worker, lane, claimed_at, lease_until, remaining, job_ids, slot_keys, slot_job_ids)
  values (p_token, p_worker, p_lane, p_now, v_until, v_leased, p_ids, v_slot_keys, v_slot_job_ids)
  on conflict (token) do update
    set remaining = known.remaining + excluded.remaining, job_ids = known.job_ids || excluded.job_ids,
        slot_keys = known.slot_keys || excluded.slot_keys, slot_job_ids = known.slot_job_ids || excluded.slot_job_ids;
  return v_leased;
end
$$;
comment on function job_queue.lease_jobs(uuid, uuid[], text, text, timestamptz, integer, boolean, boolean, text[]) is
  'Gives the queued ones of the jobs to the worker under the lease token, which it may hold already; returns how many. p_keyed: whether any of them has a concurrency key; p_keys: the key of each, where it is known. The lease names the others too; they do not bear its token.';

drop function job_queue.pick_line(text, timestamptz, timestamptz, integer, text[], text[], text[], boolean, boolean);
create function job_queue.pick_line(
  p_lane text, p_from timestamptz, p_now timestamptz, p_max_jobs integer, p_types text[], p_unfit text[], p_undecided text[],
  p_careful boolean, p_low_priority boolean, out ctids tid[], out ids uuid[], out keys text[], out keyed boolean)
language plpgsql
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  v_all boolean := p_types is null and p_unfit = '{}' and p_undecided = '{}' and not p_careful;
  v_from timestamptz := p_from;
  v_pages bigint;
  v_first_at timestamptz;
  v_more record;
begin
  loop
    v_pages := pg_stat_get_xact_blocks_fetched('public.background_job_ready'::regclass);
    -- A job may run when its run_at is past. For priorities from 0 up that implies sort_at <= now, so the scan ends there.
    select array_agg(p.ctid), array_agg(p.id), array_agg(p.concurrency_key), count(p.concurrency_key) > 0, min(p.sort_at)
    into ctids, ids, keys, keyed, v_first_at
    from (
      select r.ctid, r.id, r.concurrency_key, r.sort_at from public.background_job_ready r
      where r.lane = p_lane and r.sort_at >= v_from and r.sort_at <= p_now and r.run_at <= p_now and r.expires_at > p_now
        and (p_types is null or r.type = any (p_types)) and not r.type = any (p_unfit)
        and (r.concurrency_key is null or r.concurrency_key not in (select unnest(p_undecided)))
        and (not p_careful or job_queue.hold_waiting_job(r.id))
      order by r.sort_at, r.id limit p_max_jobs for update skip locked) p;
    if p_low_priority and coalesce(cardinality(ids), 0) < p_max_jobs then
      select array_agg(p.ctid) as ctids, array_agg(p.id) as ids, array_agg(p.concurrency_key) as keys, count(p.concurrency_key) > 0 as keyed
      into v_more
      from (
        select r.ctid, r.id, r.concurrency_key from public.background_job_ready r
        where r.lane = p_lane and r.sort_at > r.run_at and r.sort_at > p_now and r.sort_at < 'infinity'
          and r.run_at <= p_now and r.expires_at > p_now
          and (p_types is null or r.type = any (p_types)) and not r.type = any (p_unfit)
          and (r.concurrency_key is null or r.concurrency_key not in (select unnest(p_undecided)))
          and (not p_careful or job_queue.hold_waiting_job(r.id))
        order by r.sort_at, r.id limit p_max_jobs - coalesce(cardinality(ids), 0) for update skip locked) p;
      ctids := ctids || v_more.ctids;
      ids := ids || v_more.ids;
      keys := keys || v_more.keys;
      keyed := keyed or v_more.keyed;
    end if;
    exit when ids is not null or v_from = '-infinity';
    v_from := '-infinity';
  end loop;
  -- A pick reads a page or two for each row that it locks. Far more are 5,000 rows or so that only an old snapshot sees.
  if v_all and v_from = '-infinity' and v_first_at is not null
     and pg_stat_get_xact_blocks_fetched('public.background_job_ready'::regclass) - v_pages > 64 + 2 * cardinality(ids) then
    perform job_queue.note_line_start(p_lane, v_first_at, p_now);
  end if;
end
$$;
comment on function job_queue.pick_line(
  text, timestamptz, timestamptz, integer, text[], text[], text[], boolean, boolean) is
  'Locks up to p_max_jobs runnable ready rows from p_from on, in order, from the very front when there is nothing behind that place; none of the undecided concurrency keys; with p_careful their jobs'' rows too, passing by those that others hold; with p_low_priority those, too, that stand behind jobs that are not due. keys: the concurrency key of each; keyed: whether any has one. Null arrays when there is none.';

drop function job_queue.take_slots(tid[], integer);
create function job_queue.take_slots(
  p_ctids tid[], p_keys text[], p_most_keys integer,
  out ctids tid[], out ids uuid[], out keys integer, out undecided text[], out parked boolean)
language plpgsql
-- Thousands of keys are compared with as many, whatever an array is thought to hold.
set search_path = '' set enable_nestloop = off
as $$
declare
  v_all text[];
  v_keys text[];
  v_contested text[];
  v_full text[];
  v_parked tid[];
begin
  select array_agg(k.key), coalesce(array_agg(k.key) filter (where k.jobs > 1), '{}') into v_all, v_contested
  from (select u.key, count(*) as jobs from unnest(p_keys) as u(key) where u.key is not null group by 1) k;
  -- One claimer per key at a time decides about it; the others leave the key's jobs alone. The lock lives until commit,
  -- so the count that the next one reads includes our slots.
  select l.ours, l.others into v_keys, undecided from job_queue.lock_keys(v_all, p_most_keys) as l;
  keys := cardinality(v_keys);
  parked := false;
  v_contested := v_contested || array(
    select distinct b.concurrency_key from job_queue.busy_slots(v_keys) as b);
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
        select s.concurrency_key, count(*) as busy from job_queue.busy_slots(v_contested) as s group by s.concurrency_key) b on b.concurrency_key = r.concurrency_key
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

comment on function job_queue.take_slots(tid[], text[], integer) is
  'Of the locked ready rows those that their concurrency keys, p_keys, let run, ids null when that is all of them; keys: so many are locked until the transaction ends, p_most_keys at the most. Those whose keys are full are parked; undecided: keys that another transaction decides about, or a later claim.';

drop function job_queue.keep_startable(tid[], boolean, integer);
create function job_queue.keep_startable(
  p_ctids tid[], p_keys text[], p_keyed boolean, p_most_keys integer,
  out ctids tid[], out ids uuid[], out keys integer, out undecided text[], out parked boolean, out throttled boolean)
language plpgsql
set search_path = ''
as $$
begin
  select p_ctids, 0, '{}'::text[], false, false into ctids, keys, undecided, parked, throttled;
  if p_keyed then
    select t.ctids, t.ids, t.keys, t.undecided, t.parked into ctids, ids, keys, undecided, parked
    from job_queue.take_slots(p_ctids, p_keys, p_most_keys) as t;
  end if;
  if ctids is not null and exists (select from public.job_types t where t.throttle_limit is not null) then
    select t.ctids, t.ids into ctids, ids from job_queue.take_starts(ctids) as t;
    throttled := ids is null;
  end if;
end
$$;
comment on function job_queue.keep_startable(tid[], text[], boolean, integer) is
  'Of the locked ready rows those that concurrency keys and throttles let start; ids stays null where that is all of them. p_keys: the key of each. keys: so many were locked, p_most_keys at the most; undecided: keys that another transaction decides about, or a later claim; parked: some were; throttled: none may start for their throttles.';

create or replace function job_queue.unpark_jobs() returns void
language plpgsql
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  -- Notes that another claim is taking are its own.
  v_notes tid[] := array(
    select x.ctid
    from (select n.ctid, n.keys, sum(n.keys) over (order by n.ctid) as total
          from (select y.ctid, y.keys from public.background_job_freed_keys y limit 1000 for update skip locked) n) x
    where x.total - x.keys < 1000);
  v_nobody_parks boolean := job_queue.nobody_parks();
  v_keys text[];
  v_left text[];
begin
  if v_nobody_parks and not exists (select from public.background_job_ready r where r.line_at is not null) then
    -- Most of the time.
    delete from public.background_job_freed_keys f where f.ctid = any (v_notes);
    return;
  end if;
  with taken as (
    delete from public.background_job_freed_keys f where f.ctid = any (v_notes) returning f.concurrency_keys
  )
  select array(select distinct u.key from taken t cross join lateral unnest(t.concurrency_keys) as u(key)) into v_keys;
  if v_nobody_parks then
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
  with taken as materialized (
    select s.concurrency_key as key, count(*) as slots from job_queue.busy_slots(v_keys) as s group by 1
  ), parked as materialized (
    select n.ctid
    from (select u.key, coalesce(t.slots, 0) as busy from unnest(v_keys) as u(key) left join taken t on t.key = u.key) b
    cross join lateral (
      select p.ctid, p.concurrency_limit, row_number() over (order by p.line_at, p.id) as nth
      from job_queue.parked_limits(b.key, b.busy) as l(concurrency_limit)
      cross join lateral (
        select x.ctid, x.concurrency_limit, x.line_at, x.id from public.background_job_ready x
        where x.concurrency_key = b.key and x.concurrency_limit = l.concurrency_limit and x.line_at is not null
        order by x.line_at, x.id limit l.concurrency_limit - b.busy for update skip locked) p) n
    where n.nth <= n.concurrency_limit - b.busy
  )
  update public.background_job_ready r set sort_at = r.line_at, line_at = null
  where r.ctid = any (array(select p.ctid from parked p));
  if found then perform job_queue.ring(); end if;
end
$$;

create or replace function job_queue.refresh_parked() returns void
language plpgsql
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  v_keys text[];
begin
  -- The distinct keys by steps through the index, a few microseconds each: the rows of one key may be many.
  with recursive keys as (
    (select r.concurrency_key as key from public.background_job_ready r
     where r.line_at is not null order by r.concurrency_key limit 1)
    union all
    select (select r.concurrency_key from public.background_job_ready r
            where r.line_at is not null and r.concurrency_key > k.key order by r.concurrency_key limit 1)
    from keys k where k.key is not null
  )
  select array_agg(k.key) into v_keys from keys k where k.key is not null;
  if v_keys is null then return; end if;
  with taken as materialized (
    select s.concurrency_key as key, count(*) as slots from job_queue.busy_slots(v_keys) as s group by 1
  ), free as (
    select u.key, row_number() over () as nth from unnest(v_keys) as u(key) left join taken t on t.key = u.key
    where (select max(r.concurrency_limit) from public.background_job_ready r
           where r.concurrency_key = u.key and r.line_at is not null) > coalesce(t.slots, 0)
      and u.key not in (select unnest(f.concurrency_keys) from public.background_job_freed_keys f)
  )
  insert into public.background_job_freed_keys (concurrency_keys)
  select array_agg(f.key) from free f group by f.nth / 1000;
  perform job_queue.unpark_jobs();
end
$$;

create or replace function job_queue.free_slots(p_ids uuid[], p_keys text[]) returns void
language plpgsql
set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
  set plan_cache_mode = force_generic_plan
as $$
begin
  if exists (select from public.background_job_slots) then
    delete from public.background_job_slots s using unnest(p_ids, p_keys) as u(id, key)
    where s.concurrency_key = u.key and s.job_id = u.id;
  end if;
  perform job_queue.note_keys(array_remove(p_keys, null));
  perform job_queue.ring();
end
$$;
comment on function job_queue.free_slots(uuid[], text[]) is
  'To be called when the jobs run no more: gives back the slots that they have under their concurrency keys, key by job, null for those without, notes the keys, and rings for whoever waits for one.';

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
    perform job_queue.free_slots(array[p_job.id], array[p_job.concurrency_key]);
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
    end if;
    if old.status = 'processing' and old.concurrency_key is not null then
      perform job_queue.free_slots(array[old.id], array[old.concurrency_key]);
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
    insert into public.background_job_slots (job_id, concurrency_key)
    select new.id, new.concurrency_key where new.concurrency_key is not null and new.lane <> 'inline';
  end if;
  return null;
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
  v_keys text[];
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
      select p.ctids, p.ids, p.keys, p.keyed into v_ctids, v_ids, v_keys, v_keyed
      from job_queue.pick_line(
        p_lane, v_from, v_now, v_left, v_types, v_unfit, v_undecided, v_careful,
        v_seldom.low_priority or v_seldom.freed_key) as p;
      exit when v_ids is null;
      v_look_behind := false;
      if v_keyed or v_seldom.throttle then
        select * into v_kept from job_queue.keep_startable(v_ctids, v_keys, v_keyed, v_most_keys);
        v_ctids := v_kept.ctids;
        if v_kept.ids is not null then
          v_ids := v_kept.ids;
          v_keys := null;
        end if;
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
        v_claimed := job_queue.lease_jobs(token, v_ids, p_lane, p_worker, v_now, p_lease_seconds, true, v_keyed, v_keys);
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

create or replace function job_queue.complete_leased(
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
  select array_agg(d.id) as accepted, count(d.concurrency_key) as keyed, array_agg(d.concurrency_key) as keys, array_agg(d.type) as types,
    array_agg(d.created_hour) as hours, array_agg(d.duration) as durations, array_agg(d.active) as actives,
    array_agg(d.wait) as waits
  into v_ends from done d;
  accepted := v_ends.accepted;
  if v_ends.keyed > 0 then
    keyed := accepted;
    keys := v_ends.keys;
  end if;
  if accepted is not null then
    perform job_queue.note_completions(
      p_now, v_ends.types, v_ends.hours, v_ends.durations, v_ends.actives, v_ends.waits);
  end if;
end
$$;
comment on function job_queue.complete_leased(uuid, uuid[], timestamptz) is
  'complete_held for jobs of one lease that have nothing to tell: without a join, which costs more than their update. keyed and keys are null when none of them has a concurrency key, and otherwise name all of them.';

create or replace function public.claim_background_job(job_id uuid, worker text, lease_seconds integer)
returns table (
  id uuid, type text, payload jsonb, retry_count integer, max_retries integer, timeout_seconds integer,
  lease_token uuid, steps jsonb, run_at timestamptz, expires_at timestamptz)
language plpgsql security definer
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_job public.background_jobs;
  v_token uuid := gen_random_uuid();
begin
  perform job_queue.require_claim_arguments(worker, 1, lease_seconds);
  select * into v_job from public.background_jobs j
  where j.id = claim_background_job.job_id and j.status = 'queued'
    and job_queue.type_hold(j.type) is null and not job_queue.waits_for_parents(j.id)
  for no key update skip locked;
  if v_job.id is null then return; end if;
  if v_job.concurrency_key is not null then
    if not pg_try_advisory_xact_lock(hashtextextended('background_job_slots:' || v_job.concurrency_key, 0)) then return; end if;
    -- A statement of its own, whose snapshot is taken after the lock: it sees the slots of the lock's last holder.
    if (select count(*) from job_queue.busy_slots(array[v_job.concurrency_key])) >= v_job.concurrency_limit then
      return;
    end if;
  end if;
  if not job_queue.take_start(v_job.type) then return; end if;
  perform job_queue.remove_ready(v_job.lane, v_job.run_at - v_job.priority * interval '1 minute', v_job.id);
  perform job_queue.lease_jobs(
    v_token, array[v_job.id], v_job.lane, worker, v_now, lease_seconds, false, v_job.concurrency_key is not null);
  return query select r.* from job_queue.leased_rows(v_token, array[v_job.id]) as r;
end
$$;

create or replace function job_queue.explain_waiting(p_job public.background_jobs) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  v_hold text := job_queue.type_hold(p_job.type);
  v_last public.background_job_attempts;
  v_busy uuid[];
begin
  if v_hold like 'paused:%' then
    return v_hold;
  elsif p_job.expires_at <= clock_timestamp() then
    return format('expired at %s: the next sweep fails it', p_job.expires_at);
  elsif job_queue.waits_for_parents(p_job.id) then
    return format('waits for %s', (
      select string_agg(format('job %s (%s, %s)', d.parent_id, j.type, j.status), ', ' order by d.parent_id)
      from public.background_job_dependencies d left join public.background_jobs j on j.id = d.parent_id
      where d.job_id = p_job.id and not d.settled));
  elsif p_job.run_at > clock_timestamp() then
    select * into v_last from public.background_job_attempts a where a.job_id = p_job.id order by a.number desc limit 1;
    return format('%s until %s%s', case v_last.outcome when 'snoozed' then 'snoozed' when 'failed' then 'backoff'
        when 'timed_out' then 'backoff' when 'rescued' then 'backoff' else 'scheduled: waits' end,
      p_job.run_at, coalesce(': ' || (v_last.error ->> 'message'), ''));
  end if;
  if v_hold is not null then return v_hold; end if;
  v_busy := array(select s.job_id from job_queue.busy_slots(array[p_job.concurrency_key]) as s);
  if cardinality(v_busy) >= p_job.concurrency_limit then
    return format('concurrency key %s is busy: job %s is running', p_job.concurrency_key, array_to_string(v_busy, ', '));
  end if;
  return format('waiting on lane %s, %s runnable jobs before it%s', p_job.lane,
    (select count(*) from public.background_job_ready r
     where r.lane = p_job.lane and r.run_at <= clock_timestamp()
       and (r.sort_at, r.id) < (p_job.run_at - p_job.priority * interval '1 minute', p_job.id)),
    case when p_job.lane = 'inline' then ': Inngest retries it, or the sweep moves it to the edge lane'
         when exists (select from public.background_job_leases l where l.lane = p_job.lane)
           or exists (select from public.background_job_workers w where p_job.lane = any (w.lanes)) then ''
         else format('; nobody is working on the lane (newest job started: %s)', coalesce((
           select max(n.started_at)::text from (
             select j.started_at from public.background_jobs j where j.lane = p_job.lane
             order by j.id desc limit 1000) n), 'never')) end);
end
$$;

create or replace function job_queue.runnable_jobs(p_lane text) returns bigint
language plpgsql stable
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_held text[] := job_queue.held_types();
begin
  return (
    with waiting as materialized (
      select r.type, r.concurrency_key, max(r.concurrency_limit) as concurrency_limit, count(*) as jobs
      from public.background_job_ready r
      where r.lane = p_lane and r.run_at <= v_now and r.expires_at > v_now and not r.type = any (v_held)
      group by r.type, r.concurrency_key
    ), busy as (
      select s.concurrency_key, count(*) as jobs
      from job_queue.busy_slots(array(select w.concurrency_key from waiting w where w.concurrency_key is not null)) as s
      group by 1
    )
    select coalesce(sum(greatest(0, least(t.jobs, job_queue.starts_left(t.type)))), 0)
    from (
      select w.type, sum(case when w.concurrency_key is null then w.jobs
                              else greatest(0, least(w.jobs, w.concurrency_limit - coalesce(b.jobs, 0))) end) as jobs
      from waiting w left join busy b on b.concurrency_key = w.concurrency_key
      group by w.type) t);
end
$$;

create or replace function public.check_background_jobs() returns table (job_id uuid, problem text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
  with lease_members as (
    select l.token, m.id from public.background_job_leases l, unnest(l.job_ids) as m(id)
  ), slot_members as (
    select l.token, u.id, u.key
    from public.background_job_leases l cross join lateral unnest(l.slot_keys, l.slot_job_ids) as u(key, id)
  ), ready as (
    select r.id, count(*) as rows from public.background_job_ready r group by r.id
  )
  select j.id, 'queued without a ready row' from public.background_jobs j
  where j.status = 'queued' and not exists (select from ready r where r.id = j.id) and not job_queue.waits_for_parents(j.id)
  union all
  select r.id, 'claimable although it waits for a parent' from ready r where job_queue.waits_for_parents(r.id)
  union all
  select d.job_id, format('waits for job %s, which is %s', d.parent_id, coalesce(j.status, 'gone'))
  from public.background_job_dependencies d left join public.background_jobs j on j.id = d.parent_id
  where not d.settled and coalesce(j.status, 'gone') not in ('queued', 'processing')
  union all
  select r.id, format('%s ready rows', r.rows) from ready r where r.rows > 1
  union all
  select r.id, 'ready row of a job that is ' || coalesce(j.status, 'gone')
  from public.background_job_ready r left join public.background_jobs j on j.id = r.id
  where j.status is distinct from 'queued'
  union all
  select r.id, 'ready row does not match the job'
  from public.background_job_ready r join public.background_jobs j on j.id = r.id
  where j.status = 'queued' and (r.lane, r.type, r.run_at, r.expires_at, coalesce(r.line_at, r.sort_at), r.concurrency_key, r.concurrency_limit)
    is distinct from (j.lane, j.type, j.run_at, j.expires_at, j.run_at - j.priority * interval '1 minute',
                      j.concurrency_key, j.concurrency_limit)
  union all
  select r.id, 'ready row is parked in the wrong way' from public.background_job_ready r
  where (r.line_at is not null) <> (r.sort_at = 'infinity') or (r.line_at is not null and r.concurrency_key is null)
  union all
  select j.id, p.found from public.background_jobs j cross join lateral (select job_queue.row_problem(j) as found) p
  where p.found is not null
  union all
  select j.id, 'has a lease that does not fit its status' from public.background_jobs j
  where (j.status = 'processing') <> (j.lease_token is not null and j.lease_until is not null)
  union all
  select j.id, 'processing without a lease' from public.background_jobs j
  where j.status = 'processing'
    and not exists (select from lease_members m where m.token = j.lease_token and m.id = j.id)
  union all
  select null::uuid, format('lease %s counts %s jobs but %s are running', l.token, l.remaining, n.running)
  from public.background_job_leases l cross join lateral (
    select count(*) as running from public.background_jobs j
    where j.id = any (l.job_ids) and j.lease_token = l.token and j.status = 'processing') n
  where n.running > l.remaining
  union all
  select j.id, 'runs under a concurrency key without a slot' from public.background_jobs j
  where j.status = 'processing' and j.concurrency_key is not null and j.lane <> 'inline'
    and not exists (select from public.background_job_slots s where s.job_id = j.id and s.concurrency_key = j.concurrency_key)
    and not exists (
      select from slot_members m where m.token = j.lease_token and m.id = j.id and m.key = j.concurrency_key)
  union all
  select s.job_id, 'slot of a job that is ' || coalesce(j.status, 'gone')
  from public.background_job_slots s left join public.background_jobs j on j.id = s.job_id
  where j.status is distinct from 'processing'
  union all
  select j.id, 'ended without the time of its end' from public.background_jobs j
  where (j.status = 'completed' and j.completed_at is null) or (j.status = 'failed' and j.failed_at is null);
end
$$;

revoke all on function job_queue.busy_slots(text[]),
  job_queue.lease_jobs(uuid, uuid[], text, text, timestamptz, integer, boolean, boolean, text[]),
  job_queue.pick_line(text, timestamptz, timestamptz, integer, text[], text[], text[], boolean, boolean),
  job_queue.take_slots(tid[], text[], integer), job_queue.keep_startable(tid[], text[], boolean, integer) from public, anon, authenticated, service_role;
