-- Claims and completions in batches, for processes. A row of ten columns for each job is a third of what a claim costs, and
-- most of what a completion does beside its update: so a batch is answered in columns, under one lease token, and completed by
-- that token and a list of ids. The functions that answer rows stay as they are to their callers.

drop function job_queue.lease_jobs(uuid[], text, text, timestamptz, integer, boolean, boolean);
create function job_queue.lease_jobs(
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
  update public.background_jobs j
  set revision = j.revision + 1, status = 'processing', started_at = p_now, lease_token = p_token, lease_until = v_until,
      step_saved = false
  where j.id = any (p_ids) and j.status = 'queued'
    and (not p_due_only or (j.lane = p_lane and j.run_at <= p_now and j.expires_at > p_now));
  get diagnostics v_leased = row_count;
  if v_leased = 0 then return 0; end if;
  insert into public.background_job_leases as known (token, worker, lane, claimed_at, lease_until, remaining, job_ids)
  values (p_token, p_worker, p_lane, p_now, v_until, v_leased, p_ids)
  on conflict (token) do update
    set remaining = known.remaining + excluded.remaining, job_ids = known.job_ids || excluded.job_ids;
  if p_keyed then
    insert into public.background_job_slots (job_id, concurrency_key)
    select j.id, j.concurrency_key from public.background_jobs j
    where j.id = any (p_ids) and j.lease_token = p_token and j.concurrency_key is not null and j.lane <> 'inline';
  end if;
  return v_leased;
end
$$;
comment on function job_queue.lease_jobs(uuid, uuid[], text, text, timestamptz, integer, boolean, boolean) is
  'Gives the queued ones of the jobs to the worker under the lease token, which it may hold already; returns how many. The lease names the others too; they do not bear its token.';

create function job_queue.steps_of(p_ids uuid[]) returns jsonb
language plpgsql stable
set search_path = '' set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
  v_steps jsonb;
begin
  select jsonb_object_agg(s.job_id, s.steps) into v_steps
  from (select s.job_id, jsonb_object_agg(s.name, s.output) as steps from public.background_job_steps s
        where s.job_id = any (p_ids) group by s.job_id) s;
  return v_steps;
end
$$;
comment on function job_queue.steps_of(uuid[]) is
  'The outputs of saved steps, {job_id: {name: output}}; null when none of the jobs has any.';

create function job_queue.leased_rows(p_token uuid, p_ids uuid[])
returns table (
  id uuid, type text, payload jsonb, retry_count integer, max_retries integer, timeout_seconds integer,
  lease_token uuid, steps jsonb, run_at timestamptz, expires_at timestamptz)
language plpgsql
set search_path = '' set enable_seqscan = off set jit = off set plan_cache_mode = force_generic_plan
as $$
declare
  v_steps jsonb := job_queue.steps_of(p_ids);
begin
  return query
    select j.id, j.type, j.payload, j.retry_count, j.max_retries, j.timeout_seconds, p_token,
      coalesce(v_steps -> j.id::text, '{}'), j.run_at, j.expires_at
    from public.background_jobs j where j.id = any (p_ids) and j.lease_token = p_token
    order by j.run_at - j.priority * interval '1 minute', j.id;
end
$$;
comment on function job_queue.leased_rows(uuid, uuid[]) is 'What a claim answers, in claim order.';

drop function job_queue.pick_line(text, timestamptz, integer, text[], text[], text[], boolean);
drop function job_queue.pick_ready(text, timestamptz, timestamptz, integer, text[], text[], text[], boolean);
create function job_queue.pick_line(
  p_lane text, p_from timestamptz, p_now timestamptz, p_max_jobs integer, p_types text[], p_unfit text[], p_undecided text[],
  p_careful boolean, p_low_priority boolean, out ctids tid[], out ids uuid[], out keyed boolean)
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
    select array_agg(p.ctid), array_agg(p.id), coalesce(bool_or(p.concurrency_key is not null), false), min(p.sort_at)
    into ctids, ids, keyed, v_first_at
    from (
      select r.ctid, r.id, r.concurrency_key, r.sort_at from public.background_job_ready r
      where r.lane = p_lane and r.sort_at >= v_from and r.sort_at <= p_now and r.run_at <= p_now and r.expires_at > p_now
        and (p_types is null or r.type = any (p_types)) and not r.type = any (p_unfit)
        and (r.concurrency_key is null or r.concurrency_key not in (select unnest(p_undecided)))
        and (not p_careful or job_queue.hold_waiting_job(r.id))
      order by r.sort_at, r.id limit p_max_jobs for update skip locked) p;
    if p_low_priority and coalesce(cardinality(ids), 0) < p_max_jobs then
      select array_agg(p.ctid) as ctids, array_agg(p.id) as ids, coalesce(bool_or(p.concurrency_key is not null), false) as keyed
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
  'Locks up to p_max_jobs runnable ready rows from p_from on, in order, from the very front when there is nothing behind that place; none of the undecided concurrency keys; with p_careful their jobs'' rows too, passing by those that others hold; with p_low_priority those, too, that stand behind jobs that are not due. Null arrays when there is none.';

-- Every statement of a function that a claim calls is set up anew for each claim, which for a claim of one job is most of
-- the work: so one statement asks for all that is seldom there, and what is not there costs nothing more.
create function job_queue.claim_jobs(
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
        select * into v_kept from job_queue.keep_startable(v_ctids, v_keyed);
        v_ctids := v_kept.ctids;
        v_ids := coalesce(v_kept.ids, v_ids);
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
      exit when v_left = 0 or not v_look_behind or (v_left < p_max_jobs and v_passes >= 4) or cardinality(v_undecided) > 1000;
    exception when lock_not_available then
      -- Somebody's open transaction holds one of these jobs' rows. Again, with only the jobs that nobody holds.
      if v_careful then raise; end if;
      v_careful := true;
    end;
  end loop;
end
$$;
comment on function job_queue.claim_jobs(text, text, integer, integer, integer, jsonb) is
  'Claims jobs of the lane for the worker under one new lease token. The ids are those that it tried, null when there were none: leased are the ones whose rows bear the token.';

create or replace function public.claim_background_jobs(
  lane text, worker text, max_jobs integer, lease_seconds integer, fit_seconds integer default null,
  types jsonb default null)
returns table (
  id uuid, type text, payload jsonb, retry_count integer, max_retries integer, timeout_seconds integer,
  lease_token uuid, steps jsonb, run_at timestamptz, expires_at timestamptz)
language plpgsql security definer
set search_path = ''
as $$
declare
  v_claim record;
begin
  select * into v_claim from job_queue.claim_jobs(lane, worker, max_jobs, lease_seconds, fit_seconds, types);
  if v_claim.ids is not null then
    return query select r.* from job_queue.leased_rows(v_claim.token, v_claim.ids) as r;
  end if;
end
$$;

create function public.claim_job_batch(
  lane text, worker text, max_jobs integer, lease_seconds integer, fit_seconds integer default null,
  types jsonb default null) returns json
language plpgsql security definer
set search_path = '' set enable_seqscan = off set jit = off set plan_cache_mode = force_generic_plan
as $$
declare
  v_claim record;
  v_batch json;
begin
  select * into v_claim from job_queue.claim_jobs(lane, worker, max_jobs, lease_seconds, fit_seconds, types);
  if v_claim.ids is null then return null; end if;
  select json_build_object(
    'lease_token', v_claim.token, 'ids', json_agg(l.id), 'types', json_agg(l.type), 'payloads', json_agg(l.payload),
    'retry_counts', json_agg(l.retry_count), 'max_retries', json_agg(l.max_retries),
    'timeout_seconds', json_agg(l.timeout_seconds),
    'steps', case when exists (select from public.background_job_steps s where s.job_id = any (v_claim.ids)) then
      job_queue.steps_of(v_claim.ids) end)
  into v_batch
  from (
    select j.id, j.type, j.payload, j.retry_count, j.max_retries, j.timeout_seconds from public.background_jobs j
    where j.id = any (v_claim.ids) and j.lease_token = v_claim.token
    order by j.run_at - j.priority * interval '1 minute', j.id) l;
  return v_batch;
end
$$;
comment on function public.claim_job_batch(text, text, integer, integer, integer, jsonb) is
  'claim_background_jobs, for processes: one lease_token, and a JSON array for each column, in claim order. steps: {job_id: {name: output}} of the jobs that saved any. Null when there is nothing to claim.';

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
    if (select count(*) from public.background_job_slots s where s.concurrency_key = v_job.concurrency_key)
       >= v_job.concurrency_limit then
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
      perform job_queue.note_reopened(p_known);
      update public.background_jobs j
      set revision = j.revision + 1, status = 'queued', retry_count = 0, failed_at = null, failure_reason = null, cancel_requested_at = null,
          inngest_run_id = p_job ->> 'inngest_run_id', expires_at = greatest(j.expires_at, v_now + interval '24 hours')
      where j.id = p_known.id;
    else
      perform job_queue.remove_ready('inline', p_known.run_at - p_known.priority * interval '1 minute', p_known.id);
    end if;
    perform job_queue.lease_jobs(
      gen_random_uuid(), array[p_known.id], 'inline', p_worker, v_now, p_lease_seconds, false, false);
    select * into p_known from public.background_jobs j where j.id = p_known.id;
  elsif v_replay then
    perform job_queue.replay_job(p_known, p_job ->> 'inngest_run_id');
    select * into p_known from public.background_jobs j where j.id = p_known.id;
  end if;
  return p_known;
end
$$;

drop function job_queue.complete_held(uuid[], uuid[], jsonb, timestamptz);
create function job_queue.complete_held(
  p_ids uuid[], p_tokens uuid[], p_results jsonb[], p_now timestamptz, out accepted bigint[], out keyed uuid[])
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
    returning i.n, j.id, j.concurrency_key is not null as keyed, j.type,
      -- As noted_ms, hour_number and wait_ms, without the calls. A person may have written infinity into the row.
      least(j.duration_ms, 2147483647)::integer as duration, greatest(0, least(j.active_ms, 2147483647))::integer as active,
      floor(date_part('epoch', greatest(least(j.created_at, j.started_at), 'epoch')) / 3600)::integer as created_hour,
      least(date_part('epoch', j.started_at - greatest(least(greatest(j.run_at, j.created_at), j.started_at), 'epoch')) * 1000,
        2147483647)::integer as wait
  )
  select array_agg(d.n) as accepted, array_agg(d.id) filter (where d.keyed) as keyed, array_agg(d.type) as types,
    array_agg(d.created_hour) as hours, array_agg(d.duration) as durations, array_agg(d.active) as actives,
    array_agg(d.wait) as waits
  into v_ends from done d;
  accepted := v_ends.accepted;
  keyed := v_ends.keyed;
  if accepted is not null then
    perform job_queue.note_completions(
      p_now, v_ends.types, v_ends.hours, v_ends.durations, v_ends.actives, v_ends.waits);
  end if;
end
$$;
comment on function job_queue.complete_held(uuid[], uuid[], jsonb[], timestamptz) is
  'Completes the jobs whose lease tokens still hold them, and notes their ends; returns their positions, and the ids of those with a concurrency key.';

create function job_queue.complete_leased(
  p_token uuid, p_ids uuid[], p_now timestamptz, out accepted uuid[], out keyed uuid[])
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
    returning j.id, j.concurrency_key is not null as keyed, j.type,
      -- As in complete_held.
      least(j.duration_ms, 2147483647)::integer as duration, greatest(0, least(j.active_ms, 2147483647))::integer as active,
      floor(date_part('epoch', greatest(least(j.created_at, j.started_at), 'epoch')) / 3600)::integer as created_hour,
      least(date_part('epoch', j.started_at - greatest(least(greatest(j.run_at, j.created_at), j.started_at), 'epoch')) * 1000,
        2147483647)::integer as wait
  )
  select array_agg(d.id) as accepted, array_agg(d.id) filter (where d.keyed) as keyed, array_agg(d.type) as types,
    array_agg(d.created_hour) as hours, array_agg(d.duration) as durations, array_agg(d.active) as actives,
    array_agg(d.wait) as waits
  into v_ends from done d;
  accepted := v_ends.accepted;
  keyed := v_ends.keyed;
  if accepted is not null then
    perform job_queue.note_completions(
      p_now, v_ends.types, v_ends.hours, v_ends.durations, v_ends.actives, v_ends.waits);
  end if;
end
$$;
comment on function job_queue.complete_leased(uuid, uuid[], timestamptz) is
  'complete_held for jobs of one lease that have nothing to tell: without a join, which costs more than their update.';

create or replace function job_queue.release_lease(p_token uuid, p_jobs integer) returns void
language plpgsql
set search_path = '' set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
  v_remaining integer;
begin
  -- Most leases end all at once.
  delete from public.background_job_leases l where l.token = p_token and l.remaining <= p_jobs;
  if found then return; end if;
  update public.background_job_leases l set remaining = l.remaining - p_jobs
  where l.token = p_token returning l.remaining into v_remaining;
  -- Somebody else has just released others.
  if v_remaining <= 0 then delete from public.background_job_leases l where l.token = p_token; end if;
end
$$;

create function job_queue.free_slots(p_ids uuid[]) returns void
language plpgsql
set search_path = '' set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
begin
  delete from public.background_job_slots s where s.job_id = any (p_ids);
  perform job_queue.ring();
end
$$;
comment on function job_queue.free_slots(uuid[]) is 'Gives back the slots of the jobs'' concurrency keys, and rings for whoever waits for one.';

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
begin
  begin
    select array_agg((e.r ->> 'job_id')::uuid), array_agg((e.r ->> 'lease_token')::uuid), array_agg(e.r -> 'result')
    into v_ids, v_tokens, v_results from jsonb_array_elements(results) as e(r);
  exception when invalid_text_representation or invalid_parameter_value then null;
  end;
  if v_ids is null or array_position(v_ids, null) is not null or array_position(v_tokens, null) is not null then
    perform job_queue.require_lease_array('results', results);
  end if;
  select c.accepted, c.keyed into v_accepted, v_keyed from job_queue.complete_held(v_ids, v_tokens, v_results, v_now) as c;
  if v_accepted is not null then
    if v_keyed is not null then perform job_queue.free_slots(v_keyed); end if;
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

create function public.complete_job_batch(lease_token uuid, job_ids uuid[], results jsonb default null) returns uuid[]
language plpgsql security definer
set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_accepted uuid[];
  v_keyed uuid[];
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
    select array(select job_ids[u.n] from unnest(c.accepted) as u(n)), c.keyed into v_accepted, v_keyed
    from job_queue.complete_held(
      job_ids, array_fill(lease_token, array[cardinality(job_ids)]), array(select jsonb_array_elements(results)), v_now) as c;
  else
    select c.accepted, c.keyed into v_accepted, v_keyed from job_queue.complete_leased(lease_token, job_ids, v_now) as c;
  end if;
  if cardinality(v_accepted) > 0 then
    if v_keyed is not null then perform job_queue.free_slots(v_keyed); end if;
    perform job_queue.release_lease(lease_token, cardinality(v_accepted));
    perform job_queue.tell_of_ends(v_accepted);
    if cardinality(v_accepted) = cardinality(job_ids) then return '{}'; end if;
  end if;
  return array(select u.id from unnest(job_ids) as u(id) where u.id not in (select unnest(v_accepted)));
end
$$;
comment on function public.complete_job_batch(uuid, uuid[], jsonb) is
  'complete_background_jobs, for processes: jobs of one lease, with a result for each in their order, or none. Returns the ids of those that the lease no longer holds: nothing was written for them.';

revoke all on function public.claim_job_batch(text, text, integer, integer, integer, jsonb),
  public.complete_job_batch(uuid, uuid[], jsonb) from public, anon, authenticated;
grant execute on function public.claim_job_batch(text, text, integer, integer, integer, jsonb),
  public.complete_job_batch(uuid, uuid[], jsonb) to service_role;
revoke all on function job_queue.lease_jobs(uuid, uuid[], text, text, timestamptz, integer, boolean, boolean),
  job_queue.steps_of(uuid[]), job_queue.leased_rows(uuid, uuid[]),
  job_queue.pick_line(text, timestamptz, timestamptz, integer, text[], text[], text[], boolean, boolean),
  job_queue.claim_jobs(text, text, integer, integer, integer, jsonb),
  job_queue.complete_held(uuid[], uuid[], jsonb[], timestamptz), job_queue.complete_leased(uuid, uuid[], timestamptz),
  job_queue.free_slots(uuid[]) from public, anon, authenticated, service_role;
