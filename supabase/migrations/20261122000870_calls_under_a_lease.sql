-- What a job asks of the database, it asks under its lease: a process that lost the job, and does not know it yet, changes
-- nothing any more, neither on the job's row nor in any other table.

-- Runs with the caller's rights: through it nobody reaches a function that they may not call themselves.
create function public.call_under_lease(job_id uuid, lease_token uuid, name text, args jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_function pg_catalog.pg_proc;
  v_list text;
  v_statement text;
  v_answer jsonb;
  v_lost boolean := false;
begin
  select * into v_function from pg_catalog.pg_proc p
  where p.pronamespace = 'public'::regnamespace and p.proname = call_under_lease.name and p.prokind = 'f';
  if not found then
    raise exception using errcode = 'PT400',
      message = format('name: expected a function of schema public, got %L', call_under_lease.name);
  end if;
  if jsonb_typeof(args) is distinct from 'object' then
    raise exception using errcode = 'PT400', message = 'args: expected an object of arguments by name';
  end if;
  perform from public.background_jobs j
  where j.id = call_under_lease.job_id and j.status = 'processing' and j.lease_token = call_under_lease.lease_token;
  if not found then return jsonb_build_object('held', false); end if;
  select string_agg(format(
    case a.type when 'jsonb'::regtype then '%I => nullif($1 -> %L, ''null'')' else '%I => ($1 ->> %L)::%s' end,
    k.name, k.name, coalesce(a.type, 'text'::regtype)), ', ')
  into v_list
  from jsonb_object_keys(args) as k(name)
  left join unnest(v_function.proargnames[1:v_function.pronargs], v_function.proargtypes::oid[]::regtype[]) as a(name, type)
    on a.name = k.name;
  v_statement := format('public.%I(%s)', v_function.proname, v_list);
  v_statement := case
    when v_function.prorettype = 'void'::regtype then format('select null::jsonb from (select %s) as done', v_statement)
    when v_function.proretset then format('select coalesce(jsonb_agg(answer), ''[]'') from %s as answer', v_statement)
    else format('select to_jsonb(%s)', v_statement) end;
  begin
    execute v_statement into v_answer using args;
    -- From here until the commit nobody takes the job away: a rescue passes the row by, a hand edit waits. Not sooner, because
    -- heartbeats would wait, too, and a call may take longer than a lease.
    perform from public.background_jobs j
    where j.id = call_under_lease.job_id and j.status = 'processing' and j.lease_token = call_under_lease.lease_token
    for share;
    if not found then
      v_lost := true;
      raise exception 'lost';
    end if;
  exception when raise_exception then
    if not v_lost then raise; end if;
    return jsonb_build_object('held', false);
  end;
  return jsonb_build_object('held', true, 'answer', v_answer);
end
$$;
comment on function public.call_under_lease(uuid, uuid, text, jsonb) is
  'Calls a function of schema public, as the caller, while the lease holds the job: {held: true, answer}. {held: false} when the lease is lost, then or meanwhile: nothing was changed. Refuses an unknown function or args that are no object (PT400), and what the function refuses.';
revoke all on function public.call_under_lease(uuid, uuid, text, jsonb) from public, anon, authenticated;
grant execute on function public.call_under_lease(uuid, uuid, text, jsonb) to service_role;
