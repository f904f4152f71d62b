-- Enqueue of one plain job, the call that every event makes, without arrays, and a bell that need not look for its work.

create function job_queue.enqueue_plain_job(p_job jsonb) returns uuid
language plpgsql
set search_path = '' set plan_cache_mode = force_generic_plan
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_expires_at timestamptz := v_now + interval '24 hours';
  v_id uuid := public.uuid_v7();
  v_type text := p_job ->> 'type';
  v_key text := p_job ->> 'idempotency_key';
  v_lane text;
  v_priority integer;
  v_max_retries integer;
  v_timeout_seconds integer;
begin
  select nullif(coalesce(t.lane_override, t.measured_lane, t.lane), 'inline'), t.priority, t.max_retries, t.timeout_seconds
  into v_lane, v_priority, v_max_retries, v_timeout_seconds
  from public.job_types t where t.type = v_type;
  v_lane := coalesce(p_job ->> 'lane', v_lane, 'edge');
  v_priority := coalesce(v_priority, 0);
  if v_key is null then
    insert into public.background_jobs (
      id, type, payload, lane, priority, run_at, expires_at, max_retries, timeout_seconds,
      inngest_event_id, inngest_run_id, revision)
    values (
      v_id, v_type, coalesce(p_job -> 'payload', '{}'), v_lane, v_priority, v_now, v_expires_at,
      coalesce(v_max_retries, 3), coalesce(v_timeout_seconds, 120),
      p_job ->> 'inngest_event_id', p_job ->> 'inngest_run_id', (uuid_hash(v_id) & 1073741823) | 1);
  else
    insert into public.background_jobs (
      id, type, payload, lane, priority, run_at, expires_at, max_retries, timeout_seconds, idempotency_key,
      inngest_event_id, inngest_run_id, revision)
    values (
      v_id, v_type, coalesce(p_job -> 'payload', '{}'), v_lane, v_priority, v_now, v_expires_at,
      coalesce(v_max_retries, 3), coalesce(v_timeout_seconds, 120), v_key,
      p_job ->> 'inngest_event_id', p_job ->> 'inngest_run_id', (uuid_hash(v_id) & 1073741823) | 1)
    on conflict (idempotency_key) where idempotency_key is not null do nothing;
    if not found then return null; end if;
  end if;
  insert into public.background_job_ready (lane, sort_at, id, run_at, expires_at, type)
  values (v_lane, v_now - v_priority * interval '1 minute', v_id, v_now, v_expires_at, v_type);
  -- It may run now: nobody has to look whether there is work.
  if exists (select from public.background_job_workers w where w.idle and v_lane = any (w.lanes)) then
    perform pg_notify('background_job_ready', '');
  end if;
  return v_id;
end
$$;
comment on function job_queue.enqueue_plain_job(jsonb) is
  'Enqueues one job of which is_plain_job is true; returns its id, or null when its idempotency key is known: nothing was done then.';
revoke all on function job_queue.enqueue_plain_job(jsonb) from public, anon, authenticated, service_role;

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
      id := job_queue.enqueue_plain_job(jobs -> 0);
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

create or replace function job_queue.ring() returns void
language plpgsql
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_lane text;
begin
  for v_lane in
    select distinct l.lane from public.background_job_workers w cross join lateral unnest(w.lanes) as l(lane) where w.idle
  loop
    -- What the caller has just made claimable is among the rows that are looked for: mostly one probe of an index. Not from
    -- further in front than a claim looks, past what only an old snapshot still sees.
    if exists (
         select from public.background_job_ready r
         where r.lane = v_lane and r.sort_at >= job_queue.line_start(v_lane, v_now) and r.sort_at <= v_now and r.run_at <= v_now)
       or exists (
         select from public.background_job_ready r
         where r.lane = v_lane and r.sort_at > r.run_at and r.sort_at > v_now and r.sort_at < 'infinity' and r.run_at <= v_now)
       -- Jobs that were parked for a key that is free again.
       or exists (select from public.background_job_freed_keys) then
      perform pg_notify('background_job_ready', '');
      return;
    end if;
  end loop;
end
$$;
