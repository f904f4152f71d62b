-- The queue's functions note what ends and what runs again.

create function job_queue.note_completions(
  p_at timestamptz, p_types text[], p_hours integer[], p_durations integer[], p_actives integer[], p_waits integer[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Jobs of one kind need no grouping; seldom has one of them run in an earlier slice.
  if p_types[1] = all (p_types) and p_hours[1] = all (p_hours) then
    insert into public.background_job_ends (ended_at, type, outcome, jobs, created_hour, created, durations, actives, waits)
    values (p_at, p_types[1], 'completed', cardinality(p_types), p_hours[1], cardinality(p_types),
            p_durations, nullif(p_actives, p_durations), p_waits);
    return;
  end if;
  insert into public.background_job_ends (ended_at, type, outcome, jobs, created_hour, created, durations, actives, waits)
  select p_at, u.type, 'completed', count(*), u.hour, count(*),
    array_agg(u.duration), nullif(array_agg(u.active), array_agg(u.duration)), array_agg(u.wait)
  from unnest(p_types, p_hours, p_durations, p_actives, p_waits) as u(type, hour, duration, active, wait)
  group by u.type, u.hour;
end
$$;
comment on function job_queue.note_completions(timestamptz, text[], integer[], integer[], integer[], integer[]) is
  'Counts completions: of each job its type, hour of creation (hours since 1970), milliseconds of its last slice, of all its slices, and of its wait.';

drop function job_queue.complete_held(uuid[], uuid[], jsonb, timestamptz);
create function job_queue.complete_held(
  p_ids uuid[], p_tokens uuid[], p_results jsonb, p_now timestamptz, out accepted bigint[], out keyed uuid[])
language plpgsql
-- Planned at each call: a plan that was made while background_jobs was small would read all of it for each result.
set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
  set plan_cache_mode = force_custom_plan
as $$
declare
  v_ends record;
begin
  with done as (
    update public.background_jobs j
    set revision = j.revision + 1, status = 'completed', result = i.result, error = null, completed_at = p_now,
        lease_token = null, lease_until = null,
        duration_ms = greatest(0, (date_part('epoch', p_now - j.started_at) * 1000)::bigint),
        active_ms = j.active_ms + greatest(0, (date_part('epoch', p_now - j.started_at) * 1000)::bigint)
    from (
      select p_ids[e.n] as job_id, p_tokens[e.n] as lease_token, e.r -> 'result' as result, e.n
      from jsonb_array_elements(p_results) with ordinality as e(r, n)
      -- One order for all callers, so that two of them seldom wait for each other.
      order by 1) i
    where j.id = i.job_id and j.status = 'processing' and j.lease_token = i.lease_token
    returning i.n, j.id, j.concurrency_key is not null as keyed, j.type,
      -- As noted_ms, hour_number and wait_ms, without the calls. A person may have written infinity into the row.
      least(j.duration_ms, 2147483647)::integer as duration, greatest(0, least(j.active_ms, 2147483647))::integer as active,
      floor(date_part('epoch', greatest(least(j.created_at, j.started_at), 'epoch')) / 3600)::integer as created_hour,
      least(date_part('epoch', j.started_at - greatest(least(greatest(j.run_at, j.created_at), j.started_at), 'epoch')) * 1000,
        2147483647)::integer as wait
  )
  select array_agg(d.n) as accepted, array_agg(d.id) filter (where d.keyed) as keyed, array_agg(d.type) as types,
    array_agg(d.created_hour) as hours, array_agg(d.duration) as durations, array_agg(d.active) as actives,
    array_agg(d.wait) as waits
  into v_ends from done d;
  accepted := v_ends.accepted;
  keyed := v_ends.keyed;
  if accepted is not null then
    perform job_queue.note_completions(
      p_now, v_ends.types, v_ends.hours, v_ends.durations, v_ends.actives, v_ends.waits);
  end if;
end
$$;
comment on function job_queue.complete_held(uuid[], uuid[], jsonb, timestamptz) is
  'Completes the jobs whose lease tokens still hold them, and counts them; returns their positions, and the ids of those with a concurrency key.';

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
  v_job record;
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
        lease_token = null, lease_until = null,
        duration_ms = greatest(0, (date_part('epoch', v_now - j.started_at) * 1000)::bigint),
        active_ms = j.active_ms + greatest(0, (date_part('epoch', v_now - j.started_at) * 1000)::bigint)
    where j.id = v_ids[1] and j.status = 'processing' and j.lease_token = v_tokens[1]
    returning j.type, j.concurrency_key,
      -- As in complete_held.
      least(j.duration_ms, 2147483647)::integer as duration, greatest(0, least(j.active_ms, 2147483647))::integer as active,
      floor(date_part('epoch', greatest(least(j.created_at, j.started_at), 'epoch')) / 3600)::integer as created_hour,
      least(date_part('epoch', j.started_at - greatest(least(greatest(j.run_at, j.created_at), j.started_at), 'epoch')) * 1000,
        2147483647)::integer as wait
    into v_job;
    if found then
      v_accepted := array[1];
      if v_job.concurrency_key is not null then v_keyed := v_ids; end if;
      insert into public.background_job_ends (ended_at, type, outcome, jobs, created_hour, created, durations, actives, waits)
      values (v_now, v_job.type, 'completed', 1, v_job.created_hour, 1, array[v_job.duration],
              case when v_job.active <> v_job.duration then array[v_job.active] end, array[v_job.wait]);
    end if;
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
    perform job_queue.tell_of_ends(array(select v_ids[u.n] from unnest(v_accepted) as u(n)));
  end if;
  if cardinality(v_accepted) = cardinality(v_ids) then
    return query select u.id, true from unnest(v_ids) as u(id);
  else
    return query select a.id, a.accepted from job_queue.mark_accepted(v_ids, v_accepted) as a;
  end if;
end
$$;

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
  perform job_queue.note_reopened(p_known);
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
      perform job_queue.note_reopened(p_known);
      update public.background_jobs j
      set revision = j.revision + 1, status = 'queued', retry_count = 0, failed_at = null, failure_reason = null, cancel_requested_at = null,
          inngest_run_id = p_job ->> 'inngest_run_id', expires_at = greatest(j.expires_at, v_now + interval '24 hours')
      where j.id = p_known.id;
    else
      perform job_queue.remove_ready('inline', p_known.run_at - p_known.priority * interval '1 minute', p_known.id);
    end if;
    perform job_queue.lease_jobs(array[p_known.id], 'inline', p_worker, v_now, p_lease_seconds, false, false);
    select * into p_known from public.background_jobs j where j.id = p_known.id;
  elsif v_replay then
    perform job_queue.replay_job(p_known, p_job ->> 'inngest_run_id');
    select * into p_known from public.background_jobs j where j.id = p_known.id;
  end if;
  return p_known;
end
$$;

create or replace function job_queue.follow_hand_edit() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if tg_op <> 'DELETE' then perform job_queue.require_sound_row(new); end if;
  if tg_op = 'UPDATE'
     and (old.id, old.type, old.status, old.lane, old.run_at, old.priority, old.expires_at, old.lease_token, old.lease_until,
          old.concurrency_key, old.concurrency_limit)
     is not distinct from (
          new.id, new.type, new.status, new.lane, new.run_at, new.priority, new.expires_at, new.lease_token, new.lease_until,
          new.concurrency_key, new.concurrency_limit) then
    return null;
  end if;
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
  perform job_queue.note_hand_edit(old, new);
  if tg_op = 'DELETE' then
    perform job_queue.after_end(array[old.id]);
    return null;
  end if;
  if tg_op = 'UPDATE' then
    if (old.status, old.lane, old.lease_token, old.lease_until)
       is distinct from (new.status, new.lane, new.lease_token, new.lease_until) then
      new := job_queue.settle_hand_update(old, new);
      perform job_queue.write_settled(new);
    end if;
    if old.status in ('queued', 'processing') and new.status not in ('queued', 'processing') then
      perform job_queue.after_end(array[new.id]);
    end if;
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

create or replace function job_queue.follow_truncate() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  truncate public.background_job_ready, public.background_job_leases, public.background_job_slots;
  insert into public.background_job_ends (ended_at, type, jobs, created_hour, created, dead)
  select clock_timestamp(), d.type, 0, job_queue.hour_number(clock_timestamp()), 0, -d.jobs
  from job_queue.dead_letters() as d;
  return null;
end
$$;
comment on function job_queue.follow_truncate() is
  'After a truncate of background_jobs: nothing waits, runs, holds a slot or is in the dead letter any more.';

drop trigger background_jobs_follow_hand_delete on public.background_jobs;
create trigger background_jobs_follow_hand_delete after delete on public.background_jobs
  for each row when (old.status in ('queued', 'processing', 'failed'))
  execute function job_queue.follow_hand_edit();

revoke all on function job_queue.complete_held(uuid[], uuid[], jsonb, timestamptz),
  job_queue.note_completions(timestamptz, text[], integer[], integer[], integer[], integer[])
  from public, anon, authenticated, service_role;
