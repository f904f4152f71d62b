-- The queue at a glance. Counts come from the narrow tables and the statistics, never from the wide table.

create function job_queue.ends_since(p_since timestamptz, p_hourly boolean)
returns table (ended_at timestamptz, completed bigint, failed bigint, cancelled bigint)
language plpgsql stable
set search_path = '' set jit = off
as $$
declare
  v_hours_upto timestamptz := (select p.upto from public.job_rollup_progress p where p.grain = 'hour');
begin
  return query
    select x.at, sum(x.done)::bigint, sum(x.dead)::bigint, sum(x.off)::bigint
    from (
      select r.starts_at as at, r.completed as done, r.failed as dead, r.cancelled as off from public.job_rollups r
      where r.grain = 'minute' and r.starts_at >= case when p_hourly then greatest(p_since, v_hours_upto) else p_since end
        and r.type = ''
      union all
      select r.starts_at, r.completed, r.failed, r.cancelled from public.job_rollups r
      where p_hourly and r.grain = 'hour' and r.starts_at >= p_since and r.type = ''
      union all
      select date_bin('1 minute', e.ended_at, 'epoch'), case e.outcome when 'completed' then e.jobs else 0 end,
        case e.outcome when 'failed' then e.jobs else 0 end, case e.outcome when 'cancelled' then e.jobs else 0 end
      from public.background_job_ends e where e.outcome is not null and e.ended_at >= p_since) x
    group by x.at;
end
$$;
comment on function job_queue.ends_since(timestamptz, boolean) is
  'How many jobs ended since p_since, by minute, which are kept for two days; p_hourly: since a full hour, by hour up to the last that is over. Times at which none did are absent.';

create function public.operator_throughput(minutes integer default 60)
returns table (starts_at timestamptz, completed bigint, failed bigint, cancelled bigint)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_width interval := case when minutes <= 180 then interval '1 minute' when minutes <= 1440 then interval '10 minutes'
                           else interval '1 hour' end;
  v_last timestamptz := date_bin(v_width, clock_timestamp(), 'epoch');
begin
  perform job_queue.require_operator();
  if minutes is null or minutes not between 1 and 10080 then
    raise exception using errcode = 'PT400',
      message = format('minutes: expected 1 to 10080, got %s', coalesce(minutes::text, 'nothing'));
  end if;
  return query
    with places as (
      select generate_series(date_bin(v_width, v_last - make_interval(mins => minutes) + v_width, 'epoch'), v_last, v_width) as at
    ), ends as (
      select date_bin(v_width, e.ended_at, 'epoch') as at, sum(e.completed)::bigint as completed, sum(e.failed)::bigint as failed,
             sum(e.cancelled)::bigint as cancelled
      from job_queue.ends_since((select min(p.at) from places p), minutes > 1440) as e group by 1
    )
    select p.at, coalesce(e.completed, 0), coalesce(e.failed, 0), coalesce(e.cancelled, 0)
    from places p left join ends e on e.at = p.at order by p.at;
end
$$;
comment on function public.operator_throughput(integer) is
  'How many jobs ended in the last minutes, oldest first, without gaps: by minute, over three hours by ten minutes, over a day by hour. Refuses who is no operator (PT403) and minutes outside 1 to 10080 (PT400).';

create function job_queue.running_by_type() returns table (type text, lane text, jobs bigint)
language plpgsql stable
set search_path = '' set enable_seqscan = off
as $$
begin
  return query
    select j.type, j.lane, count(*)
    from public.background_job_leases l cross join lateral unnest(l.job_ids) as m(id)
    join public.background_jobs j on j.id = m.id and j.lease_token = l.token and j.status = 'processing'
    group by j.type, j.lane;
end
$$;
comment on function job_queue.running_by_type() is 'How many jobs run now.';

create function job_queue.summary_figures() returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select jsonb_object_agg(n.name, substring(s.value from '^[0-9]+(?:\.[0-9]+)?')::numeric)
    from public.get_job_statistics_summary() as s
    join (values
      ('Total jobs (24 h)', 'total_24h'), ('Queued', 'queued'), ('Processing', 'processing'),
      ('Completed (24 h)', 'completed_24h'), ('Failed (24 h)', 'failed_24h'), ('Dead letter', 'dead_letter'),
      ('Success rate (24 h)', 'success_rate'), ('Average duration', 'avg_duration_ms'), ('p50 duration', 'p50_duration_ms'),
      ('p95 duration', 'p95_duration_ms'), ('Average wait', 'avg_wait_ms'), ('p95 wait', 'p95_wait_ms'),
      ('Oldest queued', 'oldest_queued_seconds')) as n(metric, name) on n.metric = s.metric);
end
$$;
comment on function job_queue.summary_figures() is
  'The metrics of get_job_statistics_summary as numbers, in seconds, milliseconds and percent; null where it says that there is nothing.';

create function job_queue.lanes_now() returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select jsonb_agg(jsonb_build_object(
      'lane', l.lane, 'queued', coalesce(d.queued, 0), 'due', coalesce(d.due, 0), 'oldest_due_at', d.oldest_due_at,
      'processing', (select coalesce(sum(r.jobs), 0) from job_queue.running_by_type() as r where r.lane = l.lane),
      'workers', (select count(*) from public.background_job_workers w
                  where l.lane = any (w.lanes) and w.seen_at > clock_timestamp() - interval '1 minute')) order by l.place)
    from unnest(array['inline', 'edge', 'worker']) with ordinality as l(lane, place)
    left join (
      select q.lane, sum(q.queued) as queued, sum(q.due) as due, min(q.oldest_due_at) as oldest_due_at
      from public.queue_depth q group by q.lane) d on d.lane = l.lane);
end
$$;
comment on function job_queue.lanes_now() is 'The three lanes with what waits and runs there now, and how many always-on workers serve them.';

create function job_queue.types_now() returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    with depth as (
      select q.type, sum(q.queued) as queued, sum(q.due) as due, min(q.oldest_due_at) as oldest_due_at,
             min(q.next_run_at) as next_run_at
      from public.queue_depth q group by q.type
    ), running as (
      select r.type, sum(r.jobs) as jobs from job_queue.running_by_type() as r group by r.type
    ), seen as (
      select s.type from public.job_statistics s union select d.type from depth d union select r.type from running r
      union select t.type from public.job_types t where t.paused
    )
    select coalesce(jsonb_agg(jsonb_build_object(
      'type', k.type, 'title', coalesce(t.title, k.type), 'lane', coalesce(job_queue.lane_of(t), 'edge'),
      'paused', coalesce(t.paused, false), 'queued', coalesce(d.queued, 0), 'due', coalesce(d.due, 0),
      'oldest_due_at', d.oldest_due_at, 'next_run_at', d.next_run_at, 'processing', coalesce(r.jobs, 0),
      'completed', coalesce(s.completed, 0), 'failed', coalesce(s.failed, 0), 'cancelled', coalesce(s.cancelled, 0),
      'success_rate', s.success_rate, 'p50_duration_ms', s.p50_duration_ms, 'p95_duration_ms', s.p95_duration_ms,
      'p50_wait_ms', s.p50_wait_ms, 'p95_wait_ms', s.p95_wait_ms) order by k.type), '[]')
    from seen k
    left join public.job_types t on t.type = k.type
    left join public.job_statistics s on s.type = k.type
    left join depth d on d.type = k.type
    left join running r on r.type = k.type);
end
$$;
comment on function job_queue.types_now() is
  'The types that have jobs or are paused, with what waits and runs now and the statistics of the last 7 days.';

create function public.operator_overview() returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_minute timestamptz := date_bin('1 minute', clock_timestamp(), 'epoch');
begin
  perform job_queue.require_operator();
  return jsonb_build_object(
    'at', clock_timestamp(),
    'totals', job_queue.summary_figures() || jsonb_build_object(
      'due', (select coalesce(sum(q.due), 0) from public.queue_depth q),
      'per_minute', (select round(coalesce(sum(e.completed + e.failed + e.cancelled), 0) / 5, 1)
                     from job_queue.ends_since(v_minute - interval '5 minutes', false) as e where e.ended_at < v_minute)),
    'lanes', job_queue.lanes_now(),
    'types', job_queue.types_now(),
    'workers', (select coalesce(jsonb_agg(jsonb_build_object('worker', w.worker, 'lanes', w.lanes, 'idle', w.idle,
                  'started_at', w.started_at, 'seen_at', w.seen_at) order by w.worker), '[]')
                from public.background_job_workers w));
end
$$;
comment on function public.operator_overview() is
  'The queue at a glance: {at, totals, lanes, types, workers}; totals of the last 24 hours, types of the last 7 days. Refuses who is no operator (PT403).';

revoke all on function public.operator_overview(), public.operator_throughput(integer)
  from public, anon, authenticated, service_role;
grant execute on function public.operator_overview(), public.operator_throughput(integer) to authenticated;
revoke all on function job_queue.ends_since(timestamptz, boolean), job_queue.running_by_type(), job_queue.summary_figures(),
  job_queue.lanes_now(), job_queue.types_now() from public, anon, authenticated, service_role;
