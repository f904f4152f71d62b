-- To a path, an array within an array is what it holds: [[]] was none of the objects that were looked for, and none of the
-- others either.
create function job_queue.has_inner_array(p_array jsonb) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  if jsonb_typeof(p_array) is distinct from 'array' then return false; end if;
  return exists (select from jsonb_array_elements(p_array) as e(element) where jsonb_typeof(e.element) = 'array');
end
$$;
comment on function job_queue.has_inner_array(jsonb) is 'Whether an element of the array is an array. False for what is no array.';
revoke all on function job_queue.has_inner_array(jsonb) from public, anon, authenticated, service_role;

create or replace function public.sync_job_schedules(definitions jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  if jsonb_typeof(definitions) is distinct from 'array'
     or job_queue.has_inner_array(definitions)
     or definitions @? '$[*] ? (!(@.type.type() == "string" && @.cron.type() == "array"))' then
    raise exception using errcode = 'PT400', message = 'definitions: expected an array of {type, cron: [expression]}';
  end if;
  insert into public.job_schedules as known (name, type, cron, source)
  select distinct d.type || ' ' || c.cron, d.type, c.cron, 'definition'
  from jsonb_to_recordset(definitions) as d(type text, cron jsonb) cross join jsonb_array_elements_text(d.cron) as c(cron)
  order by 1
  on conflict on constraint job_schedules_pkey do update
    set type = excluded.type, cron = excluded.cron, timezone = 'UTC', payload = '{}'
    where known.source = 'definition'
      and (known.type, known.cron, known.timezone, known.payload) is distinct from (excluded.type, excluded.cron, 'UTC', '{}');
  -- One that was switched off stays, so that it is still off when its definition comes back.
  delete from public.job_schedules s where s.source = 'definition' and s.enabled and not exists (
    select from jsonb_to_recordset(definitions) as d(type text, cron jsonb) cross join jsonb_array_elements_text(d.cron) as c(cron)
    where d.type = s.type and c.cron = s.cron);
end
$$;

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
  elsif jsonb_typeof(ticks) is distinct from 'array' or job_queue.has_inner_array(ticks) or ticks @? '$[*] ? (@.due.type() != "string")'
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
