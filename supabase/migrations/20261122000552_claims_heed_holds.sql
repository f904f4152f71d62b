-- Whoever starts jobs asks what is held up, by a pause, an exhausted quota or a throttle, in one place.

create function job_queue.type_hold(p_type text) returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select coalesce(
      case when t.paused then format('paused: jobs of type %s wait for resume_job_type', p_type) end,
      (select format('quota %s is exhausted until %s', e.quota, e.until)
       from job_queue.exhausted_quotas() as e where e.quota = any (t.quotas) order by e.until desc limit 1),
      case when job_queue.starts_left(p_type) <= 0 then format(
        'throttled: %s jobs of type %s have started within %s s', t.throttle_limit, p_type, t.throttle_seconds) end)
    from public.job_types t where t.type = p_type);
end
$$;
comment on function job_queue.type_hold(text) is 'Why no job of the type may start now; null when one may.';

create function job_queue.held_types() returns text[]
language plpgsql stable
set search_path = ''
as $$
declare
  v_exhausted text[];
begin
  -- Every claim asks: where no bucket is empty, which is nearly always, the groups need not be built.
  if exists (
      select from public.job_quotas q
      where q.blocked_until > clock_timestamp() or (q.remaining = 0 and q.resets_at > clock_timestamp())) then
    v_exhausted := array(select e.quota from job_queue.exhausted_quotas() as e);
  end if;
  return array(
    select t.type from public.job_types t
    where t.paused or t.quotas && v_exhausted
       or case when t.throttle_limit is not null then job_queue.starts_left(t.type) <= 0 end);
end
$$;
comment on function job_queue.held_types() is
  'Types of which nothing may start now: paused, throttled, or a quota of theirs is exhausted.';

create or replace function public.sync_job_types(definitions jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  if jsonb_typeof(definitions) is distinct from 'array' then
    raise exception using errcode = 'PT400', message = 'definitions: expected an array of job definitions';
  end if;
  insert into public.job_types as t (
    type, title, lane, timeout_seconds, max_retries, priority, concurrency_limit, throttle_limit, throttle_seconds, quotas)
  select d.type, coalesce(d.title, d.type), coalesce(d.lane, 'edge'), coalesce(d.timeout_seconds, 120),
         coalesce(d.max_retries, 3), coalesce(d.priority, 0), d.concurrency_limit, d.throttle_limit, d.throttle_seconds,
         coalesce(d.quotas, '{}')
  from jsonb_to_recordset(definitions) as d(
    type text, title text, lane text, timeout_seconds integer, max_retries integer, priority integer,
    concurrency_limit integer, throttle_limit integer, throttle_seconds integer, quotas text[])
  order by d.type
  on conflict on constraint job_types_pkey do update
    set title = excluded.title, lane = excluded.lane, timeout_seconds = excluded.timeout_seconds,
        max_retries = excluded.max_retries, priority = excluded.priority,
        concurrency_limit = excluded.concurrency_limit, throttle_limit = excluded.throttle_limit,
        throttle_seconds = excluded.throttle_seconds, quotas = excluded.quotas, synced_at = now();
end
$$;
comment on function public.sync_job_types(jsonb) is
  'Mirrors job definitions [{type, title, lane, timeout_seconds, max_retries, priority, concurrency_limit, throttle_limit, throttle_seconds, quotas}] into job_types; operators'' overrides and pauses stay. Refuses anything but an array (PT400).';

revoke all on function job_queue.type_hold(text), job_queue.held_types() from public, anon, authenticated, service_role;

create or replace function public.claim_background_jobs(
  lane text, worker text, max_jobs integer, lease_seconds integer, fit_seconds integer default null,
  types jsonb default null)
returns table (
  id uuid, type text, payload jsonb, retry_count integer, max_retries integer, timeout_seconds integer,
  lease_token uuid, steps jsonb, run_at timestamptz, expires_at timestamptz)
language plpgsql security definer
set search_path = '' set lock_timeout = '100ms' set enable_seqscan = off set jit = off
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_types text[] := case when jsonb_typeof(types) = 'array' then array(select jsonb_array_elements_text(types)) end;
  v_unfit text[];
  v_pick record;
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
  v_unfit := job_queue.held_types() || array(
    select t.type from public.job_types t where t.p95_duration_ms > fit_seconds::bigint * 1000);
  loop
    begin
      select p.ctids, p.ids, p.keyed into v_pick
      from job_queue.pick_ready(claim_background_jobs.lane, v_now, max_jobs, v_types, v_unfit, v_careful) as p;
      if v_pick.ids is null then return; end if;
      if v_pick.keyed then
        select p.ctids, p.ids, true as keyed into v_pick from job_queue.take_slots(v_pick.ctids) as p;
        if v_pick.ids is null then return; end if;
      end if;
      if exists (select from public.job_types t where t.throttle_limit is not null) then
        select p.ctids, p.ids, v_pick.keyed into v_pick from job_queue.take_starts(v_pick.ctids) as p;
        if v_pick.ids is null then
          -- The front of the line may not start now: look behind it.
          v_unfit := v_unfit || array(select t.type from public.job_types t where t.throttle_limit is not null);
          continue;
        end if;
      end if;
      delete from public.background_job_ready r where r.ctid = any (v_pick.ctids);
      return query
        select j.id, j.type, j.payload, j.retry_count, j.max_retries, j.timeout_seconds, j.lease_token,
               coalesce((select jsonb_object_agg(s.name, s.output) from public.background_job_steps s where s.job_id = j.id), '{}'),
               j.run_at, j.expires_at
        from job_queue.lease_jobs(v_pick.ids, claim_background_jobs.lane, worker, v_now, lease_seconds, true) as j;
      get diagnostics v_claimed = row_count;
      if v_claimed < cardinality(v_pick.ids) then perform job_queue.put_back(v_pick.ids); end if;
      exit;
    exception when lock_not_available then
      -- Somebody's open transaction holds one of these jobs' rows. Again, with only the jobs that nobody holds.
      if v_careful then raise; end if;
      v_careful := true;
    end;
  end loop;
end
$$;
comment on function public.claim_background_jobs(text, text, integer, integer, integer, jsonb) is
  'Gives up to max_jobs runnable jobs of the lane to the worker for lease_seconds, in the order run_at - priority minutes; all under one lease token. Skips paused and throttled types, types with an exhausted quota, full concurrency keys, types outside the array types, and with fit_seconds types whose p95 duration does not fit. Refuses arguments out of bounds (PT400).';

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
    and job_queue.type_hold(j.type) is null
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
    select j.id, j.type, j.payload, j.retry_count, j.max_retries, j.timeout_seconds, j.lease_token,
           coalesce((select jsonb_object_agg(s.name, s.output) from public.background_job_steps s where s.job_id = j.id), '{}'),
           j.run_at, j.expires_at
    from job_queue.lease_jobs(array[v_job.id], v_job.lane, worker, v_now, lease_seconds, false) as j;
end
$$;
comment on function public.claim_background_job(uuid, text, integer) is
  'Gives the named queued job to the worker whatever its run_at; pauses, quotas, throttles and concurrency keys hold. No row when it cannot be claimed: explain_background_job says why. Refuses arguments out of bounds (PT400).';

create or replace function public.begin_background_job(job jsonb, worker text, lease_seconds integer)
returns table (id uuid, lease_token uuid, run boolean, status text, result jsonb, lane text)
language plpgsql security definer
set search_path = ''
as $$
declare
  v_type public.job_types;
  v_job public.background_jobs;
  v_id uuid;
  v_run boolean;
begin
  perform job_queue.require_claim_arguments(worker, 1, lease_seconds);
  perform job_queue.require_valid_jobs(jsonb_build_array(job));
  select * into v_type from public.job_types t where t.type = job ->> 'type';
  if (job_queue.type_hold(job ->> 'type') is not null or coalesce(v_type.lane_override, 'inline') <> 'inline')
     and not job_queue.is_begun(job ->> 'idempotency_key', worker) then
    -- Not to begin here: it waits on its lane; one that is held up, until it may start.
    select e.id into v_id from public.enqueue_background_jobs(jsonb_build_array(job)) as e;
    return query
      select j.id, null::uuid, false, j.status, j.result, j.lane from public.background_jobs j where j.id = v_id;
    return;
  end if;
  loop
    v_job := job_queue.insert_begun(job, v_type, worker, lease_seconds);
    exit when v_job.id is not null;
    select * into v_job from public.background_jobs j
    where j.idempotency_key = begin_background_job.job ->> 'idempotency_key' for no key update;
    if v_job.id is not null then
      v_job := job_queue.resume_begun(v_job, job, worker, lease_seconds);
      exit;
    end if;
    -- Deleted between the two statements: the key is free again.
  end loop;
  v_run := v_job.status = 'processing' and v_job.lane = 'inline' and exists (
    select from public.background_job_leases l
    where l.token = v_job.lease_token and l.worker = begin_background_job.worker);
  return query
    select v_job.id, case when v_run then v_job.lease_token end, v_run, v_job.status, v_job.result, v_job.lane;
end
$$;

create or replace function public.sweep_background_jobs() returns table (lane text, claimable bigint, rescued bigint, expired bigint)
language plpgsql security definer
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_rescued jsonb;
  v_expired jsonb;
  v_held text[] := job_queue.held_types();
begin
  select coalesce(jsonb_object_agg(s.lane, s.jobs), '{}') into v_rescued
  from (select r.lane, sum(r.jobs) as jobs from job_queue.rescue_expired_leases(v_now) as r group by r.lane) s;
  select coalesce(jsonb_object_agg(e.lane, e.jobs), '{}') into v_expired from job_queue.expire_waiting_jobs(v_now) as e;
  perform job_queue.promote_inline_jobs(v_now);
  perform job_queue.reconcile_ready();
  perform job_queue.measure_durations(v_now);
  return query
    select l.lane,
           (select count(*) from public.background_job_ready r
            where r.lane = l.lane and r.run_at <= clock_timestamp() and r.expires_at > clock_timestamp()
              and not r.type = any (v_held)),
           coalesce((v_rescued ->> l.lane)::bigint, 0), coalesce((v_expired ->> l.lane)::bigint, 0)
    from unnest(array['edge', 'inline', 'worker']) as l(lane);
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
  elsif p_job.run_at > clock_timestamp() then
    select * into v_last from public.background_job_attempts a where a.job_id = p_job.id order by a.number desc limit 1;
    return format('%s until %s%s', case v_last.outcome when 'snoozed' then 'snoozed' when 'failed' then 'backoff'
        when 'timed_out' then 'backoff' when 'rescued' then 'backoff' else 'scheduled: waits' end,
      p_job.run_at, coalesce(': ' || (v_last.error ->> 'message'), ''));
  end if;
  if v_hold is not null then return v_hold; end if;
  v_busy := array(select s.job_id from public.background_job_slots s where s.concurrency_key = p_job.concurrency_key);
  if cardinality(v_busy) >= p_job.concurrency_limit then
    return format('concurrency key %s is busy: job %s is running', p_job.concurrency_key, array_to_string(v_busy, ', '));
  end if;
  return format('waiting on lane %s, %s runnable jobs before it%s', p_job.lane,
    (select count(*) from public.background_job_ready r
     where r.lane = p_job.lane and r.run_at <= clock_timestamp()
       and (r.sort_at, r.id) < (p_job.run_at - p_job.priority * interval '1 minute', p_job.id)),
    case when p_job.lane = 'inline' then ': Inngest retries it, or the sweep moves it to the edge lane'
         when exists (select from public.background_job_leases l where l.lane = p_job.lane) then ''
         else format('; nobody is working on the lane (newest job started: %s)', coalesce((
           select max(n.started_at)::text from (
             select j.started_at from public.background_jobs j where j.lane = p_job.lane
             order by j.id desc limit 1000) n), 'never')) end);
end
$$;
