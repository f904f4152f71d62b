-- onFailure: a failed job whose type has one starts system/job.failed in the transaction in which it fails.

alter table public.job_types add column has_on_failure boolean not null default false;
comment on column public.job_types.has_on_failure is 'The definition has an onFailure: every failure of such a job enqueues system/job.failed.';

create or replace function public.sync_job_types(definitions jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  if jsonb_typeof(definitions) is distinct from 'array' then
    raise exception using errcode = 'PT400', message = 'definitions: expected an array of job definitions';
  end if;
  insert into public.job_types as t (
    type, title, lane, timeout_seconds, max_retries, priority, concurrency_limit, throttle_limit, throttle_seconds, quotas,
    has_on_failure)
  select d.type, coalesce(d.title, d.type), coalesce(d.lane, 'edge'), coalesce(d.timeout_seconds, 120),
         coalesce(d.max_retries, 3), coalesce(d.priority, 0), d.concurrency_limit, d.throttle_limit, d.throttle_seconds,
         coalesce(d.quotas, '{}'), coalesce(d.has_on_failure, false)
  from jsonb_to_recordset(definitions) as d(
    type text, title text, lane text, timeout_seconds integer, max_retries integer, priority integer,
    concurrency_limit integer, throttle_limit integer, throttle_seconds integer, quotas text[], has_on_failure boolean)
  order by d.type
  on conflict on constraint job_types_pkey do update
    set title = excluded.title, lane = excluded.lane, timeout_seconds = excluded.timeout_seconds,
        max_retries = excluded.max_retries, priority = excluded.priority,
        concurrency_limit = excluded.concurrency_limit, throttle_limit = excluded.throttle_limit,
        throttle_seconds = excluded.throttle_seconds, quotas = excluded.quotas,
        has_on_failure = excluded.has_on_failure, synced_at = now();
end
$$;
comment on function public.sync_job_types(jsonb) is
  'Mirrors job definitions [{type, title, lane, timeout_seconds, max_retries, priority, concurrency_limit, throttle_limit, throttle_seconds, quotas, has_on_failure}] into job_types; operators'' overrides and pauses stay. Refuses anything but an array (PT400).';

create function job_queue.start_on_failure(p_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  -- Of at most 10,000 jobs, which is what enqueue takes: no statement fails more of them at once.
  v_jobs jsonb := (
    select jsonb_agg(jsonb_build_object('type', 'system/job.failed', 'payload', jsonb_build_object(
      'jobId', j.id, 'type', j.type, 'error', left(j.error, 10000), 'reason', j.failure_reason,
      'failedAt', job_queue.iso_time(j.failed_at), 'retryCount', j.retry_count)) order by j.id)
    from public.background_jobs j join public.job_types t on t.type = j.type
    -- Its own failure ends there.
    where j.id = any (p_ids) and j.status = 'failed' and t.has_on_failure and j.type <> 'system/job.failed');
begin
  if v_jobs is not null then perform public.enqueue_background_jobs(v_jobs); end if;
end
$$;
comment on function job_queue.start_on_failure(uuid[]) is
  'Enqueues system/job.failed for each of these jobs that failed and whose type has an onFailure.';

create or replace function job_queue.after_end(p_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  if exists (select from public.background_job_dependencies d where d.parent_id = any (p_ids) and not d.settled) then
    perform job_queue.settle_dependents(p_ids);
  end if;
  -- Two small tables first: who uses neither pays for neither.
  if exists (select from public.callback_endpoints) then
    perform job_queue.start_callbacks(p_ids);
  end if;
  if exists (select from public.job_types t where t.has_on_failure) then
    perform job_queue.start_on_failure(p_ids);
  end if;
end
$$;

create function public.get_job_payload(job_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return (select j.payload from public.background_jobs j where j.id = get_job_payload.job_id);
end
$$;
comment on function public.get_job_payload(uuid) is 'The payload of the job; null when there is no such job.';

revoke all on function public.get_job_payload(uuid) from public, anon, authenticated;
grant execute on function public.get_job_payload(uuid) to service_role;
revoke all on function job_queue.start_on_failure(uuid[]) from public, anon, authenticated, service_role;
