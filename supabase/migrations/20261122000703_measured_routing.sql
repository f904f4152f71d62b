-- Routing that measures: a type whose jobs take too long for its lane goes on the next one, and comes back when they have
-- become quick. What an operator sets with set_job_lane wins. Off until somebody switches it on.

create table public.job_settings (
  name text not null,
  value jsonb not null,
  meaning text not null,
  constraint job_settings_pkey primary key (name),
  constraint job_settings_known check (name in (
    'measured_routing', 'inline_budget_ms', 'edge_budget_ms', 'edge_jobs_per_isolate', 'edge_max_isolates',
    'dead_letter_callback_url')),
  constraint job_settings_switch check (name <> 'measured_routing' or jsonb_typeof(value) = 'boolean'),
  constraint job_settings_budget check (
    name not like '%\_budget\_ms' or (jsonb_typeof(value) = 'number' and value::text::numeric between 1 and 1e9)),
  constraint job_settings_isolates check (
    name not in ('edge_jobs_per_isolate', 'edge_max_isolates')
    or (jsonb_typeof(value) = 'number' and value::text ~ '^[1-9][0-9]{0,5}$'))
);
comment on table public.job_settings is 'Settings of the queue, to be edited in place: they hold at the next sweep.';
insert into public.job_settings (name, value, meaning) values
  ('measured_routing', 'false', 'true: types move to another lane when their measured durations ask for it'),
  ('inline_budget_ms', '10000', 'How long a job may take inside the Inngest request; INLINE_BUDGET_SECONDS of the endpoint, in milliseconds'),
  ('edge_budget_ms', '120000', 'How long a job may take on the edge lane before an always-on worker is the better place'),
  ('edge_jobs_per_isolate', '200', 'One isolate of process-job is woken for every so many jobs that may run now'),
  ('edge_max_isolates', '5', 'Isolates of process-job that are to drain at the same time, at most');

create table public.job_lane_moves (
  type text not null,
  moved_at timestamptz not null default clock_timestamp(),
  from_lane text not null,
  to_lane text not null,
  p95_active_ms bigint not null,
  jobs integer not null,
  reason text not null,
  constraint job_lane_moves_pkey primary key (type, moved_at)
);
comment on table public.job_lane_moves is 'Every move of a type by measurement, with what was measured. Written by the sweep.';

alter table public.job_types
  add column measured_lane text,
  add column measured_lane_since timestamptz,
  add column p95_active_ms bigint,
  add constraint job_types_measured_lane_known check (measured_lane in ('inline', 'edge', 'worker'));
comment on column public.job_types.measured_lane is 'Lane that measurement chose; null: the definition''s. lane_override wins over it.';
comment on column public.job_types.p95_active_ms is
  '95th percentile of the whole working time, over all slices, of the newest 200 completed jobs.';

alter table public.job_settings enable row level security;
alter table public.job_lane_moves enable row level security;
revoke all on public.job_settings, public.job_lane_moves from public, anon, authenticated, service_role;
grant select, update on public.job_settings to service_role;
grant select on public.job_lane_moves to service_role;

create function job_queue.lane_of(p_type public.job_types) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return coalesce(p_type.lane_override, p_type.measured_lane, p_type.lane);
end
$$;
comment on function job_queue.lane_of(public.job_types) is
  'The lane of new jobs of the type: the operator''s, else the measured one, else the definition''s; null for an unknown type.';

create function job_queue.budget_ms(p_lane text) returns bigint
language plpgsql stable
set search_path = ''
as $$
begin
  return (select s.value::text::numeric::bigint from public.job_settings s where s.name = p_lane || '_budget_ms');
end
$$;
comment on function job_queue.budget_ms(text) is 'How long a job may take on the lane, in milliseconds; null: as long as it likes.';

create function job_queue.move_types(p_now timestamptz) returns void
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
    from public.job_types t cross join lateral (
      select percentile_disc(0.95) within group (order by j.active_ms) as p95, count(*)::integer as jobs
      from (select x.active_ms from public.background_jobs x
            where x.type = t.type and x.status = 'completed' and x.created_at > p_now - interval '7 days'
              and x.completed_at > coalesce(t.measured_lane_since, '-infinity')
            order by x.created_at desc limit 200) j) n
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
comment on function job_queue.move_types(timestamptz) is
  'Moves types whose measured durations ask for another lane, and records each move; moves all back while measured routing is off.';

create function job_queue.lane_rank(p_lane text) returns integer
language plpgsql immutable
set search_path = ''
as $$
begin
  return array_position(array['inline', 'edge', 'worker'], p_lane);
end
$$;
comment on function job_queue.lane_rank(text) is 'The lanes in the order of the time that they give a job, from 1.';

create or replace function job_queue.measure_durations(p_now timestamptz) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_measured text[];
begin
  with due as (
    select d.type from public.job_types d
    where d.p95_measured_at is null or d.p95_measured_at < p_now - interval '1 minute'
    order by d.type for no key update skip locked
  ), measured as (
    update public.job_types t
    set p95_measured_at = p_now, p95_duration_ms = m.p95_duration_ms, p95_active_ms = m.p95_active_ms
    from due cross join lateral (
      select percentile_disc(0.95) within group (order by n.duration_ms) as p95_duration_ms,
             percentile_disc(0.95) within group (order by n.active_ms) as p95_active_ms
      from (select j.duration_ms, j.active_ms from public.background_jobs j
            where j.type = due.type and j.status = 'completed' and j.created_at > p_now - interval '7 days'
            order by j.created_at desc limit 200) n) m
    where t.type = due.type
    returning t.type
  )
  select array_agg(m.type) into v_measured from measured m;
  if v_measured is not null then perform job_queue.move_types(p_now); end if;
end
$$;
comment on function job_queue.measure_durations(timestamptz) is
  'Renews the measured durations of types that were not measured for a minute, and moves types between lanes where that is switched on.';

create or replace function public.list_job_lanes() returns table (type text, lane text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select t.type, coalesce(t.lane_override, t.measured_lane) from public.job_types t
    where t.lane_override is not null or t.measured_lane is not null order by t.type;
end
$$;
comment on function public.list_job_lanes() is
  'The types that are not on their definition''s lane, by an operator or by measurement, with their lane. Never refuses.';

create or replace function job_queue.prepare_hand_insert() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  v_type public.job_types;
begin
  select * into v_type from public.job_types t where t.type = new.type;
  new.lane := coalesce(new.lane, job_queue.lane_of(v_type), 'edge');
  new.max_retries := coalesce(new.max_retries, v_type.max_retries, 3);
  new.timeout_seconds := coalesce(new.timeout_seconds, v_type.timeout_seconds, 120);
  new.priority := coalesce(new.priority, v_type.priority, 0);
  new.expires_at := coalesce(new.expires_at, new.run_at + interval '24 hours');
  if new.concurrency_key is not null then
    new.concurrency_limit := coalesce(new.concurrency_limit, v_type.concurrency_limit, 1);
  end if;
  return job_queue.normalise_status(new);
end
$$;

revoke all on function job_queue.lane_of(public.job_types), job_queue.budget_ms(text), job_queue.move_types(timestamptz),
  job_queue.lane_rank(text) from public, anon, authenticated, service_role;
