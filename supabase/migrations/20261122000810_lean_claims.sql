-- Claims that read no more than they give out: the ready rows in the order of their index (for a table that was just empty
-- the planner prefers a bitmap of all rows and a sort), and of the jobs only the columns that a claim answers.

-- A lease of 2,000 jobs is 32 kB of ids: out of line, but not compressed, because random bits do not get smaller.
alter table public.background_job_leases alter column job_ids set storage external;

drop function job_queue.pick_ready(text, timestamptz, integer, text[], text[], boolean);
create function job_queue.pick_ready(
  p_lane text, p_now timestamptz, p_max_jobs integer, p_types text[], p_unfit text[], p_undecided text[], p_careful boolean,
  out ctids tid[], out ids uuid[], out keyed boolean)
language plpgsql
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  v_more record;
begin
  -- A job may run when its run_at is past. For priorities from 0 up that implies sort_at <= now, so the scan ends there.
  select array_agg(p.ctid), array_agg(p.id), coalesce(bool_or(p.concurrency_key is not null), false)
  into ctids, ids, keyed
  from (
    select r.ctid, r.id, r.concurrency_key from public.background_job_ready r
    where r.lane = p_lane and r.sort_at <= p_now and r.run_at <= p_now and r.expires_at > p_now
      and (p_types is null or r.type = any (p_types)) and not r.type = any (p_unfit)
      and (r.concurrency_key is null or not r.concurrency_key = any (p_undecided))
      and (not p_careful or job_queue.hold_waiting_job(r.id))
    order by r.sort_at, r.id limit p_max_jobs for update skip locked) p;
  if coalesce(cardinality(ids), 0) < p_max_jobs then
    select array_agg(p.ctid) as ctids, array_agg(p.id) as ids, coalesce(bool_or(p.concurrency_key is not null), false) as keyed
    into v_more
    from (
      select r.ctid, r.id, r.concurrency_key from public.background_job_ready r
      where r.lane = p_lane and r.sort_at > r.run_at and r.sort_at > p_now and r.sort_at < 'infinity'
        and r.run_at <= p_now and r.expires_at > p_now
        and (p_types is null or r.type = any (p_types)) and not r.type = any (p_unfit)
        and (r.concurrency_key is null or not r.concurrency_key = any (p_undecided))
        and (not p_careful or job_queue.hold_waiting_job(r.id))
      order by r.sort_at, r.id limit p_max_jobs - coalesce(cardinality(ids), 0) for update skip locked) p;
    ctids := ctids || v_more.ctids;
    ids := ids || v_more.ids;
    keyed := keyed or v_more.keyed;
  end if;
end
$$;
comment on function job_queue.pick_ready(text, timestamptz, integer, text[], text[], text[], boolean) is
  'Locks up to p_max_jobs runnable ready rows, in order, none of the undecided concurrency keys; with p_careful their jobs'' rows too, passing by those that others hold. Null arrays when there is none.';

drop function job_queue.lease_jobs(uuid[], text, text, timestamptz, integer, boolean);
create function job_queue.lease_jobs(
  p_ids uuid[], p_lane text, p_worker text, p_now timestamptz, p_lease_seconds integer, p_due_only boolean, p_keyed boolean)
returns table (
  id uuid, type text, payload jsonb, retry_count integer, max_retries integer, timeout_seconds integer,
  lease_token uuid, steps jsonb, run_at timestamptz, expires_at timestamptz)
language plpgsql
set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  v_token uuid := gen_random_uuid();
  v_until timestamptz := p_now + make_interval(secs => p_lease_seconds);
  v_stepped boolean := exists (select from public.background_job_steps s where s.job_id = any (p_ids));
  v_leased integer;
begin
  -- A nested loop over the ids, so that the rows come in their order, which is the claim's.
  return query
    update public.background_jobs j
    set revision = j.revision + 1, status = 'processing', started_at = p_now, lease_token = v_token, lease_until = v_until,
        step_saved = false
    from unnest(p_ids) as u(id)
    where j.id = u.id and j.status = 'queued'
      and (not p_due_only or (j.lane = p_lane and j.run_at <= p_now and j.expires_at > p_now))
    returning j.id, j.type, j.payload, j.retry_count, j.max_retries, j.timeout_seconds, v_token,
      case when v_stepped then coalesce((
        select jsonb_object_agg(s.name, s.output) from public.background_job_steps s where s.job_id = j.id), '{}') else '{}' end,
      j.run_at, j.expires_at;
  get diagnostics v_leased = row_count;
  if v_leased = 0 then return; end if;
  insert into public.background_job_leases (token, worker, lane, claimed_at, lease_until, remaining, job_ids)
  values (v_token, p_worker, p_lane, p_now, v_until, v_leased, p_ids);
  if p_keyed then
    insert into public.background_job_slots (job_id, concurrency_key)
    select j.id, j.concurrency_key from public.background_jobs j
    where j.id = any (p_ids) and j.lease_token = v_token and j.concurrency_key is not null and j.lane <> 'inline';
  end if;
end
$$;
comment on function job_queue.lease_jobs(uuid[], text, text, timestamptz, integer, boolean, boolean) is
  'Gives the queued ones of the jobs to the worker under one new lease token, and returns what a claim answers, in the order of the ids. The lease names the others too; they do not bear its token.';

create or replace function public.claim_background_jobs(
  lane text, worker text, max_jobs integer, lease_seconds integer, fit_seconds integer default null,
  types jsonb default null)
returns table (
  id uuid, type text, payload jsonb, retry_count integer, max_retries integer, timeout_seconds integer,
  lease_token uuid, steps jsonb, run_at timestamptz, expires_at timestamptz)
language plpgsql security definer
set search_path = '' set lock_timeout = '100ms' set enable_seqscan = off set jit = off set plan_cache_mode = force_generic_plan
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_types text[] := case when jsonb_typeof(types) = 'array' then array(select jsonb_array_elements_text(types)) end;
  v_unfit text[];
  v_undecided text[] := '{}';
  v_left integer := max_jobs;
  v_passes integer := 0;
  v_pick record;
  v_slots record;
  v_passed_by boolean;
  v_careful boolean := false;
  v_claimed bigint;
begin
  if claim_background_jobs.lane is null or claim_background_jobs.lane not in ('inline', 'edge', 'worker') then
    raise exception using errcode = 'PT400', message = format('lane: expected inline, edge or worker, got %L', claim_background_jobs.lane);
  end if;
  perform job_queue.require_claim_arguments(worker, max_jobs, lease_seconds);
  if coalesce(jsonb_typeof(types), 'null') not in ('array', 'null') or exists (
      select from jsonb_array_elements(case jsonb_typeof(types) when 'array' then types end) as e(type)
      where jsonb_typeof(e.type) <> 'string') then
    raise exception using errcode = 'PT400', message = format('types: expected an array of job types, got %s', left(types::text, 100));
  end if;
  v_unfit := job_queue.held_types();
  if fit_seconds is not null then
    v_unfit := v_unfit || array(select t.type from public.job_types t where t.p95_duration_ms > fit_seconds::bigint * 1000);
  end if;
  if exists (select from public.background_job_freed_keys) then perform job_queue.unpark_jobs(); end if;
  loop
    begin
      select p.ctids, p.ids, p.keyed into v_pick
      from job_queue.pick_ready(
        claim_background_jobs.lane, v_now, v_left, v_types, v_unfit, v_undecided, v_careful) as p;
      if v_pick.ids is null then return; end if;
      v_passed_by := false;
      if v_pick.keyed then
        select * into v_slots from job_queue.take_slots(v_pick.ctids);
        v_pick.ctids := v_slots.ctids;
        v_pick.ids := v_slots.ids;
        -- Behind these jobs there are others.
        v_passed_by := v_slots.parked or v_slots.undecided <> '{}';
        v_undecided := v_undecided || v_slots.undecided;
      end if;
      if v_pick.ids is not null and exists (select from public.job_types t where t.throttle_limit is not null) then
        select p.ctids, p.ids, v_pick.keyed into v_pick from job_queue.take_starts(v_pick.ctids) as p(ctids, ids);
        if v_pick.ids is null then
          -- The front of the line may not start now: look behind it.
          v_unfit := v_unfit || array(select t.type from public.job_types t where t.throttle_limit is not null);
          continue;
        end if;
      end if;
      if v_pick.ids is not null then
        delete from public.background_job_ready r where r.ctid = any (v_pick.ctids);
        return query
          select j.* from job_queue.lease_jobs(
            v_pick.ids, claim_background_jobs.lane, worker, v_now, lease_seconds, true, v_pick.keyed) as j;
        get diagnostics v_claimed = row_count;
        if v_claimed < cardinality(v_pick.ids) then perform job_queue.put_back(v_pick.ids); end if;
        v_left := v_left - v_claimed::integer;
      end if;
      v_passes := v_passes + 1;
      -- With something to show, a claim does not look for ever.
      exit when v_left = 0 or not v_passed_by or (v_left < max_jobs and v_passes >= 4);
    exception when lock_not_available then
      -- Somebody's open transaction holds one of these jobs' rows. Again, with only the jobs that nobody holds.
      if v_careful then raise; end if;
      v_careful := true;
    end;
  end loop;
end
$$;

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
    if (select count(*) from public.background_job_slots s where s.concurrency_key = v_job.concurrency_key)
       >= v_job.concurrency_limit then
      return;
    end if;
  end if;
  if not job_queue.take_start(v_job.type) then return; end if;
  perform job_queue.remove_ready(v_job.lane, v_job.run_at - v_job.priority * interval '1 minute', v_job.id);
  return query
    select j.* from job_queue.lease_jobs(
      array[v_job.id], v_job.lane, worker, v_now, lease_seconds, false, v_job.concurrency_key is not null) as j;
end
$$;

create or replace function job_queue.resume_begun(
  p_known public.background_jobs, p_job jsonb, p_worker text, p_lease_seconds integer) returns public.background_jobs
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_replay boolean := job_queue.is_replay(p_known, p_job ->> 'inngest_run_id');
begin
  if p_known.lane = 'inline' and p_known.status = 'processing' then
    if exists (select from public.background_job_leases l where l.token = p_known.lease_token and l.worker = p_worker) then
      -- The same run comes back for its next step.
      update public.background_jobs j set revision = j.revision + 1, lease_until = v_now + make_interval(secs => p_lease_seconds)
      where j.id = p_known.id returning * into p_known;
    elsif p_known.lease_until < v_now then
      perform job_queue.rescue(p_known);
      select * into p_known from public.background_jobs j where j.id = p_known.id;
    end if;
  elsif p_known.lane = 'inline' and (p_known.status = 'queued' or v_replay) then
    -- Inngest tries again, or a person replayed the event.
    if v_replay then
      update public.background_jobs j
      set revision = j.revision + 1, status = 'queued', retry_count = 0, failed_at = null, failure_reason = null, cancel_requested_at = null,
          inngest_run_id = p_job ->> 'inngest_run_id', expires_at = greatest(j.expires_at, v_now + interval '24 hours')
      where j.id = p_known.id;
    else
      perform job_queue.remove_ready('inline', p_known.run_at - p_known.priority * interval '1 minute', p_known.id);
    end if;
    perform job_queue.lease_jobs(array[p_known.id], 'inline', p_worker, v_now, p_lease_seconds, false, false);
    select * into p_known from public.background_jobs j where j.id = p_known.id;
  elsif v_replay then
    perform job_queue.replay_job(p_known, p_job ->> 'inngest_run_id');
    select * into p_known from public.background_jobs j where j.id = p_known.id;
  end if;
  return p_known;
end
$$;

revoke all on function job_queue.lease_jobs(uuid[], text, text, timestamptz, integer, boolean, boolean)
  from public, anon, authenticated, service_role;
revoke all on function job_queue.pick_ready(text, timestamptz, integer, text[], text[], text[], boolean)
  from public, anon, authenticated, service_role;
