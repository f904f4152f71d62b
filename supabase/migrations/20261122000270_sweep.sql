-- Sweep: what no living process does. Every part skips rows that somebody else holds, so it may run in many places at once.

create function job_queue.rescue(p_job public.background_jobs) returns text
language plpgsql
set search_path = ''
as $$
begin
  return job_queue.retry_or_bury(
    p_job, 'rescued',
    jsonb_build_object('name', 'LeaseExpired', 'message', format(
      'the lease of %s expired: the process died or could not reach the database',
      coalesce((select l.worker from public.background_job_leases l where l.token = p_job.lease_token), 'an unknown worker'))),
    true, null, job_queue.queue_lane(p_job.lane));
end
$$;
comment on function job_queue.rescue(public.background_jobs) is
  'Ends the attempt of a job whose lease expired; an inline job moves to the edge lane. Returns the new status.';

create function job_queue.rescue_expired_leases(p_now timestamptz) returns table (lane text, jobs bigint)
language plpgsql
set search_path = ''
as $$
declare
  v_lease public.background_job_leases;
  v_job public.background_jobs;
begin
  for v_lease in
    -- Leases whose jobs are all alive stay out of the 1,000: however many there are, a dead one behind them is reached.
    select * from public.background_job_leases l
    where l.lease_until <= p_now and (
      exists (select from public.background_jobs j
              where j.id = any (l.job_ids) and j.status = 'processing' and j.lease_token = l.token and j.lease_until <= p_now)
      or not exists (select from public.background_jobs j
                     where j.id = any (l.job_ids) and j.status = 'processing' and j.lease_token = l.token))
    order by l.lease_until limit 1000 for update skip locked
  loop
    for v_job in
      select * from public.background_jobs j
      where j.id = any (v_lease.job_ids) and j.status = 'processing' and j.lease_token = v_lease.token
        and j.lease_until <= p_now
      for no key update skip locked
    loop
      perform job_queue.rescue(v_job);
      lane := v_lease.lane;
      jobs := 1;
      return next;
    end loop;
    -- Jobs ended by hand were not counted off.
    delete from public.background_job_leases l
    where l.token = v_lease.token and not exists (
      select from public.background_jobs j
      where j.id = any (v_lease.job_ids) and j.status = 'processing' and j.lease_token = v_lease.token);
  end loop;
end
$$;
comment on function job_queue.rescue_expired_leases(timestamptz) is
  'Rescues jobs whose lease was not renewed in time; one row per rescued job with the lane it ran on. At most 1,000 leases a call.';

create function job_queue.expire_waiting_jobs(p_now timestamptz) returns table (lane text, jobs bigint)
language plpgsql
set search_path = ''
as $$
begin
  return query
  with late as (
    select j.id, r.ctid as ready_ctid
    from (select x.ctid, x.id from public.background_job_ready x
          where x.expires_at <= p_now limit 10000 for update skip locked) r
    join public.background_jobs j on j.id = r.id
    where j.status = 'queued' and j.expires_at <= p_now
    for no key update of j skip locked
  ), removed as (
    delete from public.background_job_ready r using late where r.ctid = late.ready_ctid
  ), expired as (
    update public.background_jobs j
    set revision = j.revision + 1, status = 'failed', failed_at = p_now, failure_reason = 'expired',
        error = format('expired: it was still waiting at %s', j.expires_at)
    from late where j.id = late.id returning j.lane
  )
  select e.lane, count(*) from expired e group by e.lane;
end
$$;
comment on function job_queue.expire_waiting_jobs(timestamptz) is
  'Fails waiting jobs past their expires_at, at most 10,000 a call; how many, by lane.';

create function job_queue.promote_inline_jobs(p_now timestamptz) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_job public.background_jobs;
begin
  -- Inngest retries an inline attempt itself; 60 s past its time nobody will.
  for v_job in
    select j.* from public.background_job_ready r join public.background_jobs j on j.id = r.id
    where r.lane = 'inline' and r.run_at < p_now - interval '60 seconds' and j.status = 'queued' and j.lane = 'inline'
    order by j.id limit 1000 for no key update of j skip locked for update of r skip locked
  loop
    perform job_queue.remove_ready('inline', v_job.run_at - v_job.priority * interval '1 minute', v_job.id);
    update public.background_jobs j set revision = j.revision + 1, lane = 'edge' where j.id = v_job.id returning * into v_job;
    perform job_queue.add_ready(v_job);
  end loop;
end
$$;
comment on function job_queue.promote_inline_jobs(timestamptz) is
  'Moves inline jobs that Inngest does not retry to the edge lane, at most 1,000 a call.';

create function job_queue.reconcile_ready() returns void
language plpgsql
set search_path = ''
as $$
declare
  v_stale record;
  v_job public.background_jobs;
begin
  -- Locks stale rows only: a claim must not find the front of the queue locked because a sweep looks at it.
  for v_stale in
    select r.ctid, r.id from unnest(array['edge', 'inline', 'worker']) as l(lane)
    cross join lateral (
      select x.ctid, x.* from public.background_job_ready x where x.lane = l.lane order by x.sort_at, x.id limit 1000) r
    left join public.background_jobs j on j.id = r.id
    where (j.status, j.lane, j.type, j.run_at, j.expires_at, j.run_at - j.priority * interval '1 minute')
      is distinct from ('queued', r.lane, r.type, r.run_at, r.expires_at, r.sort_at)
  loop
    select * into v_job from public.background_jobs j where j.id = v_stale.id for no key update skip locked;
    continue when v_job.id is null and exists (select from public.background_jobs j where j.id = v_stale.id);
    delete from public.background_job_ready where ctid = any (array(
      select r.ctid from public.background_job_ready r
      where r.ctid = v_stale.ctid and r.id = v_stale.id
        and (v_job.status, v_job.lane, v_job.type, v_job.run_at, v_job.expires_at, v_job.run_at - v_job.priority * interval '1 minute')
          is distinct from ('queued', r.lane, r.type, r.run_at, r.expires_at, r.sort_at)
      for update skip locked));
    if found and v_job.status = 'queued' and not exists (
        select from public.background_job_ready r where r.id = v_job.id) then
      perform job_queue.add_ready(v_job);
    end if;
  end loop;
end
$$;
comment on function job_queue.reconcile_ready() is
  'Mends stale rows among the 1,000 first of each lane in the ready table: what edits past the triggers left there.';

create function job_queue.measure_durations(p_now timestamptz) returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.job_types t
  set p95_measured_at = p_now, p95_duration_ms = (
    select percentile_disc(0.95) within group (order by n.duration_ms)
    from (select j.duration_ms from public.background_jobs j
          where j.type = t.type and j.status = 'completed' and j.created_at > p_now - interval '7 days'
          order by j.created_at desc limit 200) n)
  where t.type in (
    select d.type from public.job_types d
    where d.p95_measured_at is null or d.p95_measured_at < p_now - interval '1 minute'
    order by d.type for no key update skip locked);
end
$$;
comment on function job_queue.measure_durations(timestamptz) is
  'Renews p95_duration_ms of the types that were not measured for a minute.';

create function public.sweep_background_jobs() returns table (lane text, claimable bigint, rescued bigint, expired bigint)
language plpgsql security definer
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_rescued jsonb;
  v_expired jsonb;
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
              and not exists (select from public.job_types t where t.type = r.type and t.paused)),
           coalesce((v_rescued ->> l.lane)::bigint, 0), coalesce((v_expired ->> l.lane)::bigint, 0)
    from unnest(array['edge', 'inline', 'worker']) as l(lane);
end
$$;
comment on function public.sweep_background_jobs() is
  'Rescues jobs whose lease expired, fails waiting jobs past expires_at, moves forgotten inline jobs to the edge lane, mends stale ready rows. One row per lane: jobs claimable now, rescued and expired by this call. Safe from many places at once.';
