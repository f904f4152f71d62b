-- While a job runs: heartbeats, steps, progress, completion. Each is fenced by the row's lease token.

create function public.heartbeat_background_jobs(leases jsonb, lease_seconds integer)
returns table (job_id uuid, state text)
language plpgsql security definer
set search_path = '' set enable_seqscan = off set jit = off
as $$
begin
  perform job_queue.require_lease_array('leases', leases);
  perform job_queue.require_claim_arguments('heartbeat', 1, lease_seconds);
  return query
  with input as materialized (
    select e.n, (e.lease ->> 'job_id')::uuid as job_id, (e.lease ->> 'lease_token')::uuid as lease_token
    from jsonb_array_elements(leases) with ordinality as e(lease, n)
    -- The order of completions: a heartbeat and a completion of the same jobs wait for each other instead of deadlocking.
    order by 2
  ), held as materialized (
    select i.n, j.id, j.lease_token, j.cancel_requested_at
    from input i join public.background_jobs j
      on j.id = i.job_id and j.status = 'processing' and j.lease_token = i.lease_token
  ), free as materialized (
    -- A row in somebody's open transaction is passed by: it must not stop the heartbeats of all other jobs. The sweep
    -- passes it by too.
    select j.id from held h join public.background_jobs j on j.id = h.id for no key update of j skip locked
  ), renewed as (
    update public.background_jobs j
    set revision = j.revision + 1,
        lease_until = greatest(j.lease_until, clock_timestamp() + make_interval(secs => lease_seconds))
    from free f join held h on h.id = f.id
    where j.id = f.id and j.status = 'processing' and j.lease_token = h.lease_token
  )
  select i.job_id, case when h.id is null then 'lost' when h.cancel_requested_at is not null then 'cancel' else 'continue' end
  from input i left join held h on h.n = i.n order by i.n;
end
$$;
comment on function public.heartbeat_background_jobs(jsonb, integer) is
  'Renews the leases [{job_id, lease_token}]; one row per input: continue, cancel (asked to stop; the lease is renewed all the same), or lost. Refuses a malformed array (PT400).';

create function job_queue.require_lease_array(p_name text, p_leases jsonb) returns void
language plpgsql immutable
set search_path = ''
as $$
declare
  v_uuid constant text := '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$';
  v_index bigint;
begin
  if jsonb_typeof(p_leases) is distinct from 'array' then
    raise exception using errcode = 'PT400', message = format('%s: expected an array of {job_id, lease_token}', p_name);
  end if;
  begin
    -- Casts are ten times faster than the pattern, which only has to find out which element is wrong.
    if (select count((e.lease ->> 'job_id')::uuid) = count(*) and count((e.lease ->> 'lease_token')::uuid) = count(*)
        from jsonb_array_elements(p_leases) as e(lease)) then
      return;
    end if;
  exception when invalid_text_representation then null;
  end;
  select e.n - 1 into v_index from jsonb_array_elements(p_leases) with ordinality as e(lease, n)
  where not coalesce(e.lease ->> 'job_id' ~ v_uuid and e.lease ->> 'lease_token' ~ v_uuid, false)
  order by e.n limit 1;
  if found then
    raise exception using errcode = 'PT400',
      message = format('%s[%s]: expected job_id and lease_token to be uuids', p_name, v_index);
  end if;
end
$$;
comment on function job_queue.require_lease_array(text, jsonb) is
  'Returns nothing; refuses (PT400) anything but an array of objects with uuids job_id and lease_token, naming the index.';

create function public.complete_background_jobs(results jsonb) returns table (job_id uuid, accepted boolean)
language plpgsql security definer
set search_path = '' set enable_seqscan = off set jit = off set lock_timeout = '2s'
as $$
declare
  v_now timestamptz := clock_timestamp();
  -- Positions in results: the same job may be there twice, with the token of a lost attempt too.
  v_accepted bigint[];
  v_tokens uuid[];
  v_keyed uuid[];
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
  select array_agg(d.n), array_agg(d.lease_token), array_agg(d.id) filter (where d.keyed)
  into v_accepted, v_tokens, v_keyed from done d;
  if v_keyed is not null then delete from public.background_job_slots s where s.job_id = any (v_keyed); end if;
  perform job_queue.release_lease(t.token, t.jobs::integer)
  from (select u.token, count(*) as jobs from unnest(v_tokens) as u(token) group by u.token order by u.token) t;
  perform job_queue.enqueue_follow_ups(results, v_accepted);
  return query
    select (e.r ->> 'job_id')::uuid, d.n is not null
    from jsonb_array_elements(results) with ordinality as e(r, n) left join unnest(v_accepted) as d(n) on d.n = e.n
    order by e.n;
end
$$;
comment on function public.complete_background_jobs(jsonb) is
  'Completes [{job_id, lease_token, result, enqueue: [jobs]}]; one row per input, accepted = false when the lease is lost. Gives up after 2 s (SQLSTATE 55P03) when another transaction holds a job''s row. The follow-up jobs of accepted ones are queued in the same transaction. Refuses a malformed array or an invalid follow-up (PT400).';

create function job_queue.enqueue_follow_ups(p_results jsonb, p_accepted bigint[]) returns void
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
    select jsonb_agg(f.job order by f.n)
    from (select f.job, row_number() over (order by e.n, f.n) as n
          from jsonb_array_elements(p_results) with ordinality as e(r, n)
          join unnest(p_accepted) as d(n) on d.n = e.n
          cross join lateral jsonb_array_elements(
            case jsonb_typeof(e.r -> 'enqueue') when 'array' then e.r -> 'enqueue' else '[]' end)
            with ordinality as f(job, n)) f
    group by (f.n - 1) / 10000 order by (f.n - 1) / 10000
  loop
    perform public.enqueue_background_jobs(v_jobs);
  end loop;
end
$$;
comment on function job_queue.enqueue_follow_ups(jsonb, bigint[]) is
  'Queues the follow-up jobs of the results at the accepted positions. Refuses an enqueue that is no array (PT400), and what enqueue_background_jobs refuses.';

create function public.save_background_job_step(job_id uuid, lease_token uuid, name text, output jsonb) returns boolean
language plpgsql security definer
set search_path = '' set lock_timeout = '2s'
as $$
begin
  if coalesce(save_background_job_step.name, '') = '' then
    raise exception using errcode = 'PT400', message = 'name: expected the step''s name, got nothing';
  end if;
  update public.background_jobs j set revision = j.revision + 1, step_saved = true
  where j.id = save_background_job_step.job_id and j.status = 'processing'
    and j.lease_token = save_background_job_step.lease_token;
  if not found then return false; end if;
  insert into public.background_job_steps as s (job_id, name, output)
  values (save_background_job_step.job_id, save_background_job_step.name, save_background_job_step.output)
  on conflict on constraint background_job_steps_pkey do update set output = excluded.output, saved_at = excluded.saved_at;
  return true;
end
$$;
comment on function public.save_background_job_step(uuid, uuid, text, jsonb) is
  'Stores a durable step''s result, which later slices of the job return instead of running it. False when the lease is lost. Refuses an empty name (PT400).';

create function public.report_background_job_progress(job_id uuid, lease_token uuid, percent integer, message text) returns boolean
language plpgsql security definer
set search_path = '' set lock_timeout = '2s'
as $$
begin
  update public.background_jobs j
  set revision = j.revision + 1, progress = least(100, greatest(0, report_background_job_progress.percent)),
      progress_message = left(report_background_job_progress.message, 1000)
  where j.id = report_background_job_progress.job_id and j.status = 'processing'
    and j.lease_token = report_background_job_progress.lease_token;
  return found;
end
$$;
comment on function public.report_background_job_progress(uuid, uuid, integer, text) is
  'Shows progress (percent 0 to 100, clamped) on the job''s row. False when the lease is lost.';
