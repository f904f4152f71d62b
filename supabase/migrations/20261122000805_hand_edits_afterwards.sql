-- Hand edits are made right after the edit, no longer before it. A BEFORE UPDATE row trigger makes Postgres lock every row
-- that is updated, by our own functions too, whatever its WHEN clause says: a WAL record and about 2 us for each claim and
-- each completion. And the check constraints are looked at where hand edits are: Postgres reads the text of each of them,
-- and of each WHEN clause, at the start of every statement, which was a third of what enqueueing one job cost. Our own
-- functions check what comes in, in words that name the key.

drop trigger background_jobs_prepare_hand_update on public.background_jobs;
drop trigger background_jobs_follow_hand_update on public.background_jobs;
drop trigger background_jobs_follow_hand_insert on public.background_jobs;
drop function job_queue.prepare_hand_update();

alter table public.background_jobs
  drop constraint background_jobs_type_named,
  drop constraint background_jobs_status_known,
  drop constraint background_jobs_lane_known,
  drop constraint background_jobs_failure_reason_known,
  drop constraint background_jobs_retry_count_natural,
  drop constraint background_jobs_max_retries_natural,
  drop constraint background_jobs_priority_bounded,
  drop constraint background_jobs_timeout_positive,
  drop constraint background_jobs_progress_percent,
  drop constraint background_jobs_concurrency_limited,
  drop constraint background_jobs_lease_while_processing;

create function job_queue.row_problem(p_job public.background_jobs) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return case
    when p_job.type = '' then 'type: expected a job type, got nothing'
    when p_job.status not in ('queued', 'processing', 'completed', 'failed', 'cancelled') then
      format('status: expected queued, processing, completed, failed or cancelled, got %s', p_job.status)
    when p_job.lane not in ('inline', 'edge', 'worker') then format('lane: expected inline, edge or worker, got %s', p_job.lane)
    when p_job.failure_reason not in (
        'retries_spent', 'non_retryable', 'crashed', 'expired', 'operator', 'dependency_failed') then
      format('failure_reason: expected retries_spent, non_retryable, crashed, expired, operator or dependency_failed, got %s',
        p_job.failure_reason)
    when p_job.retry_count < 0 then format('retry_count: expected a number from 0, got %s', p_job.retry_count)
    when p_job.max_retries < 0 then format('max_retries: expected a number from 0, got %s', p_job.max_retries)
    when p_job.priority not between -10000 and 10000 then
      format('priority: expected a number from -10000 to 10000, got %s', p_job.priority)
    when p_job.timeout_seconds < 1 then format('timeout_seconds: expected a number from 1, got %s', p_job.timeout_seconds)
    when p_job.progress not between 0 and 100 then format('progress: expected a number from 0 to 100, got %s', p_job.progress)
    when p_job.concurrency_key is not null and coalesce(p_job.concurrency_limit, 0) < 1 then
      format('concurrency_limit: expected a number from 1 beside a concurrency_key, got %s',
        coalesce(p_job.concurrency_limit::text, 'nothing'))
  end;
end
$$;
comment on function job_queue.row_problem(public.background_jobs) is
  'What is wrong with a row that was written by hand, as "column: expected …, got …"; null when nothing is.';

create function job_queue.require_sound_row(p_job public.background_jobs) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if job_queue.row_problem(p_job) is not null then
    raise exception using errcode = 'check_violation', table = 'background_jobs', schema = 'public',
      message = 'background_jobs.' || job_queue.row_problem(p_job);
  end if;
end
$$;
comment on function job_queue.require_sound_row(public.background_jobs) is
  'Returns nothing; refuses (check_violation) a row with a value out of bounds, naming column and value.';

create function job_queue.settle_hand_update(p_old public.background_jobs, p_new public.background_jobs)
returns public.background_jobs
language plpgsql
set search_path = ''
as $$
declare
  v_job public.background_jobs := p_new;
  v_elapsed bigint;
begin
  if p_old.status = 'processing' and p_new.status = 'processing' then
    -- The lease belongs to the attempt that runs; a hand edit of its columns would only break the fence.
    v_job.lease_token := p_old.lease_token;
    v_job.lease_until := p_old.lease_until;
    return v_job;
  end if;
  if p_old.status = 'processing' then
    v_elapsed := job_queue.slice_ms(p_old.started_at, clock_timestamp());
    if p_new.duration_ms is not distinct from p_old.duration_ms then v_job.duration_ms := v_elapsed; end if;
    if p_new.active_ms = p_old.active_ms then v_job.active_ms := p_old.active_ms + v_elapsed; end if;
  end if;
  if p_new.status = 'processing' and p_new.started_at is not distinct from p_old.started_at then
    v_job.started_at := clock_timestamp();
  end if;
  if p_new.status = 'queued' and p_old.status <> 'queued' and p_new.expires_at = p_old.expires_at then
    v_job.expires_at := greatest(p_old.expires_at, p_new.run_at + interval '24 hours');
  end if;
  return job_queue.normalise_status(v_job);
end
$$;
comment on function job_queue.settle_hand_update(public.background_jobs, public.background_jobs) is
  'What a row that was edited by hand has to be: the attempt that ran is fenced, and the times follow from the new status.';

create function job_queue.write_settled(p_job public.background_jobs) returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.background_jobs j
  set revision = j.revision + 1, lane = p_job.lane, started_at = p_job.started_at, completed_at = p_job.completed_at,
      failed_at = p_job.failed_at, failure_reason = p_job.failure_reason, duration_ms = p_job.duration_ms,
      active_ms = p_job.active_ms, expires_at = p_job.expires_at, cancel_requested_at = p_job.cancel_requested_at,
      cancel_reason = p_job.cancel_reason, lease_token = p_job.lease_token, lease_until = p_job.lease_until,
      step_saved = p_job.step_saved
  where j.id = p_job.id;
end
$$;
comment on function job_queue.write_settled(public.background_jobs) is
  'Writes what settle_hand_update may change, as a change of our own. Never refuses.';

create or replace function job_queue.follow_hand_edit() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if tg_op <> 'DELETE' then perform job_queue.require_sound_row(new); end if;
  if tg_op = 'UPDATE'
     and (old.id, old.type, old.status, old.lane, old.run_at, old.priority, old.expires_at, old.lease_token, old.lease_until,
          old.concurrency_key, old.concurrency_limit)
     is not distinct from (
          new.id, new.type, new.status, new.lane, new.run_at, new.priority, new.expires_at, new.lease_token, new.lease_until,
          new.concurrency_key, new.concurrency_limit) then
    return null;
  end if;
  if tg_op <> 'INSERT' then
    if old.status = 'queued' then
      perform job_queue.remove_ready(old.lane, old.run_at - old.priority * interval '1 minute', old.id);
    elsif old.status = 'processing' and (tg_op = 'DELETE' or new.status <> 'processing') then
      if tg_op = 'UPDATE' then
        insert into public.background_job_attempts (job_id, number, lane, worker, started_at, ended_at, outcome, error)
        select new.id, coalesce(max(a.number), 0) + 1, old.lane,
               (select l.worker from public.background_job_leases l where l.token = old.lease_token),
               coalesce(old.started_at, old.created_at), clock_timestamp(), 'edited',
               jsonb_build_object('message', format('the row was set to %s by hand', new.status))
        from public.background_job_attempts a where a.job_id = new.id;
      end if;
      delete from public.background_job_slots s where s.job_id = old.id;
    end if;
  end if;
  if tg_op = 'DELETE' then
    perform job_queue.after_end(array[old.id]);
    return null;
  end if;
  if tg_op = 'UPDATE' then
    if (old.status, old.lane, old.lease_token, old.lease_until)
       is distinct from (new.status, new.lane, new.lease_token, new.lease_until) then
      new := job_queue.settle_hand_update(old, new);
      perform job_queue.write_settled(new);
    end if;
    if old.status in ('queued', 'processing') and new.status not in ('queued', 'processing') then
      perform job_queue.after_end(array[new.id]);
    end if;
  end if;
  if new.status = 'queued' then
    perform job_queue.add_ready(new);
  elsif new.status = 'processing' and (tg_op = 'INSERT' or old.status <> 'processing') then
    insert into public.background_job_leases (token, worker, lane, claimed_at, lease_until, remaining, job_ids)
    values (new.lease_token, 'by hand', new.lane, clock_timestamp(), new.lease_until, 1, array[new.id]);
  end if;
  if new.status = 'processing' then
    delete from public.background_job_slots s where s.job_id = new.id;
    insert into public.background_job_slots (job_id, concurrency_key)
    select new.id, new.concurrency_key where new.concurrency_key is not null and new.lane <> 'inline';
  end if;
  return null;
end
$$;
comment on function job_queue.follow_hand_edit() is
  'After a hand edit: makes the row whole, and brings ready rows, leases, slots and attempts in step with it.';

create or replace function job_queue.prepare_hand_insert() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  v_type public.job_types;
begin
  select * into v_type from public.job_types t where t.type = new.type;
  new.lane := coalesce(new.lane, job_queue.lane_of(v_type), 'edge');
  new.max_retries := coalesce(new.max_retries, v_type.max_retries, 3);
  new.timeout_seconds := coalesce(new.timeout_seconds, v_type.timeout_seconds, 120);
  new.priority := coalesce(new.priority, v_type.priority, 0);
  new.expires_at := coalesce(new.expires_at, new.run_at + interval '24 hours');
  if new.concurrency_key is not null then
    new.concurrency_limit := coalesce(new.concurrency_limit, v_type.concurrency_limit, 1);
  end if;
  -- The mark by which the trigger after the insert knows the row: our own functions begin at 0.
  new.revision := -1;
  return job_queue.normalise_status(new);
end
$$;

create trigger background_jobs_follow_hand_insert after insert on public.background_jobs
  for each row when (new.revision < 0) execute function job_queue.follow_hand_edit();
create trigger background_jobs_follow_hand_update after update on public.background_jobs
  for each row when (old.revision = new.revision) execute function job_queue.follow_hand_edit();

revoke all on function job_queue.row_problem(public.background_jobs), job_queue.require_sound_row(public.background_jobs),
  job_queue.settle_hand_update(public.background_jobs, public.background_jobs),
  job_queue.write_settled(public.background_jobs) from public, anon, authenticated, service_role;
comment on column public.background_jobs.revision is
  'Raised by every change that the queue''s own functions make; they start it at a hash of the id. A row inserted by hand starts at -1; an update that leaves it alone is a hand edit, which a trigger follows.';
