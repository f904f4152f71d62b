-- An event may start functions of other apps, too, whose runs end on their own terms: a run that is named together with
-- its event cancels the event's job only if it is the run that brought the job.

create or replace function public.cancel_background_jobs_of(
  event_id text default null, run_id text default null, job_id uuid default null, reason text default null)
returns table (id uuid, type text, status text)
language plpgsql security definer
set search_path = ''
as $$
declare
  v_of_event uuid[] := job_queue.jobs_of_event(event_id);
  v_ids uuid[];
  v_id uuid;
begin
  if coalesce(event_id, run_id, job_id::text) is null then
    raise exception using errcode = 'PT400',
      message = 'event_id, run_id, job_id: expected at least one of them, got none';
  end if;
  v_ids := array(
    select j.id from public.background_jobs j
    where j.id = cancel_background_jobs_of.job_id
      or (j.id = any (v_of_event) and (run_id is null or j.inngest_run_id = run_id)));
  if cardinality(v_ids) = 0 and cardinality(v_of_event) = 0 then v_ids := job_queue.unfinished_jobs_of_run(run_id); end if;
  -- One order for all callers: two calls for the same jobs wait for each other instead of deadlocking.
  for v_id in select distinct u.id from unnest(v_ids) as u(id) order by u.id loop
    if public.cancel_background_job(v_id, reason) then
      return query select j.id, j.type, j.status from public.background_jobs j where j.id = v_id;
    end if;
  end loop;
end
$$;
comment on function public.cancel_background_jobs_of(text, text, uuid, text) is
  'Cancels the unfinished jobs that belong to the event (with run_id: that this run brought) or have the id; only where there is no such job, those of the run. One row per job with its status then: cancelled, or processing until its next heartbeat. Refuses (PT400) a call that names none of the three.';
