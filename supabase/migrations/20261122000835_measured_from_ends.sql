-- Every sweep folds the log of ends, a quiet one once a minute, and routing is measured by what was folded: nothing reads
-- background_jobs by type and time any more.

create function job_queue.is_fold_due(p_now timestamptz) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  -- A minute that is over, or many jobs: what is not folded costs each reader some time.
  return exists (select from public.background_job_ends e where e.ended_at < date_bin('1 minute', p_now, 'epoch'))
    or (select sum(x.jobs) from (select e.jobs from public.background_job_ends e limit 5000) x) > 5000;
end
$$;
comment on function job_queue.is_fold_due(timestamptz) is
  'Whether the log of ends holds a minute that is over, or more than 5,000 jobs.';

create or replace function job_queue.measure_durations(p_now timestamptz) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_due text[];
begin
  select array_agg(d.type) into v_due from (
    select t.type from public.job_types t
    where t.p95_measured_at is null or t.p95_measured_at < p_now - interval '1 minute'
    order by t.type for no key update skip locked) d;
  if v_due is not null or job_queue.is_fold_due(p_now) then perform job_queue.fold_ends(p_now); end if;
  if v_due is null then return; end if;
  update public.job_types t
  set p95_measured_at = p_now, p95_duration_ms = m.p95_duration_ms, p95_active_ms = m.p95_active_ms
  from unnest(v_due) as d(type) cross join lateral (
    select percentile_disc(0.95) within group (order by u.duration) as p95_duration_ms,
           percentile_disc(0.95) within group (order by u.active) as p95_active_ms
    from public.job_recent_ends e cross join lateral unnest(e.ended_at, e.durations, e.actives) as u(ended_at, duration, active)
    where e.type = d.type and u.ended_at > p_now - interval '7 days') m
  where t.type = d.type;
  perform job_queue.move_types(p_now);
  perform job_queue.forget_rollups(p_now);
end
$$;
comment on function job_queue.measure_durations(timestamptz) is
  'What the sweep measures: folds the log of ends, renews the durations of types that were not measured for a minute, from their newest 200 completed jobs, and moves types between lanes where that is switched on.';

create or replace function job_queue.move_types(p_now timestamptz) returns void
language plpgsql
set search_path = ''
as $$
declare
  -- Up at 70 % of a lane's budget, down at half of that: what lies between stays where it is.
  v_up constant numeric := 0.7;
  v_down constant numeric := 0.35;
  v_least_jobs constant integer := 20;
  v_type record;
  v_to text;
begin
  if not exists (select from public.job_settings s where s.name = 'measured_routing' and s.value = 'true') then
    update public.job_types t set measured_lane = null, measured_lane_since = p_now where t.measured_lane is not null;
    return;
  end if;
  for v_type in
    select t.type, t.lane, coalesce(t.measured_lane, t.lane) as now_on, n.p95, n.jobs
    from public.job_types t join public.job_recent_ends e on e.type = t.type cross join lateral (
      select percentile_disc(0.95) within group (order by u.active) as p95, count(*)::integer as jobs
      from unnest(e.ended_at, e.actives) as u(ended_at, active)
      where u.ended_at > greatest(p_now - interval '7 days', t.measured_lane_since)) n
    where n.jobs >= v_least_jobs and t.lane_override is null
    order by t.type for no key update of t skip locked
  loop
    v_to := case
      when v_type.now_on = 'inline' and v_type.p95 > v_up * job_queue.budget_ms('inline') then 'edge'
      when v_type.now_on = 'edge' and v_type.p95 > v_up * job_queue.budget_ms('edge')
        and exists (select from public.background_job_workers w where 'worker' = any (w.lanes)) then 'worker'
      -- Never below the definition's own lane: it may need what only that lane has.
      when v_type.now_on = 'worker' and v_type.lane <> 'worker' and v_type.p95 < v_down * job_queue.budget_ms('edge') then 'edge'
      when v_type.now_on = 'edge' and v_type.lane = 'inline' and v_type.p95 < v_down * job_queue.budget_ms('inline') then 'inline'
    end;
    continue when v_to is null;
    update public.job_types t
    set measured_lane = nullif(v_to, t.lane), measured_lane_since = p_now where t.type = v_type.type;
    insert into public.job_lane_moves (type, moved_at, from_lane, to_lane, p95_active_ms, jobs, reason)
    values (v_type.type, p_now, v_type.now_on, v_to, v_type.p95, v_type.jobs, format(
      'p95 of %s jobs is %s ms, %s', v_type.jobs, v_type.p95,
      case when job_queue.lane_rank(v_to) > job_queue.lane_rank(v_type.now_on)
           then format('over %s%% of the %s ms of lane %s', v_up * 100, job_queue.budget_ms(v_type.now_on), v_type.now_on)
           else format('under %s%% of the %s ms of lane %s', v_down * 100, job_queue.budget_ms(v_to), v_to) end));
  end loop;
end
$$;

revoke all on function job_queue.is_fold_due(timestamptz) from public, anon, authenticated, service_role;
