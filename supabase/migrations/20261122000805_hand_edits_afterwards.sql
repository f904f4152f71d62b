-- Hand edits are made right after the edit, no longer before it. A BEFORE UPDATE row trigger makes Postgres lock every row
-- that is updated, by our own functions too, whatever its WHEN clause says: a WAL record and about 2 us for each claim and
-- each completion.

drop trigger background_jobs_prepare_hand_update on public.background_jobs;
drop trigger background_jobs_follow_hand_update on public.background_jobs;
drop function job_queue.prepare_hand_update();
-- Between a hand edit and the trigger that follows it, a row may break this one; check_background_jobs looks for it.
alter table public.background_jobs drop constraint background_jobs_lease_while_processing;

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

create trigger background_jobs_follow_hand_update after update on public.background_jobs
  for each row when (
    old.revision = new.revision
    and (old.status <> new.status or old.lane <> new.lane or old.run_at <> new.run_at or old.priority <> new.priority
      or old.expires_at <> new.expires_at or old.type <> new.type or old.id <> new.id
      or old.lease_token is distinct from new.lease_token or old.lease_until is distinct from new.lease_until
      or old.concurrency_key is distinct from new.concurrency_key
      or old.concurrency_limit is distinct from new.concurrency_limit))
  execute function job_queue.follow_hand_edit();

revoke all on function job_queue.settle_hand_update(public.background_jobs, public.background_jobs),
  job_queue.write_settled(public.background_jobs) from public, anon, authenticated, service_role;
