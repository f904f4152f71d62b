-- What operators do with single jobs. These edit the row like a person in Studio would: the hand-edit triggers follow.

create function public.retry_failed_job(job_id uuid, force boolean default false) returns boolean
language plpgsql security definer
set search_path = ''
as $$
declare
  v_job public.background_jobs;
begin
  select * into v_job from public.background_jobs j
  where j.id = retry_failed_job.job_id and j.status = 'failed' for no key update;
  if v_job.id is null then return false; end if;
  if v_job.retry_count >= v_job.max_retries and not coalesce(force, false) then
    raise notice 'job % has spent its % retries; retry_failed_job(''%'', force => true) runs it once more',
      v_job.id, v_job.max_retries, v_job.id;
    return false;
  end if;
  update public.background_jobs j
  set status = 'queued', retry_count = j.retry_count + 1, run_at = now(), failed_at = null
  where j.id = v_job.id;
  return true;
end
$$;
comment on function public.retry_failed_job(uuid, boolean) is
  'Queues a failed job again at once and counts a retry; its error stays readable. False when it is not failed, or when its retries are spent and force is not true.';

create function public.cancel_background_job(job_id uuid, reason text default null) returns boolean
language plpgsql security definer
set search_path = ''
as $$
declare
  v_status text;
begin
  select j.status into v_status from public.background_jobs j where j.id = cancel_background_job.job_id for no key update;
  if v_status = 'queued' then
    update public.background_jobs j
    set status = 'cancelled', cancel_requested_at = now(), cancel_reason = cancel_background_job.reason
    where j.id = cancel_background_job.job_id;
  elsif v_status = 'processing' then
    update public.background_jobs j
    set cancel_requested_at = coalesce(j.cancel_requested_at, now()),
        cancel_reason = coalesce(j.cancel_reason, cancel_background_job.reason)
    where j.id = cancel_background_job.job_id;
  else
    return false;
  end if;
  return true;
end
$$;
comment on function public.cancel_background_job(uuid, text) is
  'Cancels a queued job at once; asks a running one to stop, which it hears at its next heartbeat. False when the job has ended or does not exist.';

create function public.get_background_job(job_id uuid)
returns table (
  id uuid, type text, status text, lane text, result jsonb, error text, retry_count integer, max_retries integer,
  duration_ms bigint, run_at timestamptz, progress integer, progress_message text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select j.id, j.type, j.status, j.lane, j.result, j.error, j.retry_count, j.max_retries, j.duration_ms, j.run_at,
           j.progress, j.progress_message
    from public.background_jobs j where j.id = get_background_job.job_id;
end
$$;
comment on function public.get_background_job(uuid) is 'The job''s state; no row when there is no such job.';
