-- Enqueue: validate, insert the wide row and its ready row, answer in input order.

create function job_queue.job_problem(p_job jsonb) returns text
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
      when v_key in ('depends_on', 'on_parent_failure', 'callback_url') then
        if v_kind <> 'null' then return format('.%s: not available in this version', v_key); end if;
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
comment on function job_queue.job_problem(jsonb) is
  'What is wrong with a job to be enqueued, as ".key: expected …, got …"; null when nothing is.';

create function job_queue.whole_number_problem(p_key text, p_value jsonb) returns text
language plpgsql immutable
set search_path = ''
as $$
declare
  v_least integer := case p_key when 'priority' then -10000 when 'max_retries' then 0 else 1 end;
  v_most integer := case p_key when 'priority' then 10000 when 'max_retries' then 1000 else 1000000 end;
begin
  if jsonb_typeof(p_value) = 'null' then return null; end if;
  if jsonb_typeof(p_value) = 'number' and p_value::numeric = trunc(p_value::numeric)
     and p_value::numeric between v_least and v_most then
    return null;
  end if;
  return format('a whole number from %s to %s', v_least, v_most);
end
$$;
comment on function job_queue.whole_number_problem(text, jsonb) is
  'What the key''s value should have been; null when it is a whole number within the key''s bounds, or null.';

create function job_queue.is_timestamp(p_value jsonb) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  -- Bounds, so that adding a priority or a day to it cannot overflow.
  return jsonb_typeof(p_value) = 'string'
    and (p_value #>> '{}')::timestamptz between timestamptz '1900-01-01Z' and timestamptz '9999-12-31Z';
exception when others then
  return false;
end
$$;
comment on function job_queue.is_timestamp(jsonb) is 'Whether the value is a string that Postgres reads as a timestamp of the years 1900 to 9999.';

create function job_queue.require_valid_jobs(p_jobs jsonb) returns void
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
comment on function job_queue.require_valid_jobs(jsonb) is
  'Returns nothing; refuses an array with an invalid job (PT400) or a payload over 1 MB (PT413), naming index and key.';

create function public.enqueue_background_jobs(jobs jsonb) returns table (id uuid, status text, created boolean)
language plpgsql security definer
set search_path = ''
as $$
declare
  v_ids uuid[];
  v_created boolean[];
begin
  perform job_queue.require_valid_jobs(jobs);
  with input as materialized (
    select e.n, e.job, public.uuid_v7() as id, e.job ->> 'type' as type,
           coalesce((e.job ->> 'run_at')::timestamptz, clock_timestamp()) as run_at
    from jsonb_array_elements(jobs) with ordinality as e(job, n)
  ), inserted as (
    insert into public.background_jobs (
      id, type, payload, lane, priority, run_at, expires_at, max_retries, timeout_seconds, idempotency_key,
      concurrency_key, concurrency_limit, inngest_event_id, inngest_run_id, repository_id, revision)
    select i.id, i.type, coalesce(i.job -> 'payload', '{}'),
           coalesce(i.job ->> 'lane', job_queue.queue_lane(coalesce(t.lane_override, t.lane, 'edge'))),
           coalesce((i.job ->> 'priority')::numeric::integer, t.priority, 0), i.run_at,
           coalesce((i.job ->> 'expires_at')::timestamptz, i.run_at + interval '24 hours'),
           coalesce((i.job ->> 'max_retries')::numeric::integer, t.max_retries, 3),
           coalesce((i.job ->> 'timeout_seconds')::numeric::integer, t.timeout_seconds, 120),
           i.job ->> 'idempotency_key', i.job ->> 'concurrency_key',
           case when i.job ->> 'concurrency_key' is not null
                then coalesce((i.job ->> 'concurrency_limit')::numeric::integer, t.concurrency_limit, 1) end,
           i.job ->> 'inngest_event_id', i.job ->> 'inngest_run_id', (i.job ->> 'repository_id')::uuid,
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
    return query
      select k.id, k.status, k.created from job_queue.resolve_known_jobs(jobs, v_ids, v_created) as k order by k.n;
  else
    return query select u.id, 'queued', true from unnest(v_ids) as u(id);
  end if;
end
$$;
comment on function public.enqueue_background_jobs(jsonb) is
  'Queues 1 to 10,000 jobs in one call; one row (id, status, created) per input, in input order. A known idempotency_key answers with the existing row and created = false; when that row failed and the caller brings another inngest_run_id, it is queued again. An invalid job or unknown key (PT400) or a payload over 1 MB (PT413) refuses the whole call, naming index and key.';

create function job_queue.resolve_known_jobs(p_jobs jsonb, p_ids uuid[], p_created boolean[])
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
        from public.enqueue_background_jobs(jsonb_build_array(v_input.job)) as k;
    else
      return query select v_input.n, v_known.id, job_queue.replay_job(v_known, v_input.job ->> 'inngest_run_id'), false;
    end if;
  end loop;
end
$$;
comment on function job_queue.resolve_known_jobs(jsonb, uuid[], boolean[]) is
  'One row per input, n its position: new jobs as they are, known idempotency keys with their row, replayed where that is due.';

create function job_queue.replay_job(p_known public.background_jobs, p_run_id text) returns text
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
  where j.id = p_known.id and j.status = 'failed' and p_run_id is not null
    and j.inngest_run_id is distinct from p_run_id
  returning * into v_job;
  if v_job.id is null then
    -- The update may have waited for another replay of the job: its status is not the one we read before.
    return coalesce((select j.status from public.background_jobs j where j.id = p_known.id), p_known.status);
  end if;
  perform job_queue.add_ready(v_job);
  return v_job.status;
end
$$;
comment on function job_queue.replay_job(public.background_jobs, text) is
  'Queues a failed job again, with all its retries, when another Inngest run asks for it. Returns the job''s status.';
