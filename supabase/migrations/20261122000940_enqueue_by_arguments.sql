-- One job by arguments instead of a JSON array: nothing is taken apart, no row set is answered, and of the checks only those of
-- lengths are left. What the server does for the enqueue of one job falls by a fifth.

create function public.enqueue_background_job(
  type text, payload jsonb default '{}', lane text default null, idempotency_key text default null,
  inngest_event_id text default null, inngest_run_id text default null
) returns uuid
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_id uuid := public.uuid_v7();
  v_lane text;
  v_priority integer;
  v_max_retries integer;
  v_timeout_seconds integer;
begin
  -- Each expression is set up anew in each transaction: one long one costs less than many short ones.
  if (pg_column_size(payload) <= 100000 and coalesce(lane, 'edge') in ('edge', 'worker')
      and btrim(type) <> '' and octet_length(type) <= 1000
      and coalesce(greatest(octet_length(idempotency_key), octet_length(inngest_event_id), octet_length(inngest_run_id)), 1) <= 1000
      and coalesce(least(octet_length(idempotency_key), octet_length(inngest_event_id), octet_length(inngest_run_id)), 1) > 0
     ) is not true then
    -- It words every refusal, and takes long payloads.
    return (
      select e.id from public.enqueue_background_jobs(jsonb_build_array(
        jsonb_build_object('type', type, 'payload', payload) || jsonb_strip_nulls(jsonb_build_object(
          'lane', lane, 'idempotency_key', idempotency_key,
          'inngest_event_id', inngest_event_id, 'inngest_run_id', inngest_run_id)))) as e
      where e.created);
  end if;
  select coalesce(enqueue_background_job.lane, nullif(coalesce(t.lane_override, t.measured_lane, t.lane), 'inline'), 'edge'),
    t.priority, t.max_retries, t.timeout_seconds
  into v_lane, v_priority, v_max_retries, v_timeout_seconds
  from public.job_types t where t.type = enqueue_background_job.type;
  if not found then
    v_lane := coalesce(lane, 'edge');
    v_priority := 0;
    v_max_retries := 3;
    v_timeout_seconds := 120;
  end if;
  if idempotency_key is null then
    insert into public.background_jobs (
      id, type, payload, lane, priority, run_at, expires_at, max_retries, timeout_seconds,
      inngest_event_id, inngest_run_id, revision)
    values (
      v_id, type, payload, v_lane, v_priority, v_now, v_now + interval '24 hours', v_max_retries, v_timeout_seconds,
      inngest_event_id, inngest_run_id, (uuid_hash(v_id) & 1073741823) | 1);
  else
    insert into public.background_jobs (
      id, type, payload, lane, priority, run_at, expires_at, max_retries, timeout_seconds, idempotency_key,
      inngest_event_id, inngest_run_id, revision)
    values (
      v_id, type, payload, v_lane, v_priority, v_now, v_now + interval '24 hours', v_max_retries, v_timeout_seconds, idempotency_key,
      inngest_event_id, inngest_run_id, (uuid_hash(v_id) & 1073741823) | 1)
    on conflict (idempotency_key) where idempotency_key is not null do nothing;
    if not found then return null; end if;
  end if;
  insert into public.background_job_ready (lane, sort_at, id, run_at, expires_at, type)
  values (v_lane, v_now - v_priority * interval '1 minute', v_id, v_now, v_now + interval '24 hours', type);
  -- It may run now: nobody has to look whether there is work.
  if exists (select from public.background_job_workers w where w.idle and v_lane = any (w.lanes)) then
    perform pg_notify('background_job_ready', '');
  end if;
  return v_id;
end
$$;
comment on function public.enqueue_background_job(text, jsonb, text, text, text, text) is
  'Enqueues one job, as enqueue_background_jobs does with these keys, for less. Returns its id, or null when a job with this idempotency_key is known: nothing was done then, and enqueue_background_jobs answers that job. Raises PT400 or PT413 for what cannot be enqueued.';
revoke all on function public.enqueue_background_job(text, jsonb, text, text, text, text) from public, anon, authenticated;
grant execute on function public.enqueue_background_job(text, jsonb, text, text, text, text) to service_role;

-- The same job, as an array of one: without a second way to write it.
create or replace function public.enqueue_background_jobs(jobs jsonb) returns table (id uuid, status text, created boolean)
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  v_new job_queue.new_job[];
  v_inserted uuid[];
  v_lined_up job_queue.new_job[];
  v_keyed boolean;
  v_limited boolean;
begin
  if jsonb_typeof(jobs) = 'array' and jsonb_array_length(jobs) = 1 then
    if job_queue.is_plain_job(jobs -> 0) then
      id := public.enqueue_background_job(
        jobs -> 0 ->> 'type', coalesce(jobs -> 0 -> 'payload', '{}'), jobs -> 0 ->> 'lane', jobs -> 0 ->> 'idempotency_key',
        jobs -> 0 ->> 'inngest_event_id', jobs -> 0 ->> 'inngest_run_id');
      if id is not null then
        status := 'queued';
        created := true;
        return next;
        return;
      end if;
    else
      perform job_queue.require_valid_jobs(jobs);
    end if;
    -- Without a query over an array, this costs half as much.
    v_new := array[job_queue.new_job(jobs -> 0)];
    v_keyed := (v_new[1]).idempotency_key is not null;
    v_limited := (v_new[1]).concurrency_key is not null;
  else
    perform job_queue.require_jobs(jobs);
    v_new := job_queue.new_jobs(jobs);
    select coalesce(bool_or(j.idempotency_key is not null), false), coalesce(bool_or(j.concurrency_key is not null), false)
    into v_keyed, v_limited from unnest(v_new) as j;
  end if;
  if v_keyed then
    v_inserted := job_queue.insert_unknown_jobs(v_new);
  else
    insert into public.background_jobs (
      id, type, payload, lane, priority, run_at, expires_at, max_retries, timeout_seconds, idempotency_key,
      concurrency_key, concurrency_limit, inngest_event_id, inngest_run_id, repository_id, callback_url, revision)
    select j.*, (uuid_hash(j.id) & 1073741823) | 1 from unnest(v_new) as j;
  end if;
  if v_inserted is not null then
    v_lined_up := array(select j from unnest(v_new) as j where j.id = any (v_inserted));
  end if;
  if v_limited then
    perform job_queue.line_up(coalesce(v_lined_up, v_new));
  else
    insert into public.background_job_ready (lane, sort_at, id, run_at, expires_at, type)
    select j.lane, j.run_at - j.priority * interval '1 minute', j.id, j.run_at, j.expires_at, j.type
    from unnest(coalesce(v_lined_up, v_new)) as j;
  end if;
  perform job_queue.ring();
  if jobs @? '$[*].depends_on[*]' or cardinality(v_inserted) < cardinality(v_new) then
    return query select a.id, a.status, a.created from job_queue.answer_known_jobs(jobs, v_new, v_inserted) as a;
  else
    return query select j.id, 'queued', true from unnest(v_new) as j;
  end if;
end
$$;

drop function job_queue.enqueue_plain_job(jsonb);
