-- Claim: from the ready table with SKIP LOCKED, one lease row per call.

create function job_queue.require_claim_arguments(p_worker text, p_max_jobs integer, p_lease_seconds integer) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if coalesce(btrim(p_worker), '') = '' then
    raise exception using errcode = 'PT400', message = 'worker: expected a name, got nothing';
  elsif p_max_jobs is null or p_max_jobs not between 1 and 10000 then
    raise exception using errcode = 'PT400', message = format('max_jobs: expected 1 to 10000, got %s', coalesce(p_max_jobs::text, 'nothing'));
  elsif p_lease_seconds is null or p_lease_seconds not between 1 and 86400 then
    raise exception using errcode = 'PT400', message = format('lease_seconds: expected 1 to 86400, got %s', coalesce(p_lease_seconds::text, 'nothing'));
  end if;
end
$$;
comment on function job_queue.require_claim_arguments(text, integer, integer) is
  'Returns nothing; refuses (PT400) an empty worker, or numbers out of bounds, naming the argument.';

create function job_queue.hold_waiting_job(p_id uuid) returns boolean
language plpgsql
set search_path = ''
as $$
begin
  perform from public.background_jobs j where j.id = p_id and j.status = 'queued' for no key update skip locked;
  return found;
end
$$;
comment on function job_queue.hold_waiting_job(uuid) is
  'Locks the job''s row; false when another transaction holds it or the job is not queued.';

create function job_queue.pick_ready(
  p_lane text, p_now timestamptz, p_max_jobs integer, p_types text[], p_unfit text[], p_careful boolean,
  out ctids tid[], out ids uuid[], out keyed boolean)
language plpgsql
set search_path = '' set enable_seqscan = off set jit = off
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
      and (r.concurrency_key is null or r.concurrency_limit > (
        select count(*) from public.background_job_slots s where s.concurrency_key = r.concurrency_key))
      and (not p_careful or job_queue.hold_waiting_job(r.id))
    order by r.sort_at, r.id limit p_max_jobs for update skip locked) p;
  if coalesce(cardinality(ids), 0) < p_max_jobs then
    select array_agg(p.ctid) as ctids, array_agg(p.id) as ids, coalesce(bool_or(p.concurrency_key is not null), false) as keyed
    into v_more
    from (
      select r.ctid, r.id, r.concurrency_key from public.background_job_ready r
      where r.lane = p_lane and r.sort_at > r.run_at and r.sort_at > p_now and r.run_at <= p_now and r.expires_at > p_now
        and (p_types is null or r.type = any (p_types)) and not r.type = any (p_unfit)
        and (r.concurrency_key is null or r.concurrency_limit > (
          select count(*) from public.background_job_slots s where s.concurrency_key = r.concurrency_key))
        and (not p_careful or job_queue.hold_waiting_job(r.id))
      order by r.sort_at, r.id limit p_max_jobs - coalesce(cardinality(ids), 0) for update skip locked) p;
    ctids := ctids || v_more.ctids;
    ids := ids || v_more.ids;
    keyed := keyed or v_more.keyed;
  end if;
end
$$;
comment on function job_queue.pick_ready(text, timestamptz, integer, text[], text[], boolean) is
  'Locks up to p_max_jobs runnable ready rows, in order; with p_careful their jobs'' rows too, passing by those that others hold. Null arrays when there is none.';

create function job_queue.take_slots(p_ctids tid[], out ctids tid[], out ids uuid[])
language plpgsql
set search_path = ''
as $$
declare
  v_keys text[];
begin
  -- One claimer per key at a time decides about it; the others leave the key's jobs alone. The lock lives until commit,
  -- so the count that the next one reads includes our slots.
  v_keys := array(
    select k.key from (
      select distinct r.concurrency_key as key from public.background_job_ready r
      where r.ctid = any (p_ctids) and r.concurrency_key is not null order by 1) k
    where pg_try_advisory_xact_lock(hashtextextended('background_job_slots:' || k.key, 0)));
  select array_agg(c.ctid order by c.sort_at, c.id), array_agg(c.id order by c.sort_at, c.id) into ctids, ids
  from (
    select r.ctid, r.sort_at, r.id, r.concurrency_key, r.concurrency_limit,
           row_number() over (partition by r.concurrency_key order by r.sort_at, r.id) as nth
    from public.background_job_ready r where r.ctid = any (p_ctids)) c
  where c.concurrency_key is null
     or (c.concurrency_key = any (v_keys) and c.nth <= c.concurrency_limit - (
           select count(*) from public.background_job_slots s where s.concurrency_key = c.concurrency_key));
end
$$;
comment on function job_queue.take_slots(tid[]) is
  'Of the locked ready rows those that their concurrency keys let run; the keys are locked until the transaction ends.';

create function job_queue.lease_jobs(
  p_ids uuid[], p_lane text, p_worker text, p_now timestamptz, p_lease_seconds integer, p_due_only boolean)
returns setof public.background_jobs
language plpgsql
set search_path = '' set enable_seqscan = off set jit = off
as $$
declare
  v_token uuid := gen_random_uuid();
  v_until timestamptz := p_now + make_interval(secs => p_lease_seconds);
begin
  return query
  with claimed as (
    update public.background_jobs j
    set revision = j.revision + 1, status = 'processing', started_at = p_now, lease_token = v_token, lease_until = v_until, step_saved = false
    where j.id = any (p_ids) and j.status = 'queued'
      and (not p_due_only or (j.lane = p_lane and j.run_at <= p_now and j.expires_at > p_now))
    returning j.*
  ), lease as (
    insert into public.background_job_leases (token, worker, lane, claimed_at, lease_until, remaining, job_ids)
    select v_token, p_worker, p_lane, p_now, v_until, count(*), array_agg(c.id) from claimed c having count(*) > 0
  ), slots as (
    insert into public.background_job_slots (job_id, concurrency_key)
    select c.id, c.concurrency_key from claimed c where c.concurrency_key is not null and c.lane <> 'inline'
  )
  select c.* from claimed c order by c.run_at - c.priority * interval '1 minute', c.id;
end
$$;
comment on function job_queue.lease_jobs(uuid[], text, text, timestamptz, integer, boolean) is
  'Gives the queued ones of the jobs to the worker under one new lease token, and returns their rows in claim order.';

create function job_queue.put_back(p_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.background_job_ready (lane, sort_at, id, run_at, expires_at, type, concurrency_key, concurrency_limit)
  select j.lane, j.run_at - j.priority * interval '1 minute', j.id, j.run_at, j.expires_at, j.type,
         j.concurrency_key, j.concurrency_limit
  from (
    select * from public.background_jobs b where b.id = any (p_ids) and b.status = 'queued' for no key update) j;
end
$$;
comment on function job_queue.put_back(uuid[]) is
  'Makes those of the jobs claimable again that are still queued: a hand edit moved them while a claim held their ready row.';

create function public.claim_background_jobs(
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
  v_unfit := array(
    select t.type from public.job_types t where t.paused or t.p95_duration_ms > fit_seconds::bigint * 1000);
  loop
    begin
      select p.ctids, p.ids, p.keyed into v_pick
      from job_queue.pick_ready(claim_background_jobs.lane, v_now, max_jobs, v_types, v_unfit, v_careful) as p;
      if v_pick.ids is null then return; end if;
      if v_pick.keyed then
        select p.ctids, p.ids, true as keyed into v_pick from job_queue.take_slots(v_pick.ctids) as p;
        if v_pick.ids is null then return; end if;
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
  'Gives up to max_jobs runnable jobs of the lane to the worker for lease_seconds, in the order run_at - priority minutes; all under one lease token. Skips paused types, full concurrency keys, types outside the array types, and with fit_seconds types whose p95 duration does not fit. Refuses arguments out of bounds (PT400).';

create function public.claim_background_job(job_id uuid, worker text, lease_seconds integer)
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
    and not exists (select from public.job_types t where t.type = j.type and t.paused)
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
  perform job_queue.remove_ready(v_job.lane, v_job.run_at - v_job.priority * interval '1 minute', v_job.id);
  return query
    select j.id, j.type, j.payload, j.retry_count, j.max_retries, j.timeout_seconds, j.lease_token,
           coalesce((select jsonb_object_agg(s.name, s.output) from public.background_job_steps s where s.job_id = j.id), '{}'),
           j.run_at, j.expires_at
    from job_queue.lease_jobs(array[v_job.id], v_job.lane, worker, v_now, lease_seconds, false) as j;
end
$$;
comment on function public.claim_background_job(uuid, text, integer) is
  'Gives the named queued job to the worker whatever its run_at; pauses and concurrency keys hold. No row when it cannot be claimed: explain_background_job says why. Refuses arguments out of bounds (PT400).';
