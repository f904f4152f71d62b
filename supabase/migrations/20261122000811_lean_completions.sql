-- Completions that read their input once, and answer from it when all of them were accepted, which is nearly always.

create or replace function public.complete_background_jobs(results jsonb) returns table (job_id uuid, accepted boolean)
language plpgsql security definer
set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
  set lock_timeout = '2s' set plan_cache_mode = force_generic_plan
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
  with done as (
    update public.background_jobs j
    set revision = j.revision + 1, status = 'completed', result = i.result, error = null, completed_at = v_now,
        lease_token = null, lease_until = null,
        duration_ms = greatest(0, (extract(epoch from v_now - j.started_at) * 1000)::bigint),
        active_ms = j.active_ms + greatest(0, (extract(epoch from v_now - j.started_at) * 1000)::bigint)
    from (
      select v_ids[e.n] as job_id, v_tokens[e.n] as lease_token, e.r -> 'result' as result, e.n
      from jsonb_array_elements(results) with ordinality as e(r, n)
      -- One order for all callers, so that two of them seldom wait for each other.
      order by 1) i
    where j.id = i.job_id and j.status = 'processing' and j.lease_token = i.lease_token
    returning i.n, j.id, j.concurrency_key is not null as keyed
  )
  select array_agg(d.n), array_agg(d.id) filter (where d.keyed) into v_accepted, v_keyed from done d;
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

-- A function of its own, because with hash joins off this one would be quadratic.
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
revoke all on function job_queue.mark_accepted(uuid[], bigint[]) from public, anon, authenticated, service_role;
