-- A replay is a run that was started after the job had failed. An event that reaches two endpoints has two runs as well,
-- both from before: the second one must not repeat what failed for good in the first.

create function job_queue.ulid_time(p_ulid text) returns timestamptz
language plpgsql immutable
set search_path = ''
as $$
declare
  v_ms bigint := 0;
begin
  if p_ulid is null or p_ulid !~ '^[0-7][0-9A-HJKMNP-TV-Z]{25}$' then return null; end if;
  for v_at in 1..10 loop
    v_ms := v_ms * 32 + position(substr(p_ulid, v_at, 1) in '0123456789ABCDEFGHJKMNPQRSTVWXYZ') - 1;
  end loop;
  return to_timestamp(v_ms / 1000.0);
end
$$;
comment on function job_queue.ulid_time(text) is
  'The time in a ULID, to the millisecond (github.com/ulid/spec); null for any other text.';

create function job_queue.is_replay(p_known public.background_jobs, p_run_id text) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  -- Inngest's run ids are ULIDs of the time at which the run was scheduled; of other ids no time is known.
  return p_run_id is not null and p_known.status = 'failed' and p_known.inngest_run_id is distinct from p_run_id
    and coalesce(job_queue.ulid_time(p_run_id) > p_known.failed_at, true);
end
$$;
comment on function job_queue.is_replay(public.background_jobs, text) is
  'Whether the run asks for a failed job again: another run than the one that brought it, and scheduled after it had failed.';

create or replace function job_queue.replay_job(p_known public.background_jobs, p_run_id text) returns text
language plpgsql
set search_path = ''
as $$
declare
  v_job public.background_jobs;
begin
  update public.background_jobs j
  set revision = j.revision + 1, status = 'queued', retry_count = 0, run_at = clock_timestamp(), failed_at = null, failure_reason = null,
      inngest_run_id = p_run_id, lane = job_queue.queue_lane(j.lane), cancel_requested_at = null,
      expires_at = greatest(j.expires_at, clock_timestamp() + interval '24 hours')
  where j.id = p_known.id and job_queue.is_replay(j, p_run_id)
  returning * into v_job;
  if v_job.id is null then
    -- The update may have waited for another replay of the job: its status is not the one we read before.
    return coalesce((select j.status from public.background_jobs j where j.id = p_known.id), p_known.status);
  end if;
  perform job_queue.add_ready(v_job);
  return v_job.status;
end
$$;

create or replace function job_queue.resume_begun(
  p_known public.background_jobs, p_job jsonb, p_worker text, p_lease_seconds integer) returns public.background_jobs
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_replay boolean := job_queue.is_replay(p_known, p_job ->> 'inngest_run_id');
begin
  if p_known.lane = 'inline' and p_known.status = 'processing' then
    if exists (select from public.background_job_leases l where l.token = p_known.lease_token and l.worker = p_worker) then
      -- The same run comes back for its next step.
      update public.background_jobs j set revision = j.revision + 1, lease_until = v_now + make_interval(secs => p_lease_seconds)
      where j.id = p_known.id returning * into p_known;
    elsif p_known.lease_until < v_now then
      perform job_queue.rescue(p_known);
      select * into p_known from public.background_jobs j where j.id = p_known.id;
    end if;
  elsif p_known.lane = 'inline' and (p_known.status = 'queued' or v_replay) then
    -- Inngest tries again, or a person replayed the event.
    if v_replay then
      update public.background_jobs j
      set revision = j.revision + 1, status = 'queued', retry_count = 0, failed_at = null, failure_reason = null, cancel_requested_at = null,
          inngest_run_id = p_job ->> 'inngest_run_id', expires_at = greatest(j.expires_at, v_now + interval '24 hours')
      where j.id = p_known.id;
    else
      perform job_queue.remove_ready('inline', p_known.run_at - p_known.priority * interval '1 minute', p_known.id);
    end if;
    select * into p_known from job_queue.lease_jobs(array[p_known.id], 'inline', p_worker, v_now, p_lease_seconds, false);
  elsif v_replay then
    perform job_queue.replay_job(p_known, p_job ->> 'inngest_run_id');
    select * into p_known from public.background_jobs j where j.id = p_known.id;
  end if;
  return p_known;
end
$$;

revoke all on function job_queue.ulid_time(text), job_queue.is_replay(public.background_jobs, text)
  from public, anon, authenticated, service_role;
