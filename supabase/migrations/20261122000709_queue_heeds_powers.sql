-- The queue's functions with what dependencies, the bell, measured routing and callbacks change in them.

create or replace function job_queue.job_problem(p_job jsonb) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  v_key text;
  v_value jsonb;
  v_kind text;
  v_expected text;
begin
  if jsonb_typeof(p_job) is distinct from 'object' then
    return format(': expected an object, got %s', coalesce(jsonb_typeof(p_job), 'null'));
  elsif p_job -> 'type' is null then
    return '.type: expected a job type, got nothing';
  end if;
  for v_key, v_value in select e.key, e.value from jsonb_each(p_job) as e loop
    v_kind := jsonb_typeof(v_value);
    v_expected := null;
    case
      when v_key = 'payload' then null;
      when v_key = 'type' then
        if v_kind <> 'string' or btrim(v_value #>> '{}') = '' or octet_length(v_value #>> '{}') > 1000 then
          v_expected := 'a job type of 1 to 1000 bytes';
        end if;
      when v_key = 'callback_url' then
        if v_kind <> 'null' and job_queue.callback_problem(v_value) is not null then
          return format('.%s: %s', v_key, job_queue.callback_problem(v_value));
        end if;
      when v_key = 'depends_on' then
        if v_kind <> 'null' and (v_kind <> 'array' or jsonb_array_length(v_value) > 1000) then
          v_expected := 'an array of at most 1000 job ids and positions of earlier jobs';
        end if;
      when v_key = 'on_parent_failure' then
        if v_kind <> 'null' and v_value not in ('"cancel"', '"run"', '"fail"') then v_expected := 'cancel, run or fail'; end if;
      when v_key in ('idempotency_key', 'concurrency_key', 'inngest_event_id', 'inngest_run_id') then
        if v_kind <> 'null' and (v_kind <> 'string' or octet_length(v_value #>> '{}') not between 1 and 1000) then
          v_expected := 'a string of 1 to 1000 bytes';
        end if;
      when v_key = 'lane' then
        if v_kind <> 'null' and v_value not in ('"edge"', '"worker"') then v_expected := 'edge or worker'; end if;
      when v_key in ('priority', 'max_retries', 'timeout_seconds', 'concurrency_limit') then
        v_expected := job_queue.whole_number_problem(v_key, v_value);
      when v_key in ('run_at', 'expires_at') then
        if v_kind <> 'null' and not job_queue.is_timestamp(v_value) then v_expected := 'a timestamp in the years 1900 to 9999'; end if;
      when v_key = 'repository_id' then
        if v_kind <> 'null' and (v_kind <> 'string'
            or (v_value #>> '{}') !~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$') then
          v_expected := 'a uuid';
        end if;
      else
        return format('.%s: unknown key', left(v_key, 100));
    end case;
    if v_expected is not null then
      return format('.%s: expected %s, got %s', v_key, v_expected, left(v_value::text, 100));
    end if;
  end loop;
  return null;
end
$$;

create or replace function job_queue.require_valid_jobs(p_jobs jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_problem record;
begin
  if jsonb_typeof(p_jobs) is distinct from 'array' then
    raise exception using errcode = 'PT400', message = 'jobs: expected an array of jobs';
  elsif jsonb_array_length(p_jobs) > 10000 then
    raise exception using errcode = 'PT400',
      message = format('jobs: expected at most 10000 jobs in one call, got %s', jsonb_array_length(p_jobs));
  end if;
  select p.index, p.problem into v_problem
  from (select e.n - 1 as index, job_queue.job_problem(e.job) as problem
        from jsonb_array_elements(p_jobs) with ordinality as e(job, n)) p
  where p.problem is not null order by p.index limit 1;
  if found then
    raise exception using errcode = 'PT400', message = format('jobs[%s]%s', v_problem.index, v_problem.problem);
  end if;
  if p_jobs @? '$[*].depends_on[*]' then perform job_queue.require_valid_dependencies(p_jobs); end if;
  -- The size as text is what callers see; the binary size is a cheap lower filter.
  select e.n - 1 as index into v_problem
  from jsonb_array_elements(p_jobs) with ordinality as e(job, n)
  where pg_column_size(e.job) > 100000 and octet_length((e.job -> 'payload')::text) > 1048576
  order by e.n limit 1;
  if found then
    raise exception using errcode = 'PT413',
      message = format('jobs[%s].payload: expected at most 1 MB (1048576 bytes)', v_problem.index);
  end if;
end
$$;

create or replace function public.enqueue_background_jobs(jobs jsonb) returns table (id uuid, status text, created boolean)
language plpgsql security definer
set search_path = ''
as $$
declare
  v_ids uuid[];
  v_created boolean[];
  v_statuses text[];
begin
  perform job_queue.require_valid_jobs(jobs);
  with input as materialized (
    select e.n, e.job, public.uuid_v7() as id, e.job ->> 'type' as type,
           coalesce((e.job ->> 'run_at')::timestamptz, clock_timestamp()) as run_at
    from jsonb_array_elements(jobs) with ordinality as e(job, n)
  ), inserted as (
    insert into public.background_jobs (
      id, type, payload, lane, priority, run_at, expires_at, max_retries, timeout_seconds, idempotency_key,
      concurrency_key, concurrency_limit, inngest_event_id, inngest_run_id, repository_id, callback_url, revision)
    select i.id, i.type, coalesce(i.job -> 'payload', '{}'),
           coalesce(i.job ->> 'lane', job_queue.queue_lane(coalesce(t.lane_override, t.measured_lane, t.lane, 'edge'))),
           coalesce((i.job ->> 'priority')::numeric::integer, t.priority, 0), i.run_at,
           coalesce((i.job ->> 'expires_at')::timestamptz, i.run_at + case
             -- Its parents may take their time.
             when i.job @? '$.depends_on[*]' then interval '7 days' else interval '24 hours' end),
           coalesce((i.job ->> 'max_retries')::numeric::integer, t.max_retries, 3),
           coalesce((i.job ->> 'timeout_seconds')::numeric::integer, t.timeout_seconds, 120),
           i.job ->> 'idempotency_key', i.job ->> 'concurrency_key',
           case when i.job ->> 'concurrency_key' is not null
                then coalesce((i.job ->> 'concurrency_limit')::numeric::integer, t.concurrency_limit, 1) end,
           i.job ->> 'inngest_event_id', i.job ->> 'inngest_run_id', (i.job ->> 'repository_id')::uuid, i.job ->> 'callback_url',
           (uuid_hash(i.id) & 1073741823) | 1
    from input i left join public.job_types t on t.type = i.type
    -- One order for all callers: two calls with the same keys wait for each other instead of deadlocking.
    order by i.job ->> 'idempotency_key', i.n
    on conflict (idempotency_key) where idempotency_key is not null do nothing
    returning *
  ), ready as (
    insert into public.background_job_ready
      (lane, sort_at, id, run_at, expires_at, type, concurrency_key, concurrency_limit)
    select j.lane, j.run_at - j.priority * interval '1 minute', j.id, j.run_at, j.expires_at, j.type,
           j.concurrency_key, j.concurrency_limit
    from inserted j
  )
  select array_agg(i.id order by i.n), array_agg(j.id is not null order by i.n) into v_ids, v_created
  from input i left join inserted j on j.id = i.id;
  if false = any (v_created) then
    select array_agg(k.id order by k.n), array_agg(k.created order by k.n), array_agg(k.status order by k.n)
    into v_ids, v_created, v_statuses
    from job_queue.resolve_known_jobs(jobs, v_ids, v_created) as k;
  end if;
  if jobs @? '$[*].depends_on[*]' then
    perform job_queue.link_parents(jobs, v_ids, v_created);
    v_statuses := array(
      select j.status from unnest(v_ids) with ordinality as u(id, n) join public.background_jobs j on j.id = u.id order by u.n);
  end if;
  perform job_queue.ring();
  return query
    select u.id, coalesce(u.status, 'queued'), u.created from unnest(v_ids, v_statuses, v_created) as u(id, status, created);
end
$$;

create or replace function job_queue.resolve_known_jobs(p_jobs jsonb, p_ids uuid[], p_created boolean[])
returns table (n bigint, id uuid, status text, created boolean)
language plpgsql
set search_path = ''
as $$
declare
  v_input record;
  v_known public.background_jobs;
begin
  for v_input in
    select e.n, e.job, u.id, u.created
    from jsonb_array_elements(p_jobs) with ordinality as e(job, n)
    join unnest(p_ids, p_created) with ordinality as u(id, created, n) on u.n = e.n
    -- The insert's order: two replays of the same jobs wait for each other instead of deadlocking.
    order by e.job ->> 'idempotency_key', e.n
  loop
    if v_input.created then
      return query select v_input.n, v_input.id, 'queued', true;
      continue;
    end if;
    select * into v_known from public.background_jobs j where j.idempotency_key = v_input.job ->> 'idempotency_key';
    if v_known.id is null then
      -- Deleted between our insert and now: the key is free again.
      return query
        select v_input.n, k.id, k.status, k.created
        -- Without its parents, which may be positions in our caller's array: our caller links them.
        from public.enqueue_background_jobs(jsonb_build_array(v_input.job - 'depends_on' - 'on_parent_failure')) as k;
    else
      return query select v_input.n, v_known.id, job_queue.replay_job(v_known, v_input.job ->> 'inngest_run_id'), false;
    end if;
  end loop;
end
$$;

create or replace function job_queue.add_ready(p_job public.background_jobs) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.background_job_ready (lane, sort_at, id, run_at, expires_at, type, concurrency_key, concurrency_limit)
  select p_job.lane, p_job.run_at - p_job.priority * interval '1 minute', p_job.id, p_job.run_at, p_job.expires_at,
         p_job.type, p_job.concurrency_key, p_job.concurrency_limit
  where not job_queue.waits_for_parents(p_job.id);
  if found and p_job.run_at <= clock_timestamp() then perform job_queue.ring(); end if;
end
$$;

create or replace function public.complete_background_jobs(results jsonb) returns table (job_id uuid, accepted boolean)
language plpgsql security definer
set search_path = '' set enable_seqscan = off set jit = off set lock_timeout = '2s'
as $$
declare
  v_now timestamptz := clock_timestamp();
  -- Positions in results: the same job may be there twice, with the token of a lost attempt too.
  v_accepted bigint[];
  v_tokens uuid[];
  v_keyed uuid[];
  v_ended uuid[];
begin
  perform job_queue.require_lease_array('results', results);
  with input as materialized (
    select e.n, (e.r ->> 'job_id')::uuid as job_id, (e.r ->> 'lease_token')::uuid as lease_token, e.r -> 'result' as result
    from jsonb_array_elements(results) with ordinality as e(r, n)
    -- One order for all callers, so that two of them seldom wait for each other.
    order by 2
  ), done as (
    update public.background_jobs j
    set revision = j.revision + 1, status = 'completed', result = i.result, error = null, completed_at = v_now,
        lease_token = null, lease_until = null,
        duration_ms = greatest(0, (extract(epoch from v_now - j.started_at) * 1000)::bigint),
        active_ms = j.active_ms + greatest(0, (extract(epoch from v_now - j.started_at) * 1000)::bigint)
    from input i where j.id = i.job_id and j.status = 'processing' and j.lease_token = i.lease_token
    returning i.n, j.id, i.lease_token, j.concurrency_key is not null as keyed
  )
  select array_agg(d.n), array_agg(d.lease_token), array_agg(d.id) filter (where d.keyed), array_agg(d.id)
  into v_accepted, v_tokens, v_keyed, v_ended from done d;
  if v_keyed is not null then
    delete from public.background_job_slots s where s.job_id = any (v_keyed);
    perform job_queue.ring();
  end if;
  perform job_queue.release_lease(t.token, t.jobs::integer)
  from (select u.token, count(*) as jobs from unnest(v_tokens) as u(token) group by u.token order by u.token) t;
  perform job_queue.enqueue_follow_ups(results, v_accepted);
  perform job_queue.after_end(v_ended);
  return query
    select (e.r ->> 'job_id')::uuid, d.n is not null
    from jsonb_array_elements(results) with ordinality as e(r, n) left join unnest(v_accepted) as d(n) on d.n = e.n
    order by e.n;
end
$$;

create or replace function job_queue.enqueue_follow_ups(p_results jsonb, p_accepted bigint[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_index bigint;
  v_jobs jsonb;
begin
  if not p_results @? '$[*].enqueue' then return; end if;
  select e.n - 1 into v_index from jsonb_array_elements(p_results) with ordinality as e(r, n)
  where jsonb_typeof(e.r -> 'enqueue') not in ('array', 'null') order by e.n limit 1;
  if found then
    raise exception using errcode = 'PT400', message = format('results[%s].enqueue: expected an array of jobs', v_index);
  end if;
  -- In portions that enqueue takes: a batch of completions may bring more jobs than one call does.
  for v_jobs in
    -- Those of a job that name each other by position keep to themselves.
    select jsonb_agg(f.job order by f.n)
    from (select f.job, case when e.r -> 'enqueue' @? '$[*].depends_on[*]' then e.n end as own,
                 row_number() over (order by e.n, f.n) as n
          from jsonb_array_elements(p_results) with ordinality as e(r, n)
          join unnest(p_accepted) as d(n) on d.n = e.n
          cross join lateral jsonb_array_elements(
            case jsonb_typeof(e.r -> 'enqueue') when 'array' then e.r -> 'enqueue' else '[]' end)
            with ordinality as f(job, n)) f
    group by f.own, case when f.own is null then (f.n - 1) / 10000 end order by min(f.n)
  loop
    perform public.enqueue_background_jobs(v_jobs);
  end loop;
end
$$;

create or replace function job_queue.end_attempt(
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
    perform job_queue.ring();
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
  if p_status = 'queued' then
    perform job_queue.add_ready(p_job);
  else
    perform job_queue.after_end(array[p_job.id]);
  end if;
  return p_status;
end
$$;

create or replace function job_queue.expire_waiting_jobs(p_now timestamptz) returns table (lane text, jobs bigint)
language plpgsql
set search_path = ''
as $$
declare
  v_expired record;
begin
  with late as (
    select j.id, r.ctid as ready_ctid
    from (select x.ctid, x.id from public.background_job_ready x
          where x.expires_at <= p_now limit 10000 for update skip locked) r
    join public.background_jobs j on j.id = r.id
    where j.status = 'queued' and j.expires_at <= p_now
    for no key update of j skip locked
  ), removed as (
    delete from public.background_job_ready r using late where r.ctid = late.ready_ctid
  ), expired as (
    update public.background_jobs j
    set revision = j.revision + 1, status = 'failed', failed_at = p_now, failure_reason = 'expired',
        error = format('expired: it was still waiting at %s', j.expires_at)
    from late where j.id = late.id returning j.id, j.lane
  )
  select array_agg(e.id) as ids, array_agg(e.lane) as lanes into v_expired from expired e;
  perform job_queue.after_end(v_expired.ids);
  return query select l.lane, count(*) from unnest(v_expired.lanes) as l(lane) group by l.lane;
end
$$;

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
  if tg_op = 'UPDATE' and old.status in ('queued', 'processing') and new.status not in ('queued', 'processing') then
    perform job_queue.after_end(array[new.id]);
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

create or replace function public.claim_background_job(job_id uuid, worker text, lease_seconds integer)
returns table (
  id uuid, type text, payload jsonb, retry_count integer, max_retries integer, timeout_seconds integer,
  lease_token uuid, steps jsonb, run_at timestamptz, expires_at timestamptz)
language plpgsql security definer
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_job public.background_jobs;
begin
  perform job_queue.require_claim_arguments(worker, 1, lease_seconds);
  select * into v_job from public.background_jobs j
  where j.id = claim_background_job.job_id and j.status = 'queued'
    and job_queue.type_hold(j.type) is null and not job_queue.waits_for_parents(j.id)
  for no key update skip locked;
  if v_job.id is null then return; end if;
  if v_job.concurrency_key is not null then
    if not pg_try_advisory_xact_lock(hashtextextended('background_job_slots:' || v_job.concurrency_key, 0)) then return; end if;
    -- A statement of its own, whose snapshot is taken after the lock: it sees the slots of the lock's last holder.
    if (select count(*) from public.background_job_slots s where s.concurrency_key = v_job.concurrency_key)
       >= v_job.concurrency_limit then
      return;
    end if;
  end if;
  if not job_queue.take_start(v_job.type) then return; end if;
  perform job_queue.remove_ready(v_job.lane, v_job.run_at - v_job.priority * interval '1 minute', v_job.id);
  return query
    select j.id, j.type, j.payload, j.retry_count, j.max_retries, j.timeout_seconds, j.lease_token,
           coalesce((select jsonb_object_agg(s.name, s.output) from public.background_job_steps s where s.job_id = j.id), '{}'),
           j.run_at, j.expires_at
    from job_queue.lease_jobs(array[v_job.id], v_job.lane, worker, v_now, lease_seconds, false) as j;
end
$$;

create or replace function job_queue.insert_begun(
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
    concurrency_key, concurrency_limit, inngest_event_id, inngest_run_id, repository_id, callback_url, started_at,
    lease_token, lease_until, revision)
  values (
    v_id, p_job ->> 'type', coalesce(p_job -> 'payload', '{}'), 'processing', 'inline',
    coalesce((p_job ->> 'priority')::numeric::integer, p_type.priority, 0), v_now,
    coalesce((p_job ->> 'expires_at')::timestamptz, v_now + interval '24 hours'),
    coalesce((p_job ->> 'max_retries')::numeric::integer, p_type.max_retries, 3),
    coalesce((p_job ->> 'timeout_seconds')::numeric::integer, p_type.timeout_seconds, 120),
    p_job ->> 'idempotency_key', p_job ->> 'concurrency_key',
    case when p_job ->> 'concurrency_key' is not null
         then coalesce((p_job ->> 'concurrency_limit')::numeric::integer, p_type.concurrency_limit, 1) end,
    p_job ->> 'inngest_event_id', p_job ->> 'inngest_run_id', (p_job ->> 'repository_id')::uuid, p_job ->> 'callback_url',
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

create or replace function job_queue.bury_undelivered(p_id uuid, p_error jsonb) returns void
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
  perform job_queue.after_end(array[p_id]);
end
$$;

create or replace function public.begin_background_job(job jsonb, worker text, lease_seconds integer)
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
  if (job @? '$.depends_on[*]' or job_queue.type_hold(job ->> 'type') is not null or coalesce(v_type.lane_override, v_type.measured_lane, 'inline') <> 'inline')
     and not job_queue.is_begun(job ->> 'idempotency_key', worker) then
    -- Not to begin here: it waits on its lane; one that is held up, until it may start.
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

create or replace function public.sweep_background_jobs() returns table (lane text, claimable bigint, rescued bigint, expired bigint)
language plpgsql security definer
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_rescued jsonb;
  v_expired jsonb;
  v_held text[] := job_queue.held_types();
begin
  select coalesce(jsonb_object_agg(s.lane, s.jobs), '{}') into v_rescued
  from (select r.lane, sum(r.jobs) as jobs from job_queue.rescue_expired_leases(v_now) as r group by r.lane) s;
  select coalesce(jsonb_object_agg(e.lane, e.jobs), '{}') into v_expired from job_queue.expire_waiting_jobs(v_now) as e;
  perform job_queue.promote_inline_jobs(v_now);
  perform job_queue.reconcile_ready();
  perform job_queue.reconcile_parents();
  perform job_queue.forget_workers(v_now);
  perform job_queue.measure_durations(v_now);
  return query
    select l.lane,
           (select count(*) from public.background_job_ready r
            where r.lane = l.lane and r.run_at <= clock_timestamp() and r.expires_at > clock_timestamp()
              and not r.type = any (v_held)),
           coalesce((v_rescued ->> l.lane)::bigint, 0), coalesce((v_expired ->> l.lane)::bigint, 0)
    from unnest(array['edge', 'inline', 'worker']) as l(lane);
end
$$;

create or replace function public.explain_background_job(job_id uuid) returns text
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_job public.background_jobs;
begin
  select * into v_job from public.background_jobs j where j.id = explain_background_job.job_id;
  return case v_job.status
    when 'queued' then job_queue.explain_waiting(v_job)
    when 'processing' then format(
      'running since %s on %s%s', v_job.started_at,
      coalesce((select l.worker from public.background_job_leases l where l.token = v_job.lease_token), 'an unknown worker'),
      case when v_job.lease_until < clock_timestamp()
             then format('; its lease expired at %s: the next sweep rescues it', v_job.lease_until)
           when v_job.cancel_requested_at is not null
             then format('; cancel requested at %s: it stops at its next heartbeat', v_job.cancel_requested_at)
           else '' end)
    when 'completed' then format('done: completed at %s after %s ms of work', v_job.completed_at, v_job.active_ms)
    when 'cancelled' then format('cancelled%s', coalesce(': ' || v_job.cancel_reason, ''))
    when 'failed' then format(
      'dead because %s: %s', case v_job.failure_reason
        when 'retries_spent' then format('its %s retries are spent', v_job.max_retries)
        when 'non_retryable' then 'another attempt would fail in the same way'
        when 'crashed' then format('its process died and its %s retries are spent', v_job.max_retries)
        when 'dependency_failed' then 'a job that it depends on did not complete'
        when 'expired' then format('it expired at %s', v_job.expires_at)
        else 'somebody set it to failed' end,
      coalesce(v_job.error, 'no error was recorded'))
    else 'no such job'
  end;
end
$$;

create or replace function job_queue.explain_waiting(p_job public.background_jobs) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  v_hold text := job_queue.type_hold(p_job.type);
  v_last public.background_job_attempts;
  v_busy uuid[];
begin
  if v_hold like 'paused:%' then
    return v_hold;
  elsif p_job.expires_at <= clock_timestamp() then
    return format('expired at %s: the next sweep fails it', p_job.expires_at);
  elsif job_queue.waits_for_parents(p_job.id) then
    return format('waits for %s', (
      select string_agg(format('job %s (%s, %s)', d.parent_id, j.type, j.status), ', ' order by d.parent_id)
      from public.background_job_dependencies d left join public.background_jobs j on j.id = d.parent_id
      where d.job_id = p_job.id and not d.settled));
  elsif p_job.run_at > clock_timestamp() then
    select * into v_last from public.background_job_attempts a where a.job_id = p_job.id order by a.number desc limit 1;
    return format('%s until %s%s', case v_last.outcome when 'snoozed' then 'snoozed' when 'failed' then 'backoff'
        when 'timed_out' then 'backoff' when 'rescued' then 'backoff' else 'scheduled: waits' end,
      p_job.run_at, coalesce(': ' || (v_last.error ->> 'message'), ''));
  end if;
  if v_hold is not null then return v_hold; end if;
  v_busy := array(select s.job_id from public.background_job_slots s where s.concurrency_key = p_job.concurrency_key);
  if cardinality(v_busy) >= p_job.concurrency_limit then
    return format('concurrency key %s is busy: job %s is running', p_job.concurrency_key, array_to_string(v_busy, ', '));
  end if;
  return format('waiting on lane %s, %s runnable jobs before it%s', p_job.lane,
    (select count(*) from public.background_job_ready r
     where r.lane = p_job.lane and r.run_at <= clock_timestamp()
       and (r.sort_at, r.id) < (p_job.run_at - p_job.priority * interval '1 minute', p_job.id)),
    case when p_job.lane = 'inline' then ': Inngest retries it, or the sweep moves it to the edge lane'
         when exists (select from public.background_job_leases l where l.lane = p_job.lane)
           or exists (select from public.background_job_workers w where p_job.lane = any (w.lanes)) then ''
         else format('; nobody is working on the lane (newest job started: %s)', coalesce((
           select max(n.started_at)::text from (
             select j.started_at from public.background_jobs j where j.lane = p_job.lane
             order by j.id desc limit 1000) n), 'never')) end);
end
$$;

create or replace function public.check_background_jobs() returns table (job_id uuid, problem text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
  with lease_members as (
    select l.token, m.id from public.background_job_leases l, unnest(l.job_ids) as m(id)
  ), ready as (
    select r.id, count(*) as rows from public.background_job_ready r group by r.id
  )
  select j.id, 'queued without a ready row' from public.background_jobs j
  where j.status = 'queued' and not exists (select from ready r where r.id = j.id) and not job_queue.waits_for_parents(j.id)
  union all
  select r.id, 'claimable although it waits for a parent' from ready r where job_queue.waits_for_parents(r.id)
  union all
  select d.job_id, format('waits for job %s, which is %s', d.parent_id, coalesce(j.status, 'gone'))
  from public.background_job_dependencies d left join public.background_jobs j on j.id = d.parent_id
  where not d.settled and coalesce(j.status, 'gone') not in ('queued', 'processing')
  union all
  select r.id, format('%s ready rows', r.rows) from ready r where r.rows > 1
  union all
  select r.id, 'ready row of a job that is ' || coalesce(j.status, 'gone')
  from public.background_job_ready r left join public.background_jobs j on j.id = r.id
  where j.status is distinct from 'queued'
  union all
  select r.id, 'ready row does not match the job'
  from public.background_job_ready r join public.background_jobs j on j.id = r.id
  where j.status = 'queued' and (r.lane, r.type, r.run_at, r.expires_at, r.sort_at, r.concurrency_key, r.concurrency_limit)
    is distinct from (j.lane, j.type, j.run_at, j.expires_at, j.run_at - j.priority * interval '1 minute',
                      j.concurrency_key, j.concurrency_limit)
  union all
  select j.id, 'processing without a lease' from public.background_jobs j
  where j.status = 'processing'
    and not exists (select from lease_members m where m.token = j.lease_token and m.id = j.id)
  union all
  select null::uuid, format('lease %s counts %s jobs but %s are running', l.token, l.remaining, n.running)
  from public.background_job_leases l cross join lateral (
    select count(*) as running from public.background_jobs j
    where j.id = any (l.job_ids) and j.lease_token = l.token and j.status = 'processing') n
  where n.running > l.remaining
  union all
  select j.id, 'runs under a concurrency key without a slot' from public.background_jobs j
  where j.status = 'processing' and j.concurrency_key is not null and j.lane <> 'inline'
    and not exists (select from public.background_job_slots s where s.job_id = j.id and s.concurrency_key = j.concurrency_key)
  union all
  select s.job_id, 'slot of a job that is ' || coalesce(j.status, 'gone')
  from public.background_job_slots s left join public.background_jobs j on j.id = s.job_id
  where j.status is distinct from 'processing'
  union all
  select j.id, 'ended without the time of its end' from public.background_jobs j
  where (j.status = 'completed' and j.completed_at is null) or (j.status = 'failed' and j.failed_at is null);
end
$$;
