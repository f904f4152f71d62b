-- Cancelling by what a sender knows of a job: its Inngest event or run, or its id.

create function job_queue.jobs_of_event(p_event_id text) returns uuid[]
language plpgsql stable
set search_path = ''
as $$
begin
  -- By the unique key that the router makes of type and event id: an index on inngest_event_id would cost every insert.
  return array(
    select j.id from public.background_jobs j
    where j.idempotency_key = any (array(select t.type || ':' || p_event_id from public.job_types t)));
end
$$;
comment on function job_queue.jobs_of_event(text) is 'The jobs of known types that the event asked for. Never refuses.';

create function job_queue.unfinished_jobs_of_run(p_run_id text) returns uuid[]
language plpgsql stable
set search_path = ''
as $$
begin
  return array(
    select j.id from public.background_jobs j
    where j.inngest_run_id = p_run_id and j.status in ('queued', 'processing') and j.id in (
      select r.id from public.background_job_ready r
      union all
      select unnest(l.job_ids) from public.background_job_leases l));
end
$$;
comment on function job_queue.unfinished_jobs_of_run(text) is
  'The waiting and running jobs that the Inngest run brought; reads the narrow tables, not every job there ever was. Never refuses.';

create function public.cancel_background_jobs_of(
  event_id text default null, run_id text default null, job_id uuid default null, reason text default null)
returns table (id uuid, type text, status text)
language plpgsql security definer
set search_path = ''
as $$
declare
  v_ids uuid[];
  v_id uuid;
begin
  if coalesce(event_id, run_id, job_id::text) is null then
    raise exception using errcode = 'PT400',
      message = 'event_id, run_id, job_id: expected at least one of them, got none';
  end if;
  v_ids := array(select j.id from public.background_jobs j where j.id = cancel_background_jobs_of.job_id)
    || job_queue.jobs_of_event(event_id);
  if cardinality(v_ids) = 0 then v_ids := job_queue.unfinished_jobs_of_run(run_id); end if;
  -- One order for all callers: two calls for the same jobs wait for each other instead of deadlocking.
  for v_id in select distinct u.id from unnest(v_ids) as u(id) order by u.id loop
    if public.cancel_background_job(v_id, reason) then
      return query select j.id, j.type, j.status from public.background_jobs j where j.id = v_id;
    end if;
  end loop;
end
$$;
comment on function public.cancel_background_jobs_of(text, text, uuid, text) is
  'Cancels the unfinished jobs that belong to the event or have the id; only where there is no such job, those of the Inngest run. One row per job with its status then: cancelled, or processing until its next heartbeat. Refuses (PT400) a call that names none of the three.';

revoke all on function public.cancel_background_jobs_of(text, text, uuid, text) from public, anon, authenticated;
grant execute on function public.cancel_background_jobs_of(text, text, uuid, text) to service_role;
revoke all on function job_queue.jobs_of_event(text), job_queue.unfinished_jobs_of_run(text)
  from public, anon, authenticated, service_role;
