-- The sweep, its repairs and the checks know parked jobs.

create or replace function job_queue.reconcile_ready() returns void
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
      is distinct from ('queued', r.lane, r.type, r.run_at, r.expires_at, coalesce(r.line_at, r.sort_at))
  loop
    select * into v_job from public.background_jobs j where j.id = v_stale.id for no key update skip locked;
    continue when v_job.id is null and exists (select from public.background_jobs j where j.id = v_stale.id);
    delete from public.background_job_ready where ctid = any (array(
      select r.ctid from public.background_job_ready r
      where r.ctid = v_stale.ctid and r.id = v_stale.id
        and (v_job.status, v_job.lane, v_job.type, v_job.run_at, v_job.expires_at, v_job.run_at - v_job.priority * interval '1 minute')
          is distinct from ('queued', r.lane, r.type, r.run_at, r.expires_at, coalesce(r.line_at, r.sort_at))
      for update skip locked));
    if found and v_job.status = 'queued' and not exists (
        select from public.background_job_ready r where r.id = v_job.id) then
      perform job_queue.add_ready(v_job);
    end if;
  end loop;
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
  union all
  select s.job_id, 'slot of a job that is ' || coalesce(j.status, 'gone')
  from public.background_job_slots s left join public.background_jobs j on j.id = s.job_id
  where j.status is distinct from 'processing'
  union all
  select j.id, 'ended without the time of its end' from public.background_jobs j
  where (j.status = 'completed' and j.completed_at is null) or (j.status = 'failed' and j.failed_at is null);
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
  perform job_queue.reconcile_parents();
  perform job_queue.refresh_parked();
  perform job_queue.forget_workers(v_now);
  perform job_queue.measure_durations(v_now);
  return query
    select l.lane,
           (select count(*) from public.background_job_ready r
            where r.lane = l.lane and r.run_at <= clock_timestamp() and r.expires_at > clock_timestamp()
              and r.line_at is null and not r.type = any (v_held)),
           coalesce((v_rescued ->> l.lane)::bigint, 0), coalesce((v_expired ->> l.lane)::bigint, 0)
    from unnest(array['edge', 'inline', 'worker']) as l(lane);
end
$$;

