-- A sweep counted what is claimable lane by lane, and asked for the time twice for each row: with 300,000 waiting jobs that took a
-- quarter of a second, every three seconds, of each worker.

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
  perform job_queue.forget_offers(v_now);
  select coalesce(jsonb_object_agg(s.lane, s.jobs), '{}') into v_rescued
  from (select r.lane, sum(r.jobs) as jobs from job_queue.rescue_expired_leases(v_now) as r group by r.lane) s;
  select coalesce(jsonb_object_agg(e.lane, e.jobs), '{}') into v_expired from job_queue.expire_waiting_jobs(v_now) as e;
  perform job_queue.promote_inline_jobs(v_now);
  perform job_queue.reconcile_ready();
  perform job_queue.reconcile_parents();
  perform job_queue.refresh_parked();
  perform job_queue.forget_workers(v_now);
  perform job_queue.measure_durations(v_now);
  -- What was rescued may run from then on.
  v_now := clock_timestamp();
  return query
    select l.lane, coalesce(c.jobs, 0), coalesce((v_rescued ->> l.lane)::bigint, 0), coalesce((v_expired ->> l.lane)::bigint, 0)
    from unnest(array['edge', 'inline', 'worker']) as l(lane)
    left join (
      select r.lane, count(*) as jobs from public.background_job_ready r
      where r.run_at <= v_now and r.expires_at > v_now and r.line_at is null and not r.type = any (v_held)
      group by r.lane) c on c.lane = l.lane;
end
$$;

comment on table public.background_job_offers is
  'Workers that wait for one job of a lane. job_id: what an enqueue has handed over, until the worker fetches it. An offer holds while a session holds its advisory lock, for 2.5 s after renewed_at.';
