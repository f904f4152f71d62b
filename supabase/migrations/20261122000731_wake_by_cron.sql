-- The sweep and the wake on Supabase, by pg_cron and pg_net, with a secret from Vault. Databases without these extensions
-- get the functions, too: they name the extensions only in dynamic SQL, and say which one is missing when they are called.
--
-- They run with the rights of who calls them, the owner in Studio or pg_cron in his name: whoever may call
-- wake_process_job can have the secret sent wherever he likes.

create function job_queue.wake_problem(p_secret_name text, out problem text, out hint text)
language plpgsql stable
set search_path = ''
as $$
declare
  v_exists boolean := false;
begin
  if to_regprocedure('net.http_post(text,jsonb,jsonb,jsonb,integer)') is null then
    problem := 'the extension pg_net is missing';
    hint := 'create extension pg_net;';
  elsif to_regclass('vault.decrypted_secrets') is null then
    problem := 'the extension supabase_vault is missing';
    hint := 'create extension supabase_vault;';
  else
    execute 'select exists (select from vault.decrypted_secrets s where s.name = $1 and s.decrypted_secret <> '''')'
      into v_exists using p_secret_name;
    if v_exists then return; end if;
    problem := format('Vault has no secret named %s', coalesce(p_secret_name, 'null'));
    hint := format('select vault.create_secret(''<PROCESS_JOB_SECRET>'', %L);', coalesce(p_secret_name, 'process_job_secret'));
  end if;
end
$$;
comment on function job_queue.wake_problem(text) is
  'Why process-job cannot be called from the database, and the statement that mends it; nulls when it can.';

create function job_queue.call_process_job(p_url text, p_secret_name text, p_calls integer) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_secret text;
begin
  execute 'select s.decrypted_secret from vault.decrypted_secrets s where s.name = $1' into v_secret using p_secret_name;
  execute 'select net.http_post(url := $1, body := $2, headers := $3, timeout_milliseconds := 5000)
           from generate_series(1, $4)'
    using p_url, '{}'::jsonb,
      jsonb_build_object('content-type', 'application/json', 'authorization', 'Bearer ' || v_secret), p_calls;
end
$$;
comment on function job_queue.call_process_job(text, text, integer) is
  'Has pg_net call process-job so many times, with the secret from Vault, once the transaction is committed.';

create function public.wake_process_job(process_job_url text, secret_name text default 'process_job_secret') returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_problem text;
  v_wakes integer := 0;
begin
  perform public.sweep_background_jobs();
  -- What goes wrong from here on is noted, not raised: that would undo the sweep, whose jobs others can run.
  begin
    v_problem := (select p.problem from job_queue.wake_problem(secret_name) as p);
    if v_problem is null then
      v_wakes := public.take_wakes();
      if v_wakes > 0 then perform job_queue.call_process_job(process_job_url, secret_name, v_wakes); end if;
    end if;
  exception when others then
    v_wakes := 0;
    v_problem := sqlerrm;
  end;
  update public.background_job_wakes w set problem = v_problem
  where w.lane = 'edge' and w.problem is distinct from v_problem;
  if v_problem is not null then raise warning 'process-job was not woken: %', v_problem; end if;
  return v_wakes;
end
$$;
comment on function public.wake_process_job(text, text) is
  'Sweeps, and has pg_net call process-job once for every isolate that is missing, with the secret from Vault; returns how many calls. What prevents calls is written to background_job_wakes.problem. For the owner and pg_cron only.';

create function public.schedule_wake(
  process_job_url text, secret_name text default 'process_job_secret', every_seconds integer default 3) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_problem record;
  v_job bigint;
begin
  if process_job_url is null or process_job_url !~ '^https?://[^[:space:]]+$' then
    raise exception using errcode = 'PT400',
      message = format('process_job_url: expected an http(s) URL, got %s', coalesce(quote_literal(process_job_url), 'nothing'));
  elsif every_seconds is null or every_seconds not between 1 and 59 then
    raise exception using errcode = 'PT400',
      message = format('every_seconds: expected 1 to 59, got %s', coalesce(every_seconds::text, 'nothing'));
  elsif to_regclass('cron.job') is null then
    raise exception using errcode = 'PT400',
      message = 'the extension pg_cron is missing', hint = 'create extension pg_cron;';
  end if;
  select * into v_problem from job_queue.wake_problem(secret_name);
  if v_problem.problem is not null then
    raise exception using errcode = 'PT400', message = v_problem.problem, hint = v_problem.hint;
  end if;
  execute 'select cron.schedule($1, $2, $3)' into v_job
    using 'wake process-job',
      format('%s seconds', every_seconds),
      format('select public.wake_process_job(%L, %L)', process_job_url, secret_name);
  return v_job;
end
$$;
comment on function public.schedule_wake(text, text, integer) is
  'Has pg_cron call wake_process_job every so many seconds, in place of an earlier schedule; returns pg_cron''s job id. Refuses (PT400) a malformed URL, seconds outside 1 to 59, and a missing extension or secret, with the statement that mends it as hint.';

create function public.unschedule_wake() returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_removed boolean;
begin
  if to_regclass('cron.job') is null then return false; end if;
  execute 'select coalesce(bool_or(cron.unschedule(j.jobid)), false) from cron.job j
           where j.jobname = ''wake process-job'' and j.username = current_user' into v_removed;
  return v_removed;
end
$$;
comment on function public.unschedule_wake() is
  'Ends what schedule_wake began. True when there was something to end. Never refuses.';

revoke all on function job_queue.wake_problem(text), job_queue.call_process_job(text, text, integer)
  from public, anon, authenticated, service_role;
revoke all on function public.wake_process_job(text, text), public.schedule_wake(text, text, integer),
  public.unschedule_wake() from public, anon, authenticated, service_role;
