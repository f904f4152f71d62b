-- Recurring schedules as data. The worker computes with a cron library which ticks are due; what is decided here is that
-- each becomes at most one row, however many processes look.

create table public.job_schedules (
  name text not null,
  type text not null,
  cron text not null,
  timezone text not null default 'UTC',
  payload jsonb not null default '{}',
  catch_up text not null default 'last',
  enabled boolean not null default true,
  source text not null default 'operator',
  evaluated_until timestamptz not null default clock_timestamp(),
  problem text,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  constraint job_schedules_pkey primary key (name),
  constraint job_schedules_name_length check (btrim(name) <> '' and octet_length(name) <= 500),
  constraint job_schedules_type_length check (btrim(type) <> '' and octet_length(type) <= 900),
  -- What every scheduler reads in the same way; whether such a time ever comes, the cron library says.
  constraint job_schedules_cron_five_fields check (cron ~* (
    '^((\*|(\d{1,2}|[a-z]{3})(-(\d{1,2}|[a-z]{3}))?)(/\d{1,2})?(,(\*|(\d{1,2}|[a-z]{3})(-(\d{1,2}|[a-z]{3}))?)(/\d{1,2})?)*( |$)){5}$')
    and cron !~ ' $'),
  constraint job_schedules_payload_size check (octet_length(payload::text) <= 1048576),
  constraint job_schedules_payload_object check (jsonb_typeof(payload) = 'object'),
  constraint job_schedules_catch_up_known check (catch_up in ('none', 'last', 'all')),
  constraint job_schedules_source_known check (source in ('definition', 'operator'))
);
comment on table public.job_schedules is
  'Jobs that come again and again. Operators insert, change, switch off and delete rows: insert into job_schedules (name, type, cron, timezone, payload) values (…). Those of source definition mirror the cron times of the job definitions.';
comment on column public.job_schedules.cron is 'Minute, hour, day of the month, month, day of the week; on the clock of timezone.';
comment on column public.job_schedules.catch_up is
  'What becomes of ticks that were missed while no worker ran. none: nothing; last: the newest is made up for; all: every one, within a bound.';
comment on column public.job_schedules.evaluated_until is
  'Ticks up to here are dealt with. A time in the future silences the schedule until then.';
comment on column public.job_schedules.problem is 'Why the worker cannot evaluate the schedule; null: it can.';

alter table public.job_schedules enable row level security;
revoke all on public.job_schedules from public, anon, authenticated, service_role;
grant select, insert, update, delete on public.job_schedules to service_role;

create function job_queue.check_job_schedule() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  v_edited boolean := tg_op = 'INSERT' or (
    new.name, new.type, new.cron, new.timezone, new.payload, new.catch_up, new.enabled) is distinct from (
    old.name, old.type, old.cron, old.timezone, old.payload, old.catch_up, old.enabled);
begin
  if not v_edited then return new; end if;
  begin
    perform clock_timestamp() at time zone new.timezone;
  exception when invalid_parameter_value then
    raise exception using errcode = 'PT400',
      message = format('timezone: expected a name such as UTC or Europe/Berlin, got %L', new.timezone);
  end;
  new.problem := null;
  new.updated_at := clock_timestamp();
  -- What another time of day would have brought was not missed, nor what was switched off.
  if tg_op = 'UPDATE' and new.evaluated_until = old.evaluated_until
     and ((new.type, new.cron, new.timezone) is distinct from (old.type, old.cron, old.timezone) or new.enabled and not old.enabled) then
    new.evaluated_until := clock_timestamp();
  end if;
  return new;
end
$$;
comment on function job_queue.check_job_schedule() is
  'Refuses a timezone that Postgres does not know (PT400). After an edit the schedule counts from now on where its times changed.';
create trigger check_job_schedule before insert or update on public.job_schedules
  for each row execute function job_queue.check_job_schedule();

create function public.sync_job_schedules(definitions jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  if jsonb_typeof(definitions) is distinct from 'array'
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
comment on function public.sync_job_schedules(jsonb) is
  'Mirrors the cron times of job definitions [{type, cron: [expression]}] into job_schedules, one row for each, named "type expression". What operators set (enabled, catch_up) stays; rows without a definition go, unless they are switched off. Refuses anything else (PT400).';

create function public.list_job_schedules(with_definitions boolean)
returns table (
  name text, type text, cron text, timezone text, payload jsonb, catch_up text, source text, evaluated_until timestamptz,
  problem text, checked_at timestamptz)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select s.name, s.type, s.cron, s.timezone, s.payload, s.catch_up, s.source, s.evaluated_until, s.problem, t.now
    from public.job_schedules s cross join (select clock_timestamp() as now) t
    where s.enabled and s.evaluated_until < t.now and (s.source = 'operator' or with_definitions)
    order by s.name;
end
$$;
comment on function public.list_job_schedules(boolean) is
  'The schedules that may have a due tick, those of definitions only where asked for, and the time of the question. Never refuses.';

create function public.advance_job_schedule(name text, seen timestamptz, until timestamptz, ticks jsonb) returns integer
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
    raise exception using errcode = 'PT400', message = 'ticks: expected an array of {due, concurrency_key?, concurrency_limit?}';
  end if;
  -- Who comes second waits here, then sees that the row is not as he saw it.
  select * into v_schedule from public.job_schedules s
  where s.name = advance_job_schedule.name and s.evaluated_until = seen and s.enabled for update;
  if not found then return 0; end if;
  select count(*) filter (where e.created) into v_created
  from public.enqueue_background_jobs((
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'type', v_schedule.type, 'concurrency_key', t.concurrency_key, 'concurrency_limit', t.concurrency_limit,
      'idempotency_key', case v_schedule.source when 'definition' then v_schedule.type else 'schedule:' || v_schedule.name end
        -- As the router names the ticks that Inngest sends.
        || to_char(t.due at time zone 'UTC', '@YYYY-MM-DD"T"HH24:MI"Z"'))) || jsonb_build_object('payload', v_schedule.payload)
      order by t.due), '[]')
    from jsonb_to_recordset(ticks) as t(due timestamptz, concurrency_key text, concurrency_limit integer))) as e;
  update public.job_schedules s set evaluated_until = greatest(s.evaluated_until, until), problem = null
  where s.name = v_schedule.name;
  return v_created;
end
$$;
comment on function public.advance_job_schedule(text, timestamptz, timestamptz, jsonb) is
  'Enqueues the due ticks [{due, concurrency_key?, concurrency_limit?}] of a schedule and moves its evaluated_until on. Returns how many jobs it made; 0, and does nothing, when evaluated_until is not what the caller has seen: somebody else did it. Refuses a time in the future and other ticks (PT400).';

create function public.report_job_schedule_problem(name text, problem text) returns boolean
language plpgsql security definer
set search_path = ''
as $$
begin
  update public.job_schedules s set problem = report_job_schedule_problem.problem
  where s.name = report_job_schedule_problem.name and s.problem is distinct from report_job_schedule_problem.problem;
  return found;
end
$$;
comment on function public.report_job_schedule_problem(text, text) is
  'Notes why a schedule cannot be evaluated; null: it can again. True when that was not known yet. Never refuses.';

revoke all on function public.sync_job_schedules(jsonb), public.list_job_schedules(boolean),
  public.advance_job_schedule(text, timestamptz, timestamptz, jsonb), public.report_job_schedule_problem(text, text)
  from public, anon, authenticated;
grant execute on function public.sync_job_schedules(jsonb), public.list_job_schedules(boolean),
  public.advance_job_schedule(text, timestamptz, timestamptz, jsonb), public.report_job_schedule_problem(text, text)
  to service_role;
revoke all on function job_queue.check_job_schedule() from public, anon, authenticated, service_role;
