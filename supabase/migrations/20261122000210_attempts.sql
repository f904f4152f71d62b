-- How an attempt ends without completing its job: one place that writes the attempt, releases the lease and moves the row.

create function job_queue.backoff(p_retry_count integer) returns interval
language plpgsql volatile
set search_path = ''
as $$
declare
  -- Exponential from 2 s, cap 10 min; half of it fixed, half random, so that failures of one cause spread out.
  v_seconds double precision := least(600, 2 * 2 ^ least(p_retry_count, 20));
begin
  return make_interval(secs => v_seconds / 2 + random() * v_seconds / 2);
end
$$;
comment on function job_queue.backoff(integer) is 'Wait before the retry that follows p_retry_count spent ones. Never refuses.';

create function job_queue.held_job(p_job_id uuid, p_lease_token uuid) returns public.background_jobs
language plpgsql
set search_path = ''
as $$
declare
  v_job public.background_jobs;
begin
  select * into v_job from public.background_jobs j
  where j.id = p_job_id and j.status = 'processing' and j.lease_token = p_lease_token
  for no key update;
  return v_job;
end
$$;
comment on function job_queue.held_job(uuid, uuid) is
  'The job''s row, locked, when the lease token still holds it; else a row of nulls. This is the fence.';

create function job_queue.release_lease(p_token uuid, p_jobs integer) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_remaining integer;
begin
  update public.background_job_leases l set remaining = l.remaining - p_jobs
  where l.token = p_token returning l.remaining into v_remaining;
  if v_remaining <= 0 then
    delete from public.background_job_leases l where l.token = p_token;
  end if;
end
$$;
comment on function job_queue.release_lease(uuid, integer) is
  'Counts ended jobs off a lease and removes it with its last one. Never refuses.';

create function job_queue.end_attempt(
  p_job public.background_jobs, p_outcome text, p_error jsonb, p_status text, p_run_at timestamptz,
  p_lane text, p_retries_spent integer, p_failure_reason text) returns text
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_slice bigint := job_queue.slice_ms(p_job.started_at, v_now);
  v_keeps_error boolean := p_outcome in ('snoozed', 'handed_off');
begin
  insert into public.background_job_attempts (job_id, number, lane, worker, started_at, ended_at, outcome, error)
  select p_job.id, coalesce(max(a.number), 0) + 1, p_job.lane,
         (select l.worker from public.background_job_leases l where l.token = p_job.lease_token),
         coalesce(p_job.started_at, p_job.created_at), v_now, p_outcome, p_error
  from public.background_job_attempts a where a.job_id = p_job.id;
  perform job_queue.release_lease(p_job.lease_token, 1);
  if p_job.concurrency_key is not null then
    delete from public.background_job_slots s where s.job_id = p_job.id;
  end if;
  update public.background_jobs j
  set revision = j.revision + 1, status = p_status, lane = p_lane, run_at = p_run_at, lease_token = null, lease_until = null,
      retry_count = j.retry_count + p_retries_spent, duration_ms = v_slice, active_ms = j.active_ms + v_slice,
      error = case when v_keeps_error and p_status = 'queued' then j.error
                   else coalesce(p_error ->> 'message', p_error ::text, j.error) end,
      failed_at = case when p_status = 'failed' then v_now end, failure_reason = p_failure_reason,
      expires_at = case when p_outcome = 'handed_off' then greatest(j.expires_at, v_now + interval '24 hours')
                        else j.expires_at end
  where j.id = p_job.id returning * into p_job;
  if p_status = 'queued' then perform job_queue.add_ready(p_job); end if;
  return p_status;
end
$$;
comment on function job_queue.end_attempt(public.background_jobs, text, jsonb, text, timestamptz, text, integer, text) is
  'Records a held job''s attempt, releases its lease and slot, and gives the row its next status, which it returns.';

create function job_queue.retry_or_bury(
  p_job public.background_jobs, p_outcome text, p_error jsonb, p_retryable boolean, p_wait interval, p_lane text)
returns text
language plpgsql
set search_path = ''
as $$
declare
  v_run_at timestamptz := clock_timestamp() + coalesce(p_wait, job_queue.backoff(p_job.retry_count));
  v_reason text := case
    when not p_retryable then 'non_retryable'
    when p_job.retry_count >= p_job.max_retries then case p_outcome when 'rescued' then 'crashed' else 'retries_spent' end
    when v_run_at > p_job.expires_at then 'expired'
  end;
begin
  if p_job.cancel_requested_at is not null then
    return job_queue.end_attempt(p_job, 'cancelled', p_error, 'cancelled', p_job.run_at, p_job.lane, 0, null);
  elsif v_reason is not null then
    return job_queue.end_attempt(p_job, p_outcome, p_error, 'failed', p_job.run_at, p_job.lane, 0, v_reason);
  end if;
  return job_queue.end_attempt(p_job, p_outcome, p_error, 'queued', v_run_at, p_lane, 1, null);
end
$$;
comment on function job_queue.retry_or_bury(public.background_jobs, text, jsonb, boolean, interval, text) is
  'Ends a held job''s attempt: cancelled when that was asked for, else a retry after the wait (default: backoff), else the dead letter. Returns the new status.';

create function public.fail_background_job(
  job_id uuid, lease_token uuid, error jsonb, retryable boolean, retry_after_seconds integer default null) returns text
language plpgsql security definer
set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_job public.background_jobs := job_queue.held_job(fail_background_job.job_id, fail_background_job.lease_token);
begin
  if v_job.id is null then return null; end if;
  return job_queue.retry_or_bury(
    v_job,
    case fail_background_job.error ->> 'name' when 'TimeoutError' then 'timed_out' else 'failed' end,
    fail_background_job.error, coalesce(fail_background_job.retryable, true),
    case when fail_background_job.retry_after_seconds >= 0
         then make_interval(secs => fail_background_job.retry_after_seconds) end, v_job.lane);
end
$$;
comment on function public.fail_background_job(uuid, uuid, jsonb, boolean, integer) is
  'Ends a running attempt with an error {message, name, stack}: queued again (after retry_after_seconds, else backoff), failed, or cancelled when that was requested. Returns the new status; null when the lease is lost.';

create function public.snooze_background_job(job_id uuid, lease_token uuid, until timestamptz, reason text) returns text
language plpgsql security definer
set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_job public.background_jobs := job_queue.held_job(snooze_background_job.job_id, snooze_background_job.lease_token);
  v_error jsonb := jsonb_build_object('name', 'SnoozeError', 'message', coalesce(snooze_background_job.reason, 'snoozed'));
begin
  if snooze_background_job.until is null or not isfinite(snooze_background_job.until) then
    raise exception using errcode = 'PT400', message = 'until: expected a finite timestamp';
  end if;
  if v_job.id is null then return null; end if;
  if v_job.cancel_requested_at is not null then
    return job_queue.end_attempt(v_job, 'cancelled', v_error, 'cancelled', v_job.run_at, v_job.lane, 0, null);
  elsif snooze_background_job.until > v_job.expires_at then
    return job_queue.end_attempt(v_job, 'snoozed', v_error, 'failed', v_job.run_at, v_job.lane, 0, 'expired');
  end if;
  -- At least a second from now: a host whose clock is behind ours must not make the job spin.
  return job_queue.end_attempt(
    v_job, 'snoozed', v_error, 'queued',
    greatest(snooze_background_job.until, clock_timestamp() + interval '1 second'),
    job_queue.queue_lane(v_job.lane), 0, null);
end
$$;
comment on function public.snooze_background_job(uuid, uuid, timestamptz, text) is
  'Ends a running attempt; the job runs again at until (a second from now at the earliest) and spends no retry. An inline job moves to the edge lane; a job that expires before until fails. Returns the new status; null when the lease is lost. Refuses a missing until (PT400).';

create function job_queue.queue_lane(p_lane text) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return case p_lane when 'inline' then 'edge' else p_lane end;
end
$$;
comment on function job_queue.queue_lane(text) is 'The lane where a job of this lane can wait: edge for an inline one.';

create function public.hand_off_background_job(job_id uuid, lease_token uuid) returns text
language plpgsql security definer
set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_job public.background_jobs := job_queue.held_job(hand_off_background_job.job_id, hand_off_background_job.lease_token);
begin
  if v_job.id is null then return null; end if;
  if v_job.cancel_requested_at is not null then
    return job_queue.end_attempt(v_job, 'cancelled', null, 'cancelled', v_job.run_at, v_job.lane, 0, null);
  elsif not v_job.step_saved and v_job.lane <> 'inline' then
    return job_queue.retry_or_bury(
      v_job, 'timed_out',
      jsonb_build_object('name', 'TimeoutError', 'message', 'the host''s time limit came before a step was saved'),
      true, null, job_queue.queue_lane(v_job.lane));
  end if;
  -- run_at stays: the job keeps its place in line.
  return job_queue.end_attempt(
    v_job, 'handed_off', null, 'queued', v_job.run_at, job_queue.queue_lane(v_job.lane), 0, null);
end
$$;
comment on function public.hand_off_background_job(uuid, uuid) is
  'Ends a slice before the host''s limit: queued again at its last saved step, no retry spent. An inline job moves to the edge lane. Elsewhere, when no step was saved since the claim, it is a time-out and spends a retry. Returns the new status; null when the lease is lost.';
