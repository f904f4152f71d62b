-- Operators insert, update and delete rows of background_jobs in Studio. These triggers keep the narrow tables in step
-- with what they did. The queue's own functions do that themselves, in bulk, and raise revision with every change: for
-- their rows the triggers' WHEN clauses cost an integer comparison and no call.

create function job_queue.remove_ready(p_lane text, p_sort_at timestamptz, p_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Waits for a claim that holds the ready row. This cannot deadlock, although that claim may wait for the job's row,
  -- which our caller holds: its lock_timeout makes it let go of the ready row after 100 ms, long before deadlock_timeout.
  delete from public.background_job_ready r where r.lane = p_lane and r.sort_at = p_sort_at and r.id = p_id;
end
$$;
comment on function job_queue.remove_ready(text, timestamptz, uuid) is
  'Removes the ready row of a job whose row the caller has locked. Never refuses.';

create function job_queue.add_ready(p_job public.background_jobs) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.background_job_ready (lane, sort_at, id, run_at, expires_at, type, concurrency_key, concurrency_limit)
  values (p_job.lane, p_job.run_at - p_job.priority * interval '1 minute', p_job.id, p_job.run_at, p_job.expires_at,
          p_job.type, p_job.concurrency_key, p_job.concurrency_limit);
end
$$;
comment on function job_queue.add_ready(public.background_jobs) is 'Makes a queued job claimable. Never refuses.';

create function job_queue.slice_ms(p_started_at timestamptz, p_now timestamptz) returns bigint
language plpgsql immutable
set search_path = ''
as $$
begin
  return greatest(0, coalesce((extract(epoch from p_now - p_started_at) * 1000)::bigint, 0));
end
$$;
comment on function job_queue.slice_ms(timestamptz, timestamptz) is 'Whole milliseconds between the two times, at least 0.';

create function job_queue.prepare_hand_insert() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  v_type public.job_types;
begin
  select * into v_type from public.job_types t where t.type = new.type;
  new.lane := coalesce(new.lane, v_type.lane_override, v_type.lane, 'edge');
  new.max_retries := coalesce(new.max_retries, v_type.max_retries, 3);
  new.timeout_seconds := coalesce(new.timeout_seconds, v_type.timeout_seconds, 120);
  new.priority := coalesce(new.priority, v_type.priority, 0);
  new.expires_at := coalesce(new.expires_at, new.run_at + interval '24 hours');
  if new.concurrency_key is not null then
    new.concurrency_limit := coalesce(new.concurrency_limit, v_type.concurrency_limit, 1);
  end if;
  return job_queue.normalise_status(new);
end
$$;
comment on function job_queue.prepare_hand_insert() is
  'Before a hand insert: fills in the defaults of the job''s type.';

create function job_queue.normalise_status(p_job public.background_jobs) returns public.background_jobs
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
begin
  if p_job.status <> 'completed' then p_job.completed_at := null; end if;
  if p_job.status <> 'failed' then
    p_job.failed_at := null;
    p_job.failure_reason := null;
  end if;
  if p_job.status in ('queued', 'processing') then
    p_job.cancel_requested_at := null;
    p_job.cancel_reason := null;
  end if;
  if p_job.status = 'processing' then
    p_job.started_at := coalesce(p_job.started_at, v_now);
    p_job.lease_token := gen_random_uuid();
    p_job.lease_until := v_now + make_interval(secs => p_job.timeout_seconds);
    p_job.step_saved := false;
    return p_job;
  end if;
  p_job.lease_token := null;
  p_job.lease_until := null;
  case p_job.status
    when 'queued' then
      -- Nobody claims from the inline lane: an inline job that is queued by hand runs on the edge lane.
      if p_job.lane = 'inline' then p_job.lane := 'edge'; end if;
      if p_job.expires_at <= v_now then p_job.expires_at := v_now + interval '24 hours'; end if;
    when 'completed' then p_job.completed_at := coalesce(p_job.completed_at, v_now);
    when 'failed' then
      p_job.failed_at := coalesce(p_job.failed_at, v_now);
      p_job.failure_reason := coalesce(p_job.failure_reason, 'operator');
    else null;
  end case;
  return p_job;
end
$$;
comment on function job_queue.normalise_status(public.background_jobs) is
  'The row with the columns that follow from its status made right. An unknown status is left to its constraint.';

create function job_queue.prepare_hand_update() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  v_elapsed bigint;
begin
  if old.status = 'processing' and new.status = 'processing' then
    -- The lease belongs to the attempt that runs; a hand edit of its columns would only break the fence.
    new.lease_token := old.lease_token;
    new.lease_until := old.lease_until;
    return new;
  end if;
  if old.status = 'processing' then
    v_elapsed := job_queue.slice_ms(old.started_at, clock_timestamp());
    if new.duration_ms is not distinct from old.duration_ms then new.duration_ms := v_elapsed; end if;
    if new.active_ms = old.active_ms then new.active_ms := old.active_ms + v_elapsed; end if;
  end if;
  if new.status = 'processing' and new.started_at is not distinct from old.started_at then
    new.started_at := clock_timestamp();
  end if;
  if new.status = 'queued' and old.status <> 'queued' and new.expires_at = old.expires_at then
    new.expires_at := greatest(old.expires_at, new.run_at + interval '24 hours');
  end if;
  return job_queue.normalise_status(new);
end
$$;
comment on function job_queue.prepare_hand_update() is
  'Before a hand update of a status or lease column: fences the attempt that ran, and fills in the times that follow from the new status.';

create function job_queue.follow_hand_edit() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
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
  if tg_op = 'DELETE' then return null; end if;
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
  'After a hand edit: brings ready rows, leases, slots and attempts in step with the row.';

create function job_queue.follow_truncate() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  truncate public.background_job_ready, public.background_job_leases, public.background_job_slots;
  return null;
end
$$;
comment on function job_queue.follow_truncate() is 'After a truncate of background_jobs: nothing waits, runs or holds a slot any more.';

create trigger background_jobs_prepare_hand_insert before insert on public.background_jobs
  -- A copy of one of our rows, inserted with all its columns, has another id; one that is put back has an older time.
  for each row when (new.revision <> ((uuid_hash(new.id) & 1073741823) | 1) or new.created_at <> now())
  execute function job_queue.prepare_hand_insert();
create trigger background_jobs_prepare_hand_update before update on public.background_jobs
  for each row when (
    old.revision = new.revision
    and (old.status <> new.status or old.lane <> new.lane
      or old.lease_token is distinct from new.lease_token or old.lease_until is distinct from new.lease_until))
  execute function job_queue.prepare_hand_update();
create trigger background_jobs_follow_hand_insert after insert on public.background_jobs
  -- A copy of one of our rows, inserted with all its columns, has another id; one that is put back has an older time.
  for each row when (new.revision <> ((uuid_hash(new.id) & 1073741823) | 1) or new.created_at <> now())
  execute function job_queue.follow_hand_edit();
create trigger background_jobs_follow_hand_update after update on public.background_jobs
  for each row when (
    old.revision = new.revision
    and (old.status <> new.status or old.lane <> new.lane or old.run_at <> new.run_at or old.priority <> new.priority
      or old.expires_at <> new.expires_at or old.type <> new.type or old.id <> new.id
      or old.concurrency_key is distinct from new.concurrency_key
      or old.concurrency_limit is distinct from new.concurrency_limit))
  execute function job_queue.follow_hand_edit();
create trigger background_jobs_follow_hand_delete after delete on public.background_jobs
  for each row when (old.status in ('queued', 'processing'))
  execute function job_queue.follow_hand_edit();
create trigger background_jobs_follow_truncate after truncate on public.background_jobs
  for each statement execute function job_queue.follow_truncate();
