-- Enqueue, faster. One pass over the array sees that nothing can be wrong with jobs that bring only a payload and texts;
-- the ids of a call come from one random number; ON CONFLICT, which costs WAL for every row, runs only where a key is given.

create type job_queue.new_job as (
  id uuid, type text, payload jsonb, lane text, priority integer, run_at timestamptz, expires_at timestamptz,
  max_retries integer, timeout_seconds integer, idempotency_key text, concurrency_key text, concurrency_limit integer,
  inngest_event_id text, inngest_run_id text, repository_id uuid, callback_url text);
comment on type job_queue.new_job is 'A row of background_jobs to be, with the defaults of its type filled in.';

create function job_queue.is_plain_job(p_job jsonb) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  if jsonb_typeof(p_job) is distinct from 'object' then return false; end if;
  return coalesce(
    p_job - '{type,payload,lane,idempotency_key,inngest_event_id,inngest_run_id}'::text[] = '{}'
    and pg_column_size(p_job) <= 100000
    and jsonb_typeof(p_job -> 'type') = 'string' and btrim(p_job ->> 'type') <> '' and octet_length(p_job ->> 'type') <= 1000
    and coalesce(p_job ->> 'lane', 'edge') in ('edge', 'worker')
    and case when p_job ? 'idempotency_key' or p_job ? 'inngest_event_id' or p_job ? 'inngest_run_id' then
      coalesce(jsonb_typeof(p_job -> 'idempotency_key'), 'string') = 'string'
      and octet_length(coalesce(p_job ->> 'idempotency_key', '-')) between 1 and 1000
      and coalesce(jsonb_typeof(p_job -> 'inngest_event_id'), 'string') = 'string'
      and octet_length(coalesce(p_job ->> 'inngest_event_id', '-')) between 1 and 1000
      and coalesce(jsonb_typeof(p_job -> 'inngest_run_id'), 'string') = 'string'
      and octet_length(coalesce(p_job ->> 'inngest_run_id', '-')) between 1 and 1000
    else true end, false);
end
$$;
comment on function job_queue.is_plain_job(jsonb) is
  'True: the job is valid. False: require_valid_jobs has to look at it key by key.';

create function job_queue.require_jobs(p_jobs jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  if jsonb_typeof(p_jobs) is distinct from 'array' or jsonb_array_length(p_jobs) > 10000
     or exists (select from jsonb_array_elements(p_jobs) as e(job) where not job_queue.is_plain_job(e.job)) then
    perform job_queue.require_valid_jobs(p_jobs);
  end if;
end
$$;
comment on function job_queue.require_jobs(jsonb) is
  'Returns nothing; refuses what require_valid_jobs refuses, and is faster where there is nothing to refuse.';

create function job_queue.new_job(p_job jsonb) returns job_queue.new_job
language plpgsql
set search_path = ''
as $$
declare
  v_type public.job_types;
  v_run_at timestamptz := coalesce((p_job ->> 'run_at')::timestamptz, clock_timestamp());
begin
  select * into v_type from public.job_types t where t.type = p_job ->> 'type';
  return row(
    public.uuid_v7(), p_job ->> 'type', coalesce(p_job -> 'payload', '{}'),
    coalesce(p_job ->> 'lane', nullif(coalesce(v_type.lane_override, v_type.measured_lane, v_type.lane), 'inline'), 'edge'),
    coalesce((p_job ->> 'priority')::numeric::integer, v_type.priority, 0), v_run_at,
    coalesce((p_job ->> 'expires_at')::timestamptz, v_run_at + case
      when p_job ? 'depends_on' and p_job @? '$.depends_on[*]' then interval '7 days' else interval '24 hours' end),
    coalesce((p_job ->> 'max_retries')::numeric::integer, v_type.max_retries, 3),
    coalesce((p_job ->> 'timeout_seconds')::numeric::integer, v_type.timeout_seconds, 120),
    p_job ->> 'idempotency_key', p_job ->> 'concurrency_key',
    case when p_job ->> 'concurrency_key' is not null
         then coalesce((p_job ->> 'concurrency_limit')::numeric::integer, v_type.concurrency_limit, 1) end,
    p_job ->> 'inngest_event_id', p_job ->> 'inngest_run_id', (p_job ->> 'repository_id')::uuid,
    p_job ->> 'callback_url')::job_queue.new_job;
end
$$;
comment on function job_queue.new_job(jsonb) is 'The row that a valid job becomes. new_jobs makes many of them faster.';

create function job_queue.new_jobs(p_jobs jsonb) returns job_queue.new_job[]
language plpgsql
-- The types by a nested loop, which remembers them, because most calls bring one job or one type.
set search_path = '' set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
declare
  v_now timestamptz := clock_timestamp();
  -- As uuid_v7() makes them, a tick apart, so that the ids of a call sort in its order.
  v_ticks bigint := (extract(epoch from v_now) * 4096000)::bigint;
  v_random uuid := gen_random_uuid();
begin
  return array(
    select row(
      encode(
        int8send((((v_ticks + e.n) >> 12) << 16) | 28672 | ((v_ticks + e.n) & 4095))
          || int8send((uuid_hash_extended(v_random, e.n) & 4611686018427387903) | (-9223372036854775808)),
        'hex')::uuid,
      e.job ->> 'type', coalesce(e.job -> 'payload', '{}'),
      -- Nobody claims from the inline lane.
      coalesce(e.job ->> 'lane', nullif(coalesce(t.lane_override, t.measured_lane, t.lane), 'inline'), 'edge'),
      coalesce((e.job ->> 'priority')::numeric::integer, t.priority, 0), w.run_at,
      coalesce((e.job ->> 'expires_at')::timestamptz, w.run_at + case
        -- Its parents may take their time.
        when e.job @? '$.depends_on[*]' then interval '7 days' else interval '24 hours' end),
      coalesce((e.job ->> 'max_retries')::numeric::integer, t.max_retries, 3),
      coalesce((e.job ->> 'timeout_seconds')::numeric::integer, t.timeout_seconds, 120),
      e.job ->> 'idempotency_key', e.job ->> 'concurrency_key',
      case when e.job ->> 'concurrency_key' is not null
           then coalesce((e.job ->> 'concurrency_limit')::numeric::integer, t.concurrency_limit, 1) end,
      e.job ->> 'inngest_event_id', e.job ->> 'inngest_run_id', (e.job ->> 'repository_id')::uuid,
      e.job ->> 'callback_url')::job_queue.new_job
    from jsonb_array_elements(p_jobs) with ordinality as e(job, n)
    cross join lateral (select coalesce((e.job ->> 'run_at')::timestamptz, v_now) as run_at) w
    left join public.job_types t on t.type = e.job ->> 'type'
    order by e.n);
end
$$;
comment on function job_queue.new_jobs(jsonb) is 'The rows that valid jobs become, in input order.';

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
    -- Without a query over an array, this costs half as much.
    if not job_queue.is_plain_job(jobs -> 0) then perform job_queue.require_valid_jobs(jobs); end if;
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

create function job_queue.insert_unknown_jobs(p_new job_queue.new_job[]) returns uuid[]
language plpgsql
set search_path = ''
as $$
declare
  v_ids uuid[];
begin
  with inserted as (
    insert into public.background_jobs (
      id, type, payload, lane, priority, run_at, expires_at, max_retries, timeout_seconds, idempotency_key,
      concurrency_key, concurrency_limit, inngest_event_id, inngest_run_id, repository_id, callback_url, revision)
    select j.*, (uuid_hash(j.id) & 1073741823) | 1 from unnest(p_new) as j
    -- One order for all callers: two calls with the same keys wait for each other instead of deadlocking.
    order by j.idempotency_key, j.id
    on conflict (idempotency_key) where idempotency_key is not null do nothing
    returning background_jobs.id
  )
  select array_agg(i.id) into v_ids from inserted i;
  return coalesce(v_ids, '{}');
end
$$;
comment on function job_queue.insert_unknown_jobs(job_queue.new_job[]) is
  'Inserts those of the jobs whose idempotency key is new, or that have none; returns their ids.';

create function job_queue.answer_known_jobs(p_jobs jsonb, p_new job_queue.new_job[], p_inserted uuid[])
returns table (id uuid, status text, created boolean)
language plpgsql
set search_path = ''
as $$
declare
  v_ids uuid[];
  v_created boolean[];
  v_statuses text[];
begin
  select array_agg(j.id order by n), array_agg(p_inserted is null or j.id = any (p_inserted) order by n)
  into v_ids, v_created from unnest(p_new) with ordinality as j(id, type, payload, lane, priority, run_at, expires_at, max_retries, timeout_seconds,
    idempotency_key, concurrency_key, concurrency_limit, inngest_event_id, inngest_run_id, repository_id, callback_url, n);
  if false = any (v_created) then
    select array_agg(k.id order by k.n), array_agg(k.created order by k.n), array_agg(k.status order by k.n)
    into v_ids, v_created, v_statuses
    from job_queue.resolve_known_jobs(p_jobs, v_ids, v_created) as k;
  end if;
  if p_jobs @? '$[*].depends_on[*]' then
    perform job_queue.link_parents(p_jobs, v_ids, v_created);
    v_statuses := array(
      select j.status from unnest(v_ids) with ordinality as u(id, n) join public.background_jobs j on j.id = u.id order by u.n);
  end if;
  return query
    select u.id, coalesce(u.status, 'queued'), u.created from unnest(v_ids, v_statuses, v_created) as u(id, status, created);
end
$$;
comment on function job_queue.answer_known_jobs(jsonb, job_queue.new_job[], uuid[]) is
  'The answer to a call with idempotency keys that are known, or with dependencies, which it links.';

create function job_queue.line_up(p_new job_queue.new_job[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  with ordered as materialized (
    select j.*, j.run_at - j.priority * interval '1 minute' as place,
           j.concurrency_key is not null and j.run_at <= clock_timestamp() and row_number() over (
             partition by j.concurrency_key order by j.run_at - j.priority * interval '1 minute', j.id) > j.concurrency_limit as waits
    from unnest(p_new) as j
  ), noted as (
    -- They may be all of their key: somebody has to look.
    insert into public.background_job_freed_keys (concurrency_key) select distinct o.concurrency_key from ordered o where o.waits
  )
  insert into public.background_job_ready
    (lane, sort_at, id, run_at, expires_at, type, concurrency_key, concurrency_limit, line_at)
  select o.lane, case when o.waits then 'infinity' else o.place end, o.id, o.run_at, o.expires_at, o.type,
         o.concurrency_key, o.concurrency_limit, case when o.waits then o.place end
  from ordered o;
end
$$;
comment on function job_queue.line_up(job_queue.new_job[]) is
  'Makes new jobs claimable; those that cannot run beside the others of their key in the same call are parked at once.';

revoke all on function job_queue.is_plain_job(jsonb), job_queue.require_jobs(jsonb),
  job_queue.new_job(jsonb), job_queue.new_jobs(jsonb),
  job_queue.insert_unknown_jobs(job_queue.new_job[]), job_queue.line_up(job_queue.new_job[]),
  job_queue.answer_known_jobs(jsonb, job_queue.new_job[], uuid[]) from public, anon, authenticated, service_role;
