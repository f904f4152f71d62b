-- An array of JSON is not what Postgres reads as an array: until now no function that a job calls took one.
create or replace function public.call_under_lease(job_id uuid, lease_token uuid, name text, args jsonb) returns jsonb
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
    case
      when a.type = 'jsonb'::regtype then '%1$I => nullif($1 -> %1$L, ''null'')'
      when a.type::text like '%[]' then
        '%1$I => case when jsonb_typeof($1 -> %1$L) = ''array'' then array(select jsonb_array_elements_text($1 -> %1$L))::%2$s
           else ($1 ->> %1$L)::%2$s end'
      else '%1$I => ($1 ->> %1$L)::%2$s' end,
    k.name, coalesce(a.type, 'text'::regtype)), ', ')
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
