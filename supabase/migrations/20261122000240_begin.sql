-- Begin: for jobs that run inline. Enqueue and claim in one round trip.

create function job_queue.insert_begun(
  p_job jsonb, p_type public.job_types, p_worker text, p_lease_seconds integer) returns public.background_jobs
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_id uuid := public.uuid_v7();
  v_job public.background_jobs;
begin
  insert into public.background_jobs as j (
    id, type, payload, status, lane, priority, run_at, expires_at, max_retries, timeout_seconds, idempotency_key,
    concurrency_key, concurrency_limit, inngest_event_id, inngest_run_id, repository_id, started_at, lease_token, lease_until, revision)
  values (
    v_id, p_job ->> 'type', coalesce(p_job -> 'payload', '{}'), 'processing', 'inline',
    coalesce((p_job ->> 'priority')::numeric::integer, p_type.priority, 0), v_now,
    coalesce((p_job ->> 'expires_at')::timestamptz, v_now + interval '24 hours'),
    coalesce((p_job ->> 'max_retries')::numeric::integer, p_type.max_retries, 3),
    coalesce((p_job ->> 'timeout_seconds')::numeric::integer, p_type.timeout_seconds, 120),
    p_job ->> 'idempotency_key', p_job ->> 'concurrency_key',
    case when p_job ->> 'concurrency_key' is not null
         then coalesce((p_job ->> 'concurrency_limit')::numeric::integer, p_type.concurrency_limit, 1) end,
    p_job ->> 'inngest_event_id', p_job ->> 'inngest_run_id', (p_job ->> 'repository_id')::uuid,
    v_now, gen_random_uuid(), v_now + make_interval(secs => p_lease_seconds),
    (uuid_hash(v_id) & 1073741823) | 1)
  on conflict (idempotency_key) where idempotency_key is not null do nothing
  returning * into v_job;
  if v_job.id is not null then
    insert into public.background_job_leases (token, worker, lane, claimed_at, lease_until, remaining, job_ids)
    values (v_job.lease_token, p_worker, 'inline', v_now, v_job.lease_until, 1, array[v_job.id]);
  end if;
  return v_job;
end
$$;
comment on function job_queue.insert_begun(jsonb, public.job_types, text, integer) is
  'Inserts the job as running inline and leased to the worker; a row of nulls when its idempotency key is known.';

create function job_queue.resume_begun(p_known public.background_jobs, p_job jsonb, p_worker text, p_lease_seconds integer)
returns public.background_jobs
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_replay boolean := p_known.status = 'failed' and p_job ->> 'inngest_run_id' is not null
    and p_known.inngest_run_id is distinct from p_job ->> 'inngest_run_id';
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
comment on function job_queue.resume_begun(public.background_jobs, jsonb, text, integer) is
  'What beginning a known job does to its (locked) row: renews the lease of the same worker, rescues an expired one, takes a queued or replayed inline job, queues a replayed one on its own lane. Returns the row as it is then.';

create function job_queue.is_begun(p_idempotency_key text, p_worker text) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return exists (
    select from public.background_jobs j join public.background_job_leases l on l.token = j.lease_token
    where j.idempotency_key = p_idempotency_key and j.status = 'processing' and j.lane = 'inline' and l.worker = p_worker);
end
$$;
comment on function job_queue.is_begun(text, text) is 'Whether the worker holds the inline job with this idempotency key.';

create function public.begin_background_job(job jsonb, worker text, lease_seconds integer)
returns table (id uuid, lease_token uuid, run boolean, status text, result jsonb, lane text)
language plpgsql security definer
set search_path = ''
as $$
declare
  v_type public.job_types;
  v_job public.background_jobs;
  v_id uuid;
  v_run boolean;
begin
  perform job_queue.require_claim_arguments(worker, 1, lease_seconds);
  perform job_queue.require_valid_jobs(jsonb_build_array(job));
  select * into v_type from public.job_types t where t.type = job ->> 'type';
  if (v_type.paused or coalesce(v_type.lane_override, 'inline') <> 'inline')
     and not job_queue.is_begun(job ->> 'idempotency_key', worker) then
    -- Not to begin here: it waits on its lane (a paused one until it is resumed).
    select e.id into v_id from public.enqueue_background_jobs(jsonb_build_array(job)) as e;
    return query
      select j.id, null::uuid, false, j.status, j.result, j.lane from public.background_jobs j where j.id = v_id;
    return;
  end if;
  loop
    v_job := job_queue.insert_begun(job, v_type, worker, lease_seconds);
    exit when v_job.id is not null;
    select * into v_job from public.background_jobs j
    where j.idempotency_key = begin_background_job.job ->> 'idempotency_key' for no key update;
    if v_job.id is not null then
      v_job := job_queue.resume_begun(v_job, job, worker, lease_seconds);
      exit;
    end if;
    -- Deleted between the two statements: the key is free again.
  end loop;
  v_run := v_job.status = 'processing' and v_job.lane = 'inline' and exists (
    select from public.background_job_leases l
    where l.token = v_job.lease_token and l.worker = begin_background_job.worker);
  return query
    select v_job.id, case when v_run then v_job.lease_token end, v_run, v_job.status, v_job.result, v_job.lane;
end
$$;
comment on function public.begin_background_job(jsonb, text, integer) is
  'Enqueues and claims an inline job in one call. run = true with a lease token when this worker is to run it; run = false when another has or had it, or when it waits on another lane. Called again by the same worker it renews the lease. Refuses what enqueue_background_jobs refuses.';
