-- What becomes of a job when Inngest gives up delivering it: every event leaves a row, and no row waits for a run that
-- will never come again.

create function job_queue.bury_undelivered(p_id uuid, p_error jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_job public.background_jobs;
begin
  select * into v_job from public.background_jobs j where j.id = p_id;
  perform job_queue.remove_ready(v_job.lane, v_job.run_at - v_job.priority * interval '1 minute', v_job.id);
  update public.background_jobs j
  set revision = j.revision + 1, status = 'failed', failed_at = clock_timestamp(),
      failure_reason = case p_error ->> 'name' when 'NonRetriableError' then 'non_retryable' else 'retries_spent' end,
      error = coalesce(p_error ->> 'message', p_error ::text)
  where j.id = p_id;
end
$$;
comment on function job_queue.bury_undelivered(uuid, jsonb) is
  'Turns a job that was queued in this same transaction into a failed one: nobody ever saw it waiting.';

create function job_queue.take_over_inline(p_job public.background_jobs, p_run_id text, p_error jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_job.lane <> 'inline' then
    return;
  elsif p_job.status = 'queued' then
    perform job_queue.remove_ready('inline', p_job.run_at - p_job.priority * interval '1 minute', p_job.id);
    update public.background_jobs j set revision = j.revision + 1, lane = 'edge' where j.id = p_job.id returning * into p_job;
    perform job_queue.add_ready(p_job);
  elsif p_job.status = 'processing' and exists (
      -- The run's own attempt, which died. Another endpoint's run of the same event goes on.
      select from public.background_job_leases l
      where l.token = p_job.lease_token and l.worker = 'inngest:' || p_run_id) then
    perform job_queue.retry_or_bury(
      p_job, 'rescued',
      jsonb_build_object('name', 'DeliveryFailed', 'message', 'Inngest gave up: ' || coalesce(p_error ->> 'message', 'no reason given')),
      true, null, 'edge');
  end if;
end
$$;
comment on function job_queue.take_over_inline(public.background_jobs, text, jsonb) is
  'Hands an unfinished inline job of the run to the edge lane, where its own retries decide. Other jobs stay as they are.';

create function public.record_failed_delivery(job jsonb, error jsonb)
returns table (id uuid, status text, lane text)
language plpgsql security definer
set search_path = ''
as $$
declare
  v_key text := job ->> 'idempotency_key';
  v_job public.background_jobs;
  v_id uuid;
  v_created boolean;
begin
  perform job_queue.require_valid_jobs(jsonb_build_array(job));
  if v_key is null then
    raise exception using errcode = 'PT400', message = 'job.idempotency_key: expected the key of the event''s job, got nothing';
  end if;
  if not exists (select from public.background_jobs j where j.idempotency_key = v_key) then
    -- Without the run: beside another endpoint's record of the same event it would look like a replay of that.
    select e.id, e.created into v_id, v_created
    from public.enqueue_background_jobs(jsonb_build_array(job - 'inngest_run_id')) as e;
  end if;
  if v_created then
    update public.background_jobs j
    set revision = j.revision + 1, inngest_run_id = job ->> 'inngest_run_id' where j.id = v_id;
    perform job_queue.bury_undelivered(v_id, error);
  else
    select * into v_job from public.background_jobs j where j.idempotency_key = v_key for no key update;
    perform job_queue.take_over_inline(v_job, job ->> 'inngest_run_id', error);
  end if;
  return query select j.id, j.status, j.lane from public.background_jobs j where j.idempotency_key = v_key;
end
$$;
comment on function public.record_failed_delivery(jsonb, jsonb) is
  'Called when Inngest gives up a run. Without a row for the job it records a failed one with the error; an unfinished inline row of this run goes to the edge lane; any other row stays as it is. Returns the row as it is then. Refuses what enqueue_background_jobs refuses, and a job without idempotency_key (PT400).';

revoke all on function public.record_failed_delivery(jsonb, jsonb) from public, anon, authenticated;
grant execute on function public.record_failed_delivery(jsonb, jsonb) to service_role;
revoke all on function job_queue.bury_undelivered(uuid, jsonb),
  job_queue.take_over_inline(public.background_jobs, text, jsonb)
  from public, anon, authenticated, service_role;
