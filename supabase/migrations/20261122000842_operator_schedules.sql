-- Schedules, quotas and job types as operators see them, and what they change of schedules.

create function public.operator_schedules()
returns table (
  name text, type text, cron text, timezone text, payload jsonb, catch_up text, enabled boolean, source text,
  evaluated_until timestamptz, problem text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform job_queue.require_operator();
  return query select * from public.get_job_schedules();
end
$$;
comment on function public.operator_schedules() is
  'get_job_schedules for operators: all schedules in the order of their names. Refuses who is no operator (PT403).';

create function public.operator_set_schedule(
  name text, type text default null, cron text default null, timezone text default null, payload jsonb default null,
  catch_up text default null) returns boolean
language plpgsql security definer
set search_path = ''
as $$
declare
  v_claims jsonb := job_queue.require_operator();
  v_result boolean := public.set_job_schedule(
    operator_set_schedule.name, operator_set_schedule.type, operator_set_schedule.cron, operator_set_schedule.timezone,
    operator_set_schedule.payload, operator_set_schedule.catch_up);
begin
  perform job_queue.note_action(v_claims, 'set_schedule', jsonb_strip_nulls(jsonb_build_object(
    'name', operator_set_schedule.name, 'type', operator_set_schedule.type, 'cron', operator_set_schedule.cron,
    'timezone', operator_set_schedule.timezone, 'catch_up', operator_set_schedule.catch_up)), to_jsonb(v_result));
  return v_result;
end
$$;
comment on function public.operator_set_schedule(text, text, text, text, jsonb, text) is
  'set_job_schedule for operators: true when the schedule is new. Refuses who is no operator (PT403) and what set_job_schedule refuses (PT400).';

create function public.operator_pause_schedule(name text) returns boolean
language plpgsql security definer
set search_path = ''
as $$
declare
  v_claims jsonb := job_queue.require_operator();
  v_result boolean := public.pause_job_schedule(operator_pause_schedule.name);
begin
  perform job_queue.note_action(
    v_claims, 'pause_schedule', jsonb_build_object('name', operator_pause_schedule.name), to_jsonb(v_result));
  return v_result;
end
$$;
comment on function public.operator_pause_schedule(text) is
  'pause_job_schedule for operators: false when there is none of the name. Refuses who is no operator (PT403).';

create function public.operator_resume_schedule(name text) returns boolean
language plpgsql security definer
set search_path = ''
as $$
declare
  v_claims jsonb := job_queue.require_operator();
  v_result boolean := public.resume_job_schedule(operator_resume_schedule.name);
begin
  perform job_queue.note_action(
    v_claims, 'resume_schedule', jsonb_build_object('name', operator_resume_schedule.name), to_jsonb(v_result));
  return v_result;
end
$$;
comment on function public.operator_resume_schedule(text) is
  'resume_job_schedule for operators: false when there is none of the name. Refuses who is no operator (PT403).';

create function public.operator_remove_schedule(name text) returns boolean
language plpgsql security definer
set search_path = ''
as $$
declare
  v_claims jsonb := job_queue.require_operator();
  v_result boolean := public.remove_job_schedule(operator_remove_schedule.name);
begin
  perform job_queue.note_action(
    v_claims, 'remove_schedule', jsonb_build_object('name', operator_remove_schedule.name), to_jsonb(v_result));
  return v_result;
end
$$;
comment on function public.operator_remove_schedule(text) is
  'remove_job_schedule for operators: false when there is none of the name. Refuses who is no operator (PT403) and a definition''s schedule (PT400).';

create function public.operator_quotas()
returns table (
  quota text, token text, allowance bigint, remaining bigint, resets_at timestamptz, blocked_until timestamptz,
  reported_at timestamptz, exhausted boolean, waiting bigint)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform job_queue.require_operator();
  return query
    with waiting as (
      select u.quota, count(*) as jobs
      from public.background_job_ready r join public.job_types t on t.type = r.type cross join unnest(t.quotas) as u(quota)
      group by u.quota
    )
    select q.quota, q.token, q.allowance, q.remaining, q.resets_at, q.blocked_until, q.reported_at,
           exists (select from job_queue.exhausted_quotas() as e where e.quota = q.quota), coalesce(w.jobs, 0)
    from public.job_quotas q left join waiting w on w.quota = q.quota
    order by q.quota, q.token;
end
$$;
comment on function public.operator_quotas() is
  'Every quota and token with what the last answer said of it, whether the quota is exhausted (no token has anything left), and how many queued jobs are of types that spend it. Refuses who is no operator (PT403).';

alter table public.job_types add column payload_schema jsonb;
comment on column public.job_types.payload_schema is
  'What a payload looks like, as JSON Schema; null where no process that knows it has told (sync_payload_schemas).';

create function public.sync_payload_schemas(schemas jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  -- Not by a path: to one, an array within the array is what it holds.
  if jsonb_typeof(schemas) is distinct from 'array' or exists (
       select from jsonb_array_elements(case jsonb_typeof(schemas) when 'array' then schemas end) as e(s)
       where jsonb_typeof(e.s -> 'type') is distinct from 'string'
          or jsonb_typeof(e.s -> 'payload_schema') is distinct from 'object') then
    raise exception using errcode = 'PT400', message = 'schemas: expected an array of {type, payload_schema}';
  end if;
  update public.job_types t set payload_schema = s.payload_schema
  from jsonb_to_recordset(schemas) as s(type text, payload_schema jsonb)
  where t.type = s.type and t.payload_schema is distinct from s.payload_schema;
end
$$;
comment on function public.sync_payload_schemas(jsonb) is
  'Notes the JSON Schemas of payloads [{type, payload_schema}] with the types that sync_job_types made; others are passed by. Returns nothing. Refuses anything else (PT400).';

create function public.operator_job_types()
returns table (
  type text, title text, lane text, lane_override text, measured_lane text, effective_lane text, paused boolean,
  timeout_seconds integer, max_retries integer, priority integer, concurrency_limit integer, throttle_limit integer,
  throttle_seconds integer, quotas text[], p95_duration_ms bigint, payload_schema jsonb)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform job_queue.require_operator();
  return query
    select t.type, t.title, t.lane, t.lane_override, t.measured_lane, job_queue.lane_of(t), t.paused, t.timeout_seconds,
           t.max_retries, t.priority, t.concurrency_limit, t.throttle_limit, t.throttle_seconds, t.quotas,
           t.p95_duration_ms, t.payload_schema
    from public.job_types t order by t.type;
end
$$;
comment on function public.operator_job_types() is
  'All known types with their limits, the lane that new jobs go to, and the JSON Schema of their payload. Refuses who is no operator (PT403).';

revoke all on function public.operator_schedules(), public.operator_set_schedule(text, text, text, text, jsonb, text),
  public.operator_pause_schedule(text), public.operator_resume_schedule(text), public.operator_remove_schedule(text),
  public.operator_quotas(), public.operator_job_types(), public.sync_payload_schemas(jsonb)
  from public, anon, authenticated, service_role;
grant execute on function public.operator_schedules(), public.operator_set_schedule(text, text, text, text, jsonb, text),
  public.operator_pause_schedule(text), public.operator_resume_schedule(text), public.operator_remove_schedule(text),
  public.operator_quotas(), public.operator_job_types() to authenticated;
grant execute on function public.sync_payload_schemas(jsonb) to service_role;
