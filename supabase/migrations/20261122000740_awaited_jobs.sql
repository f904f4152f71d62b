-- awaitCompletion: the end of a job whose type awaits it starts system/job.finished in the transaction that ends it.

alter table public.job_types add column awaits_completion boolean not null default false;
comment on column public.job_types.awaits_completion is 'Inngest runs wait for the end of such a job: it enqueues system/job.finished.';

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
    has_on_failure, awaits_completion)
  select d.type, coalesce(d.title, d.type), coalesce(d.lane, 'edge'), coalesce(d.timeout_seconds, 120),
         coalesce(d.max_retries, 3), coalesce(d.priority, 0), d.concurrency_limit, d.throttle_limit, d.throttle_seconds,
         coalesce(d.quotas, '{}'), coalesce(d.has_on_failure, false), coalesce(d.awaits_completion, false)
  from jsonb_to_recordset(definitions) as d(
    type text, title text, lane text, timeout_seconds integer, max_retries integer, priority integer,
    concurrency_limit integer, throttle_limit integer, throttle_seconds integer, quotas text[], has_on_failure boolean,
    awaits_completion boolean)
  order by d.type
  on conflict on constraint job_types_pkey do update
    set title = excluded.title, lane = excluded.lane, timeout_seconds = excluded.timeout_seconds,
        max_retries = excluded.max_retries, priority = excluded.priority,
        concurrency_limit = excluded.concurrency_limit, throttle_limit = excluded.throttle_limit,
        throttle_seconds = excluded.throttle_seconds, quotas = excluded.quotas,
        has_on_failure = excluded.has_on_failure, awaits_completion = excluded.awaits_completion, synced_at = now();
end
$$;
comment on function public.sync_job_types(jsonb) is
  'Mirrors job definitions [{type, title, lane, timeout_seconds, max_retries, priority, concurrency_limit, throttle_limit, throttle_seconds, quotas, has_on_failure, awaits_completion}] into job_types; operators'' overrides and pauses stay. Refuses anything but an array (PT400).';

create function job_queue.start_job_finished(p_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  -- Of at most 10,000 jobs, which is what enqueue takes: no statement ends more of them at once.
  v_jobs jsonb := (
    select jsonb_agg(jsonb_build_object('type', 'system/job.finished', 'payload', jsonb_build_object(
      'jobId', j.id, 'type', j.type, 'status', j.status)) order by j.id)
    from public.background_jobs j join public.job_types t on t.type = j.type
    -- Its own end announces nothing.
    where j.id = any (p_ids) and j.status in ('completed', 'failed', 'cancelled') and t.awaits_completion
      and j.type <> 'system/job.finished');
begin
  if v_jobs is not null then perform public.enqueue_background_jobs(v_jobs); end if;
end
$$;
comment on function job_queue.start_job_finished(uuid[]) is
  'Enqueues system/job.finished for each of these ended jobs whose type awaits its completion.';

create or replace function job_queue.after_end(p_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  if exists (select from public.background_job_dependencies d where d.parent_id = any (p_ids) and not d.settled) then
    perform job_queue.settle_dependents(p_ids);
  end if;
  -- Two small tables first: who uses none of these pays for none.
  if exists (select from public.callback_endpoints) then
    perform job_queue.start_callbacks(p_ids);
  end if;
  if exists (select from public.job_types t where t.has_on_failure) then
    perform job_queue.start_on_failure(p_ids);
  end if;
  if exists (select from public.job_types t where t.awaits_completion) then
    perform job_queue.start_job_finished(p_ids);
  end if;
end
$$;

revoke all on function job_queue.start_job_finished(uuid[]) from public, anon, authenticated, service_role;
