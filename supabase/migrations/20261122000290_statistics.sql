-- What operators look at.

create view public.job_statistics with (security_invoker = true) as
select j.type,
  count(*) filter (where j.status = 'queued') as queued,
  count(*) filter (where j.status = 'processing') as processing,
  count(*) filter (where j.status = 'completed') as completed,
  count(*) filter (where j.status = 'failed') as failed,
  count(*) filter (where j.status = 'cancelled') as cancelled,
  round(100.0 * count(*) filter (where j.status = 'completed')
    / nullif(count(*) filter (where j.status in ('completed', 'failed')), 0), 1) as success_rate,
  round(avg(j.duration_ms) filter (where j.status = 'completed')) as avg_duration_ms,
  min(j.duration_ms) filter (where j.status = 'completed') as min_duration_ms,
  max(j.duration_ms) filter (where j.status = 'completed') as max_duration_ms,
  percentile_disc(0.5) within group (order by j.duration_ms) filter (where j.status = 'completed') as p50_duration_ms,
  percentile_disc(0.95) within group (order by j.duration_ms) filter (where j.status = 'completed') as p95_duration_ms,
  round(avg(w.wait_ms)) as avg_wait_ms,
  min(w.wait_ms) as min_wait_ms,
  max(w.wait_ms) as max_wait_ms,
  percentile_disc(0.5) within group (order by w.wait_ms) as p50_wait_ms,
  percentile_disc(0.95) within group (order by w.wait_ms) as p95_wait_ms
from public.background_jobs j
cross join lateral (
  select greatest(0, (extract(epoch from j.started_at - greatest(j.run_at, j.created_at)) * 1000)::bigint) as wait_ms
) w
where j.created_at > now() - interval '7 days'
group by j.type;
comment on view public.job_statistics is
  'One row per type over the last 7 days: jobs by status, success rate (percent of completed and failed ones), duration of completed jobs'' last slice and wait from run_at to the last start, in milliseconds.';

create view public.job_statistics_hourly with (security_invoker = true) as
select date_trunc('hour', j.created_at) as hour, j.type,
  count(*) as created,
  count(*) filter (where j.status = 'completed') as completed,
  count(*) filter (where j.status = 'failed') as failed,
  round(avg(j.duration_ms) filter (where j.status = 'completed')) as avg_duration_ms,
  percentile_disc(0.95) within group (order by j.duration_ms) filter (where j.status = 'completed') as p95_duration_ms
from public.background_jobs j
where j.created_at > now() - interval '48 hours'
group by 1, 2;
comment on view public.job_statistics_hourly is 'Jobs by hour of creation and type over the last 48 hours.';

create view public.dead_letter_jobs with (security_invoker = true) as
select j.id, j.type, j.failure_reason, j.error, j.retry_count, j.max_retries, j.failed_at, j.lane, j.payload,
  j.repository_id, j.created_at,
  (select count(*) from public.background_job_attempts a where a.job_id = j.id) as attempts
from public.background_jobs j
where j.status = 'failed';
comment on view public.dead_letter_jobs is 'Failed jobs. select retry_failed_job(id, true) from dead_letter_jobs where … runs them again.';

create view public.stuck_jobs with (security_invoker = true) as
select j.id, j.type, j.lane, j.status, l.worker, j.started_at, j.lease_until,
  case when j.lease_until < clock_timestamp() then 'its lease expired and no sweep has rescued it yet'
       else 'it runs longer than its time-out allows' end as reason
from public.background_job_leases l
cross join lateral unnest(l.job_ids) as m(id)
join public.background_jobs j on j.id = m.id and j.lease_token = l.token and j.status = 'processing'
where j.lease_until < clock_timestamp()
   or j.started_at < clock_timestamp() - make_interval(secs => j.timeout_seconds + 30);
comment on view public.stuck_jobs is
  'Running jobs past their lease, or 30 s past their time-out. Empty while a sweep runs.';

create view public.queue_depth with (security_invoker = true) as
select r.lane, r.type,
  count(*) as queued,
  count(*) filter (where r.run_at <= clock_timestamp()) as due,
  min(r.run_at) filter (where r.run_at <= clock_timestamp()) as oldest_due_at,
  min(r.run_at) as next_run_at
from public.background_job_ready r
group by r.lane, r.type;
comment on view public.queue_depth is 'Waiting jobs by lane and type, from the small ready table: fast whatever the history.';

create function public.get_job_statistics_summary() returns table (metric text, value text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
  with recent as (
    select j.status, j.duration_ms,
      greatest(0, (extract(epoch from j.started_at - greatest(j.run_at, j.created_at)) * 1000)::bigint) as wait_ms
    from public.background_jobs j
    where j.created_at > now() - interval '24 hours'
  ), counts as (
    select count(*) as total,
      count(*) filter (where r.status = 'completed') as completed,
      count(*) filter (where r.status = 'failed') as failed,
      round(avg(r.duration_ms) filter (where r.status = 'completed')) as avg_duration,
      percentile_disc(0.5) within group (order by r.duration_ms) filter (where r.status = 'completed') as p50_duration,
      percentile_disc(0.95) within group (order by r.duration_ms) filter (where r.status = 'completed') as p95_duration,
      round(avg(r.wait_ms)) as avg_wait,
      percentile_disc(0.95) within group (order by r.wait_ms) as p95_wait
    from recent r
  ), live as (
    select (select count(*) from public.background_job_ready) as queued,
      (select count(*) from public.background_job_leases l cross join lateral unnest(l.job_ids) as m(id)
        join public.background_jobs j on j.id = m.id and j.status = 'processing' and j.lease_token = l.token) as processing,
      (select min(r.run_at) from public.background_job_ready r where r.run_at <= clock_timestamp()) as oldest_due
  )
  select m.metric, m.value from counts c cross join live l cross join lateral (values
    (1, 'Total jobs (24 h)', c.total::text),
    (2, 'Queued', l.queued::text),
    (3, 'Processing', l.processing::text),
    (4, 'Completed (24 h)', c.completed::text),
    (5, 'Failed (24 h)', c.failed::text),
    (6, 'Dead letter', (select count(*) from public.background_jobs j where j.status = 'failed')::text),
    (7, 'Success rate (24 h)', coalesce(round(100.0 * c.completed / nullif(c.completed + c.failed, 0), 1) || ' %', 'no finished job')),
    (8, 'Average duration', coalesce(c.avg_duration || ' ms', 'no finished job')),
    (9, 'p50 duration', coalesce(c.p50_duration || ' ms', 'no finished job')),
    (10, 'p95 duration', coalesce(c.p95_duration || ' ms', 'no finished job')),
    (11, 'Average wait', coalesce(c.avg_wait || ' ms', 'no started job')),
    (12, 'p95 wait', coalesce(c.p95_wait || ' ms', 'no started job')),
    (13, 'Oldest queued', coalesce(round(extract(epoch from clock_timestamp() - l.oldest_due)) || ' s', 'nothing due'))
  ) as m(position, metric, value)
  order by m.position;
end
$$;
comment on function public.get_job_statistics_summary() is
  'The queue at a glance: totals and success rate of the last 24 hours, live queue sizes, durations and waits. Never refuses.';
