-- Completions that read their input once, and answer from it when all of them were accepted, which is nearly always.

create function job_queue.complete_held(
  p_ids uuid[], p_tokens uuid[], p_results jsonb, p_now timestamptz, out accepted bigint[], out keyed uuid[])
language plpgsql
-- Planned at each call: a plan that was made while background_jobs was small would read all of it for each result.
set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
  set plan_cache_mode = force_custom_plan
as $$
begin
  with done as (
    update public.background_jobs j
    set revision = j.revision + 1, status = 'completed', result = i.result, error = null, completed_at = p_now,
        lease_token = null, lease_until = null, duration_ms = greatest(0, (extract(epoch from p_now - j.started_at) * 1000)::bigint),
        active_ms = j.active_ms + greatest(0, (extract(epoch from p_now - j.started_at) * 1000)::bigint)
    from (
      select p_ids[e.n] as job_id, p_tokens[e.n] as lease_token, e.r -> 'result' as result, e.n
      from jsonb_array_elements(p_results) with ordinality as e(r, n)
      -- One order for all callers, so that two of them seldom wait for each other.
      order by 1) i
    where j.id = i.job_id and j.status = 'processing' and j.lease_token = i.lease_token
    returning i.n, j.id, j.concurrency_key is not null as keyed
  )
  select array_agg(d.n), array_agg(d.id) filter (where d.keyed) into accepted, keyed from done d;
end
$$;
comment on function job_queue.complete_held(uuid[], uuid[], jsonb, timestamptz) is
  'Completes the jobs whose lease tokens still hold them; returns their positions, and the ids of those with a concurrency key.';

create or replace function public.complete_background_jobs(results jsonb) returns table (job_id uuid, accepted boolean)
language plpgsql security definer
set search_path = '' set enable_seqscan = off set jit = off set lock_timeout = '2s' set plan_cache_mode = force_generic_plan
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_ids uuid[];
  v_tokens uuid[];
  -- Positions in results: the same job may be there twice, with the token of a lost attempt too.
  v_accepted bigint[];
  v_keyed uuid[];
begin
  begin
    select array_agg((e.r ->> 'job_id')::uuid), array_agg((e.r ->> 'lease_token')::uuid)
    into v_ids, v_tokens from jsonb_array_elements(results) as e(r);
  exception when invalid_text_representation or invalid_parameter_value then null;
  end;
  if v_ids is null or array_position(v_ids, null) is not null or array_position(v_tokens, null) is not null then
    perform job_queue.require_lease_array('results', results);
  end if;
  if cardinality(v_ids) = 1 then
    update public.background_jobs j
    set revision = j.revision + 1, status = 'completed', result = results -> 0 -> 'result', error = null, completed_at = v_now,
        lease_token = null, lease_until = null, duration_ms = job_queue.slice_ms(j.started_at, v_now),
        active_ms = j.active_ms + job_queue.slice_ms(j.started_at, v_now)
    where j.id = v_ids[1] and j.status = 'processing' and j.lease_token = v_tokens[1]
    returning array[1], case when j.concurrency_key is not null then v_ids end into v_accepted, v_keyed;
  else
    select c.accepted, c.keyed into v_accepted, v_keyed from job_queue.complete_held(v_ids, v_tokens, results, v_now) as c;
  end if;
  if v_accepted is not null then
    if v_keyed is not null then
      delete from public.background_job_slots s where s.job_id = any (v_keyed);
      perform job_queue.ring();
    end if;
    perform job_queue.release_lease(t.token, t.jobs::integer)
    from (select v_tokens[u.n] as token, count(*) as jobs from unnest(v_accepted) as u(n) group by 1 order by 1) t;
    perform job_queue.enqueue_follow_ups(results, v_accepted);
    perform job_queue.after_end(array(select v_ids[u.n] from unnest(v_accepted) as u(n)));
  end if;
  if cardinality(v_accepted) = cardinality(v_ids) then
    return query select u.id, true from unnest(v_ids) as u(id);
  else
    return query select a.id, a.accepted from job_queue.mark_accepted(v_ids, v_accepted) as a;
  end if;
end
$$;

create function job_queue.mark_accepted(p_ids uuid[], p_accepted bigint[]) returns table (id uuid, accepted boolean)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
    select u.id, d.n is not null
    from unnest(p_ids) with ordinality as u(id, n) left join unnest(p_accepted) as d(n) on d.n = u.n order by u.n;
end
$$;
comment on function job_queue.mark_accepted(uuid[], bigint[]) is 'The ids in their order, each with whether its position was accepted.';
revoke all on function job_queue.mark_accepted(uuid[], bigint[]),
  job_queue.complete_held(uuid[], uuid[], jsonb, timestamptz) from public, anon, authenticated, service_role;
