-- What operators look at, from the rollups and the small tables: no reader scans background_jobs.

create function job_queue.dead_letters() returns table (type text, jobs bigint)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
    select d.type, sum(d.jobs)::bigint
    from (select x.type, x.jobs from public.job_dead_letters x
          union all select e.type, e.dead from public.background_job_ends e where e.dead <> 0) d
    group by d.type having sum(d.jobs) <> 0;
end
$$;
comment on function job_queue.dead_letters() is 'How many jobs are failed now, by type; types without one are left out.';

create function job_queue.running_jobs() returns table (id uuid, type text)
language plpgsql stable
-- From the small table to the rows by their ids, whatever the estimates.
set search_path = '' set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
begin
  return query
    select j.id, j.type from public.background_job_leases l cross join lateral unnest(l.job_ids) as m(id)
    join public.background_jobs j on j.id = m.id and j.status = 'processing' and j.lease_token = l.token;
end
$$;
comment on function job_queue.running_jobs() is 'The jobs that run now, found by their leases.';

create function job_queue.waiting_jobs() returns table (id uuid, type text)
language plpgsql stable
-- From the small table to the rows by their ids, whatever the estimates.
set search_path = '' set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
begin
  return query
    select r.id, r.type from public.background_job_ready r
    union all
    select j.id, j.type
    from (select distinct d.job_id from public.background_job_dependencies d where not d.settled) w
    join public.background_jobs j on j.id = w.job_id and j.status = 'queued';
end
$$;
comment on function job_queue.waiting_jobs() is 'The queued jobs: those in the ready table, and those that wait for parents.';

create function job_queue.job_statistics() returns table (
  type text, queued bigint, processing bigint, completed bigint, failed bigint, cancelled bigint, success_rate numeric,
  avg_duration_ms numeric, min_duration_ms bigint, max_duration_ms bigint, p50_duration_ms bigint, p95_duration_ms bigint,
  avg_wait_ms numeric, min_wait_ms bigint, max_wait_ms bigint, p50_wait_ms bigint, p95_wait_ms bigint)
language plpgsql stable security definer
set search_path = '' set jit = off
as $$
declare
  v_since timestamptz := date_bin('1 hour', now() - interval '7 days', 'epoch');
begin
  return query
  with ended as (
    select e.* from job_queue.ended_since(v_since, false, false) as e
  ), measured as (
    select m.* from job_queue.measured_since(v_since, false, false) as m
  ), waiting as (
    select w.type, count(*) as jobs from job_queue.waiting_jobs() as w group by w.type
  ), running as (
    select r.type, count(*) as jobs from job_queue.running_jobs() as r group by r.type
  ), types as (
    select e.type from ended e union select w.type from waiting w union select r.type from running r
  )
  select t.type, coalesce(w.jobs, 0), coalesce(r.jobs, 0), coalesce(e.completed, 0), coalesce(e.failed, 0), coalesce(e.cancelled, 0),
    round(100.0 * coalesce(e.completed, 0) / nullif(coalesce(e.completed, 0) + coalesce(e.failed, 0), 0), 1),
    d.average_ms, e.min_duration_ms, e.max_duration_ms, d.p50_ms, d.p95_ms,
    x.average_ms, e.min_wait_ms, e.max_wait_ms, x.p50_ms, x.p95_ms
  from types t
  left join ended e on e.type = t.type
  left join waiting w on w.type = t.type
  left join running r on r.type = t.type
  left join measured d on d.type = t.type and not d.wait
  left join measured x on x.type = t.type and x.wait;
end
$$;
comment on function job_queue.job_statistics() is 'The rows of the view job_statistics.';

create or replace view public.job_statistics with (security_invoker = true) as
select s.type, s.queued, s.processing, s.completed, s.failed, s.cancelled, s.success_rate, s.avg_duration_ms, s.min_duration_ms,
  s.max_duration_ms, s.p50_duration_ms, s.p95_duration_ms, s.avg_wait_ms, s.min_wait_ms, s.max_wait_ms, s.p50_wait_ms, s.p95_wait_ms
from job_queue.job_statistics() as s;
comment on view public.job_statistics is
  'One row per type: jobs that wait and run now, and those that ended in the last 7 days (from the full hour): counts, success rate (percent of completed and failed ones), duration of completed jobs'' last slice and wait from run_at to the last start, in milliseconds. Counts, averages, least and greatest are exact, percentiles are within 5 %. A job that ended, ran again and ended again counts twice.';

create function job_queue.live_creations(p_hours timestamptz[]) returns table (hour timestamptz, type text, jobs bigint)
language plpgsql stable
set search_path = ''
as $$
declare
  v_ids uuid[] := array(select job_queue.first_uuid_at(h.hour) from unnest(p_hours) as h(hour) order by h.hour);
begin
  return query
    -- The id of a job tells when it was created, so that its row need not be read.
    select p_hours[l.place], l.type, count(*)
    from (
      select width_bucket(x.id, v_ids) as place, x.type
      from (select w.id, w.type from job_queue.waiting_jobs() as w
            union all select r.id, r.type from job_queue.running_jobs() as r) x) l
    where l.place > 0 group by l.place, l.type;
end
$$;
comment on function job_queue.live_creations(timestamptz[]) is
  'The jobs that wait or run now by hour of creation; p_hours: the hours, ascending. A job whose id a person made up may count in another hour until it ends.';

create function job_queue.created_since(p_since timestamptz) returns table (hour timestamptz, type text, jobs bigint)
language plpgsql stable
set search_path = '' set jit = off
as $$
begin
  return query
    select c.at, c.of_type, sum(c.n)::bigint
    from (
      select x.hour as at, x.type as of_type, x.jobs as n from public.job_creations x where x.hour >= p_since
      union all
      select to_timestamp(e.created_hour * 3600.0), e.type, e.created from public.background_job_ends e
      where e.created_hour >= job_queue.hour_number(p_since)
      union all
      select l.hour, l.type, l.jobs
      from job_queue.live_creations(array(select generate_series(p_since, now(), interval '1 hour'))) as l) c
    group by c.at, c.of_type having sum(c.n) <> 0;
end
$$;
comment on function job_queue.created_since(timestamptz) is
  'How many jobs were created in each hour since p_since, a full hour: those that ended, and those that wait or run now.';

create function job_queue.job_statistics_hourly() returns table (
  hour timestamptz, type text, created bigint, completed bigint, failed bigint, avg_duration_ms numeric, p95_duration_ms bigint)
language plpgsql stable security definer
set search_path = '' set jit = off
as $$
declare
  v_since timestamptz := date_bin('1 hour', now() - interval '47 hours', 'epoch');
begin
  return query
  with ended as (
    select e.* from job_queue.ended_since(v_since, false, true) as e
  ), creations as (
    select c.* from job_queue.created_since(v_since) as c
  )
  select k.hour, k.type, coalesce(c.jobs, 0), coalesce(e.completed, 0), coalesce(e.failed, 0), m.average_ms, m.p95_ms
  from (select e.hour, e.type from ended e union select c.hour, c.type from creations c) k
  left join ended e on e.hour = k.hour and e.type = k.type
  left join creations c on c.hour = k.hour and c.type = k.type
  left join job_queue.measured_since(v_since, false, true) as m on m.hour = k.hour and m.type = k.type;
end
$$;
comment on function job_queue.job_statistics_hourly() is 'The rows of the view job_statistics_hourly.';

create or replace view public.job_statistics_hourly with (security_invoker = true) as
select s.hour, s.type, s.created, s.completed, s.failed, s.avg_duration_ms, s.p95_duration_ms
from job_queue.job_statistics_hourly() as s;
comment on view public.job_statistics_hourly is
  'The last 48 hours (UTC), this one included, by hour and type: jobs created in the hour, and jobs that completed and failed in it, with the duration of completed ones in milliseconds (average exact, p95 within 5 %).';

grant execute on function job_queue.job_statistics(), job_queue.job_statistics_hourly() to authenticated, service_role;

create or replace function public.get_job_statistics_summary() returns table (metric text, value text)
language plpgsql stable security definer
set search_path = '' set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
declare
  v_since timestamptz := date_bin('1 minute', now() - interval '24 hours', 'epoch');
begin
  return query
  with ended as (
    select coalesce(sum(e.completed), 0) as completed, coalesce(sum(e.failed), 0) as failed,
      coalesce(sum(e.completed + e.failed + e.cancelled), 0) as total
    from job_queue.ended_since(v_since, true, false) as e
  ), measured as (
    select m.* from job_queue.measured_since(v_since, true, false) as m
  ), ready as (
    -- As waiting_jobs counts, without passing 100,000 rows through a function.
    select count(*) as jobs, min(r.run_at) as next_run_at from public.background_job_ready r
  ), live as (
    select case when r.next_run_at <= clock_timestamp() then r.next_run_at end as oldest_due, r.jobs + (
        select count(distinct d.job_id) from public.background_job_dependencies d
        join public.background_jobs j on j.id = d.job_id and j.status = 'queued' where not d.settled) as queued,
      (select count(*) from job_queue.running_jobs()) as processing
    from ready r
  )
  select m.metric, m.value
  from ended e cross join live l
  left join measured d on not d.wait
  left join measured w on w.wait
  cross join lateral (values
    (1, 'Total jobs (24 h)', (e.total + l.queued + l.processing)::text),
    (2, 'Queued', l.queued::text),
    (3, 'Processing', l.processing::text),
    (4, 'Completed (24 h)', e.completed::text),
    (5, 'Failed (24 h)', e.failed::text),
    (6, 'Dead letter', (select coalesce(sum(x.jobs), 0) from job_queue.dead_letters() as x)::text),
    (7, 'Success rate (24 h)',
      coalesce(round(100.0 * e.completed / nullif(e.completed + e.failed, 0), 1) || ' %', 'no finished job')),
    (8, 'Average duration', coalesce(d.average_ms || ' ms', 'no finished job')),
    (9, 'p50 duration', coalesce(d.p50_ms || ' ms', 'no finished job')),
    (10, 'p95 duration', coalesce(d.p95_ms || ' ms', 'no finished job')),
    (11, 'Average wait', coalesce(w.average_ms || ' ms', 'no started job')),
    (12, 'p95 wait', coalesce(w.p95_ms || ' ms', 'no started job')),
    (13, 'Oldest queued', coalesce(round(extract(epoch from clock_timestamp() - l.oldest_due)) || ' s', 'nothing due'))
  ) as m(position, metric, value)
  order by m.position;
end
$$;
comment on function public.get_job_statistics_summary() is
  'The queue at a glance: jobs that wait and run now, and ends, success rate, durations and waits of the last 24 hours. Total: the jobs that ended in that time, wait or run. Percentiles are within 5 %, the rest is exact. Never refuses.';

create or replace view public.queue_depth with (security_invoker = true) as
-- The time once, not for each of 100,000 rows.
select d.lane, d.type, d.queued, d.due, case when d.next_run_at <= statement_timestamp() then d.next_run_at end as oldest_due_at,
  d.next_run_at
from (
  select r.lane, r.type, count(*) as queued, count(*) filter (where r.run_at <= statement_timestamp()) as due,
    min(r.run_at) as next_run_at
  from public.background_job_ready r group by r.lane, r.type) d;

revoke all on function job_queue.dead_letters(), job_queue.running_jobs(), job_queue.waiting_jobs(),
  job_queue.live_creations(timestamptz[]), job_queue.created_since(timestamptz)
  from public, anon, authenticated, service_role;
revoke all on function job_queue.job_statistics(), job_queue.job_statistics_hourly() from public, anon;
