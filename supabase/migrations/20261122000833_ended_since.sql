-- What ended since some time, from days, hours and minutes, and from what is not folded yet.

create function job_queue.rollups_since(p_since timestamptz, p_total boolean, p_by_day boolean) returns setof public.job_rollups
language plpgsql stable
set search_path = '' set jit = off
as $$
declare
  v_hour timestamptz := date_bin('1 hour', p_since + interval '1 hour' - interval '1 microsecond', 'epoch');
  v_day timestamptz := date_bin('1 day', p_since + interval '1 day' - interval '1 microsecond', 'epoch');
  v_hours_upto timestamptz := (select p.upto from public.job_rollup_progress p where p.grain = 'hour');
  v_days_upto timestamptz := (select p.upto from public.job_rollup_progress p where p.grain = 'day');
begin
  -- Each end once: in its day where that is whole and over, else in its hour, else in its minute.
  return query
    select r.* from public.job_rollups r
    where r.grain = 'minute' and r.starts_at >= p_since and (r.starts_at < v_hour or r.starts_at >= v_hours_upto)
      and (r.type = '') = p_total
    union all
    select r.* from public.job_rollups r
    where r.grain = 'hour' and r.starts_at >= v_hour and (not p_by_day or r.starts_at < v_day or r.starts_at >= v_days_upto)
      and (r.type = '') = p_total
    union all
    select r.* from public.job_rollups r
    where p_by_day and r.grain = 'day' and r.starts_at >= v_day and (r.type = '') = p_total;
end
$$;
comment on function job_queue.rollups_since(timestamptz, boolean, boolean) is
  'The least parts of the rollups that hold every folded end since p_since, a full minute: those of all types together (p_total) or of each; p_by_day: in days where possible, else in hours and minutes only.';

create function job_queue.ended_since(p_since timestamptz, p_total boolean, p_hourly boolean) returns table (
  hour timestamptz, type text, completed bigint, failed bigint, cancelled bigint,
  min_duration_ms bigint, max_duration_ms bigint, min_wait_ms bigint, max_wait_ms bigint)
language plpgsql stable
set search_path = '' set jit = off
as $$
begin
  return query
    select case when p_hourly then date_bin('1 hour', x.at, 'epoch') end, x.of_type, sum(x.done)::bigint, sum(x.dead)::bigint,
      sum(x.off)::bigint, min(x.min_duration), max(x.max_duration), min(x.min_wait), max(x.max_wait)
    from (
      select r.starts_at as at, r.type as of_type, r.completed as done, r.failed as dead, r.cancelled as off,
        r.min_duration_ms as min_duration, r.max_duration_ms as max_duration, r.min_wait_ms as min_wait, r.max_wait_ms as max_wait
      from job_queue.rollups_since(p_since, p_total, not p_hourly) as r
      union all
      select e.ended_at, case when p_total then '' else e.type end,
        case e.outcome when 'completed' then e.jobs else 0 end, case e.outcome when 'failed' then e.jobs else 0 end,
        case e.outcome when 'cancelled' then e.jobs else 0 end, d.least, d.most, w.least, w.most
      from public.background_job_ends e
      cross join lateral (select min(u.ms) as least, max(u.ms) as most from unnest(e.durations) as u(ms)) d
      cross join lateral (select min(u.ms) as least, max(u.ms) as most from unnest(e.waits) as u(ms)) w
      where e.outcome is not null and e.ended_at >= p_since) x
    group by 1, 2;
end
$$;
comment on function job_queue.ended_since(timestamptz, boolean, boolean) is
  'The ends since p_since, a full minute, folded or not: of all types together (p_total; type is empty) or of each, p_hourly by hour.';

create function job_queue.measured_since(p_since timestamptz, p_total boolean, p_hourly boolean) returns table (
  hour timestamptz, type text, wait boolean, average_ms numeric, p50_ms bigint, p95_ms bigint)
language plpgsql stable
set search_path = '' set jit = off
as $$
begin
  return query
    with rollups as materialized (
      select r.* from job_queue.rollups_since(p_since, p_total, not p_hourly) as r
    ), ends as materialized (
      select e.ended_at, case when p_total then '' else e.type end as type, e.durations, e.waits
      from public.background_job_ends e where e.outcome is not null and e.ended_at >= p_since
    ), histograms as (
      select r.starts_at, r.type, false as wait, r.duration_buckets as buckets, r.duration_jobs as jobs,
        r.duration_totals as totals, null::integer[] as ms from rollups r
      union all
      select r.starts_at, r.type, true, r.wait_buckets, r.wait_jobs, r.wait_totals, null from rollups r where not p_hourly
      union all
      select e.ended_at, e.type, false, null, null, null, e.durations from ends e
      union all
      select e.ended_at, e.type, true, null, null, null, e.waits from ends e where not p_hourly
    ), hours as (
      select case when p_hourly then date_bin('1 hour', h.starts_at, 'epoch') end as hour, h.* from histograms h
    ), keyed as materialized (
      -- One number for hour, type, measure and bucket: it is sorted and hashed three times as fast as they are.
      select h.*, 2048 * dense_rank() over (order by h.hour, h.type, h.wait) as key from hours h
    ), slots as (
      select p.slot, sum(p.jobs)::double precision as jobs, sum(p.total) as total
      from (
        select k.key + unnest(k.buckets) as slot, unnest(k.jobs) as jobs, unnest(k.totals) as total from keyed k
        union all
        select u.key + floor(ln(u.ms + 1.0::double precision) * 21)::integer, 1, u.ms::double precision
        from (select k.key, unnest(k.ms) as ms from keyed k) u where u.ms is not null) p
      group by p.slot
    ), ranked as (
      select s.slot / 2048 as key, s.jobs, s.total, sum(s.jobs) over (partition by s.slot / 2048 order by s.slot) as upto,
        sum(s.jobs) over (partition by s.slot / 2048) as n
      from slots s
    ), measured as (
      select r.key, round((sum(r.total) / sum(r.jobs))::numeric) as average,
        -- The mean of the bucket where the percentile lies.
        round(min(r.total / r.jobs) filter (where r.upto >= 0.5 * r.n))::bigint as p50,
        round(min(r.total / r.jobs) filter (where r.upto >= 0.95 * r.n))::bigint as p95
      from ranked r group by r.key
    )
    select k.hour, k.type, k.wait, m.average, m.p50, m.p95
    from (select distinct x.key, x.hour, x.type, x.wait from keyed x) k join measured m on m.key = k.key / 2048;
end
$$;
comment on function job_queue.measured_since(timestamptz, boolean, boolean) is
  'Durations and, unless p_hourly, waits (wait) of the same ends as ended_since tells, in milliseconds: the average exactly, percentiles within 5 %.';

revoke all on function job_queue.rollups_since(timestamptz, boolean, boolean),
  job_queue.ended_since(timestamptz, boolean, boolean), job_queue.measured_since(timestamptz, boolean, boolean)
  from public, anon, authenticated, service_role;
