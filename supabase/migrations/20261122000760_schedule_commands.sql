-- Schedules by command: every change goes through a function that checks it and names the field that is wrong.

create function public.get_job_schedules()
returns table (
  name text, type text, cron text, timezone text, payload jsonb, catch_up text, enabled boolean, source text,
  evaluated_until timestamptz, problem text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select s.name, s.type, s.cron, s.timezone, s.payload, s.catch_up, s.enabled, s.source, s.evaluated_until, s.problem
    from public.job_schedules s order by s.name;
end
$$;
comment on function public.get_job_schedules() is
  'All schedules in the order of their names. Never refuses.';

create function job_queue.schedule_problem(p_schedule public.job_schedules) returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return case
    when btrim(coalesce(p_schedule.name, '')) = '' or octet_length(p_schedule.name) > 500 then 'name: expected 1 to 500 bytes'
    when btrim(coalesce(p_schedule.type, '')) = '' or octet_length(p_schedule.type) > 900 then
      'type: expected a job type of 1 to 900 bytes'
    when p_schedule.cron is null then
      'cron: expected five fields (minute, hour, day, month, day of the week), got nothing'
    when jsonb_typeof(p_schedule.payload) <> 'object' then
      format('payload: expected an object, got %s', jsonb_typeof(p_schedule.payload))
    when octet_length(p_schedule.payload::text) > 1048576 then 'payload: expected at most 1 MB (1048576 bytes)'
    when p_schedule.catch_up not in ('none', 'last', 'all') then
      format('catch_up: expected none, last or all, got %L', left(p_schedule.catch_up, 100))
  end;
end
$$;
comment on function job_queue.schedule_problem(public.job_schedules) is
  'What is wrong with a schedule, by field; null when nothing is, as far as it can be said without its cron expression.';

create function public.set_job_schedule(
  name text, type text default null, cron text default null, timezone text default null, payload jsonb default null,
  catch_up text default null) returns boolean
language plpgsql security definer
set search_path = ''
as $$
declare
  v_known public.job_schedules;
  v_new public.job_schedules;
  v_problem text;
  v_constraint text;
begin
  select * into v_known from public.job_schedules s where s.name = set_job_schedule.name for update;
  if v_known.source = 'definition' and num_nonnulls(type, cron, timezone, payload) > 0 then
    raise exception using errcode = 'PT400', message = format(
      'name: %s comes from the definition of %s, of which only catch_up can be set; pause_job_schedule stops it',
      v_known.name, v_known.type);
  end if;
  v_new := v_known;
  v_new.name := set_job_schedule.name;
  v_new.type := coalesce(set_job_schedule.type, v_known.type);
  v_new.cron := coalesce(set_job_schedule.cron, v_known.cron);
  v_new.timezone := coalesce(set_job_schedule.timezone, v_known.timezone, 'UTC');
  v_new.payload := coalesce(set_job_schedule.payload, v_known.payload, '{}');
  v_new.catch_up := coalesce(set_job_schedule.catch_up, v_known.catch_up, 'last');
  v_problem := job_queue.schedule_problem(v_new);
  if v_problem is not null then
    raise exception using errcode = 'PT400', message = v_problem;
  end if;
  begin
    insert into public.job_schedules as s (name, type, cron, timezone, payload, catch_up)
    values (v_new.name, v_new.type, v_new.cron, v_new.timezone, v_new.payload, v_new.catch_up)
    on conflict on constraint job_schedules_pkey do update
      set type = excluded.type, cron = excluded.cron, timezone = excluded.timezone, payload = excluded.payload,
          catch_up = excluded.catch_up;
  exception when check_violation then
    get stacked diagnostics v_constraint = constraint_name;
    if v_constraint <> 'job_schedules_cron_five_fields' then raise; end if;
    raise exception using errcode = 'PT400', message = format(
      'cron: expected five fields (minute, hour, day, month, day of the week), got %L', left(v_new.cron, 100));
  end;
  return v_known.name is null;
end
$$;
comment on function public.set_job_schedule(text, text, text, text, jsonb, text) is
  'Makes a schedule, or changes what is given of the one that has the name; true when it is new. A new one needs type and cron. Refuses what cannot be a schedule, and of a definition''s schedule all but catch_up (PT400), naming the argument.';

create function public.pause_job_schedule(name text) returns boolean
language plpgsql security definer
set search_path = ''
as $$
begin
  update public.job_schedules s set enabled = false where s.name = pause_job_schedule.name;
  return found;
end
$$;
comment on function public.pause_job_schedule(text) is
  'The schedule starts nothing until resume_job_schedule. False when there is none of the name. Never refuses.';

create function public.resume_job_schedule(name text) returns boolean
language plpgsql security definer
set search_path = ''
as $$
begin
  update public.job_schedules s set enabled = true where s.name = resume_job_schedule.name;
  return found;
end
$$;
comment on function public.resume_job_schedule(text) is
  'The schedule goes on from now; what it would have started while it was paused is not made up for. False when there is none of the name. Never refuses.';

create function public.remove_job_schedule(name text) returns boolean
language plpgsql security definer
set search_path = ''
as $$
begin
  if exists (select from public.job_schedules s where s.name = remove_job_schedule.name and s.source = 'definition') then
    raise exception using errcode = 'PT400', message = format(
      'name: %s comes from a job definition and would come back; pause_job_schedule stops it', remove_job_schedule.name);
  end if;
  delete from public.job_schedules s where s.name = remove_job_schedule.name;
  return found;
end
$$;
comment on function public.remove_job_schedule(text) is
  'Deletes the schedule; its jobs stay. False when there is none of the name. Refuses one of a job definition (PT400).';

create or replace function public.advance_job_schedule(name text, seen timestamptz, until timestamptz, ticks jsonb) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_schedule public.job_schedules;
  v_created integer;
begin
  if until is null or until > clock_timestamp() then
    raise exception using errcode = 'PT400',
      message = format('until: expected a time that is past, got %s', coalesce(until::text, 'nothing'));
  elsif jsonb_typeof(ticks) is distinct from 'array' or ticks @? '$[*] ? (@.due.type() != "string")'
        or jsonb_array_length(ticks) <> (select count(*) from jsonb_path_query(ticks, '$[*].due')) then
    raise exception using errcode = 'PT400', message = 'ticks: expected an array of {due, type?, concurrency_key?, concurrency_limit?}';
  end if;
  -- Who comes second waits here, then sees that the row is not as he saw it.
  select * into v_schedule from public.job_schedules s
  where s.name = advance_job_schedule.name and s.evaluated_until = seen and s.enabled for update;
  if not found then return 0; end if;
  select count(*) filter (where e.created) into v_created
  from public.enqueue_background_jobs((
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'type', coalesce(t.type, v_schedule.type), 'concurrency_key', t.concurrency_key, 'concurrency_limit', t.concurrency_limit,
      'idempotency_key', case v_schedule.source when 'definition' then v_schedule.type else 'schedule:' || v_schedule.name end
        -- As the router names the ticks that Inngest sends.
        || to_char(t.due at time zone 'UTC', '@YYYY-MM-DD"T"HH24:MI"Z"'))) || jsonb_build_object('payload', v_schedule.payload)
      order by t.due), '[]')
    from jsonb_to_recordset(ticks) as t(due timestamptz, type text, concurrency_key text, concurrency_limit integer))) as e;
  update public.job_schedules s set evaluated_until = greatest(s.evaluated_until, until), problem = null
  where s.name = v_schedule.name;
  return v_created;
end
$$;
comment on function public.advance_job_schedule(text, timestamptz, timestamptz, jsonb) is
  'Enqueues the due ticks [{due, type?, concurrency_key?, concurrency_limit?}] of a schedule and moves its evaluated_until on; type is the canonical name of the schedule''s type where that is an alias. Returns how many jobs it made; 0, and does nothing, when evaluated_until is not what the caller has seen: somebody else did it. Refuses a time in the future and other ticks (PT400).';

revoke all on function public.get_job_schedules(), public.set_job_schedule(text, text, text, text, jsonb, text),
  public.pause_job_schedule(text), public.resume_job_schedule(text), public.remove_job_schedule(text)
  from public, anon, authenticated;
grant execute on function public.get_job_schedules(), public.set_job_schedule(text, text, text, text, jsonb, text),
  public.pause_job_schedule(text), public.resume_job_schedule(text), public.remove_job_schedule(text) to service_role;
revoke all on function job_queue.schedule_problem(public.job_schedules) from public, anon, authenticated, service_role;
