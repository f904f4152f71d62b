-- Claims that read no more than they give out: the ready rows in the order of their index (for a table that was just empty
-- the planner prefers a bitmap of all rows and a sort), and of the jobs only the columns that a claim answers.

-- A lease of 2,000 jobs is 32 kB of ids: out of line, but not compressed, because random bits do not get smaller.
alter table public.background_job_leases alter column job_ids set storage external;

drop function job_queue.pick_ready(text, timestamptz, integer, text[], text[], boolean);
create function job_queue.pick_ready(
  p_lane text, p_from timestamptz, p_now timestamptz, p_max_jobs integer, p_types text[], p_unfit text[], p_undecided text[],
  p_careful boolean, out ctids tid[], out ids uuid[], out keyed boolean, out first_at timestamptz)
language plpgsql
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  v_more record;
begin
  -- A job may run when its run_at is past. For priorities from 0 up that implies sort_at <= now, so the scan ends there.
  select array_agg(p.ctid), array_agg(p.id), coalesce(bool_or(p.concurrency_key is not null), false), min(p.sort_at)
  into ctids, ids, keyed, first_at
  from (
    select r.ctid, r.id, r.concurrency_key, r.sort_at from public.background_job_ready r
    where r.lane = p_lane and r.sort_at >= p_from and r.sort_at <= p_now and r.run_at <= p_now and r.expires_at > p_now
      and (p_types is null or r.type = any (p_types)) and not r.type = any (p_unfit)
      and (r.concurrency_key is null or not r.concurrency_key = any (p_undecided))
      and (not p_careful or job_queue.hold_waiting_job(r.id))
    order by r.sort_at, r.id limit p_max_jobs for update skip locked) p;
  if coalesce(cardinality(ids), 0) < p_max_jobs then
    select array_agg(p.ctid) as ctids, array_agg(p.id) as ids, coalesce(bool_or(p.concurrency_key is not null), false) as keyed
    into v_more
    from (
      select r.ctid, r.id, r.concurrency_key from public.background_job_ready r
      where r.lane = p_lane and r.sort_at > r.run_at and r.sort_at > p_now and r.sort_at < 'infinity'
        and r.run_at <= p_now and r.expires_at > p_now
        and (p_types is null or r.type = any (p_types)) and not r.type = any (p_unfit)
        and (r.concurrency_key is null or not r.concurrency_key = any (p_undecided))
        and (not p_careful or job_queue.hold_waiting_job(r.id))
      order by r.sort_at, r.id limit p_max_jobs - coalesce(cardinality(ids), 0) for update skip locked) p;
    ctids := ctids || v_more.ctids;
    ids := ids || v_more.ids;
    keyed := keyed or v_more.keyed;
  end if;
end
$$;
comment on function job_queue.pick_ready(text, timestamptz, timestamptz, integer, text[], text[], text[], boolean) is
  'Locks up to p_max_jobs runnable ready rows from p_from on, in order, none of the undecided concurrency keys; with p_careful their jobs'' rows too, passing by those that others hold. Null arrays when there is none.';

-- A transaction that stays open elsewhere keeps the ready rows alive that were claimed since it began, and every claim walks
-- over all of them: 10 ms after 60,000 jobs. So a claim that had to walk far notes where the line began, and for a second the
-- next ones start there; then one looks from the very front again, for what came in before that place meanwhile. Sequences
-- hold the notes, because they have no row versions and no transactions.
create sequence job_queue.edge_line_start;
create sequence job_queue.edge_line_noted;
create sequence job_queue.worker_line_start;
create sequence job_queue.worker_line_noted;

create function job_queue.line_start(p_lane text, p_now timestamptz) returns timestamptz
language plpgsql
set search_path = ''
as $$
declare
  v_start bigint;
  v_noted bigint;
begin
  case p_lane
    when 'edge' then
      select last_value into v_noted from job_queue.edge_line_noted;
      select last_value into v_start from job_queue.edge_line_start;
    when 'worker' then
      select last_value into v_noted from job_queue.worker_line_noted;
      select last_value into v_start from job_queue.worker_line_start;
    else return '-infinity';
  end case;
  -- In microseconds.
  if v_noted < extract(epoch from p_now) * 1000000 - 1000000 then return '-infinity'; end if;
  return timestamptz 'epoch' + v_start * interval '1 microsecond';
end
$$;
comment on function job_queue.line_start(text, timestamptz) is
  'Where a claim starts to look: -infinity unless one that walked far noted the place within the last second.';

create function job_queue.note_line_start(p_lane text, p_start timestamptz, p_now timestamptz) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_lane = 'edge' then
    -- The start first: with the note alone, a claim would start at an old place.
    perform setval('job_queue.edge_line_start', floor(extract(epoch from p_start) * 1000000)::bigint);
    perform setval('job_queue.edge_line_noted', (extract(epoch from p_now) * 1000000)::bigint);
  elsif p_lane = 'worker' then
    perform setval('job_queue.worker_line_start', floor(extract(epoch from p_start) * 1000000)::bigint);
    perform setval('job_queue.worker_line_noted', (extract(epoch from p_now) * 1000000)::bigint);
  end if;
end
$$;
comment on function job_queue.note_line_start(text, timestamptz, timestamptz) is
  'Notes where the line of the lane began for a claim that walked far. Visible to others at once.';

create function job_queue.pick_line(
  p_lane text, p_now timestamptz, p_max_jobs integer, p_types text[], p_unfit text[], p_undecided text[], p_careful boolean,
  out ctids tid[], out ids uuid[], out keyed boolean)
language plpgsql
set search_path = ''
as $$
declare
  v_from timestamptz := job_queue.line_start(p_lane, p_now);
  v_pages bigint;
  v_pick record;
begin
  loop
    v_pages := pg_stat_get_xact_blocks_fetched('public.background_job_ready'::regclass);
    select * into v_pick
    from job_queue.pick_ready(p_lane, v_from, p_now, p_max_jobs, p_types, p_unfit, p_undecided, p_careful);
    exit when v_pick.ids is not null or v_from = '-infinity';
    v_from := '-infinity';
  end loop;
  ctids := v_pick.ctids;
  ids := v_pick.ids;
  keyed := v_pick.keyed;
  -- A pick reads a page or two for each row that it locks. Far more are 5,000 rows or so that only an old snapshot sees.
  if v_from = '-infinity' and not p_careful and v_pick.first_at is not null
     and pg_stat_get_xact_blocks_fetched('public.background_job_ready'::regclass) - v_pages > 64 + 2 * cardinality(ids) then
    perform job_queue.note_line_start(p_lane, v_pick.first_at, p_now);
  end if;
end
$$;
comment on function job_queue.pick_line(text, timestamptz, integer, text[], text[], text[], boolean) is
  'pick_ready from where the line is known to start; from its very front when there is nothing behind that place.';

create function job_queue.require_claimable(p_lane text, p_types jsonb) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if p_lane is null or p_lane not in ('inline', 'edge', 'worker') then
    raise exception using errcode = 'PT400', message = format('lane: expected inline, edge or worker, got %L', p_lane);
  elsif p_types is not null and p_types <> 'null' and (jsonb_typeof(p_types) <> 'array' or exists (
      select from jsonb_array_elements(case jsonb_typeof(p_types) when 'array' then p_types end) as e(type)
      where jsonb_typeof(e.type) <> 'string')) then
    raise exception using errcode = 'PT400', message = format('types: expected an array of job types, got %s', left(p_types::text, 100));
  end if;
end
$$;
comment on function job_queue.require_claimable(text, jsonb) is
  'Returns nothing; refuses (PT400) an unknown lane and types that are no array of texts.';

create function job_queue.unfit_types(p_fit_seconds integer) returns text[]
language plpgsql stable
set search_path = ''
as $$
begin
  if p_fit_seconds is null then return job_queue.held_types(); end if;
  return job_queue.held_types()
    || array(select t.type from public.job_types t where t.p95_duration_ms > p_fit_seconds::bigint * 1000);
end
$$;
comment on function job_queue.unfit_types(integer) is
  'Types of which nothing may start now, and those that usually take longer than p_fit_seconds (null: no limit).';

create function job_queue.keep_startable(
  p_ctids tid[], p_keyed boolean, out ctids tid[], out ids uuid[], out undecided text[], out parked boolean, out throttled boolean)
language plpgsql
set search_path = ''
as $$
begin
  select p_ctids, '{}'::text[], false, false into ctids, undecided, parked, throttled;
  if p_keyed then
    select t.ctids, t.ids, t.undecided, t.parked into ctids, ids, undecided, parked from job_queue.take_slots(p_ctids) as t;
  end if;
  if ctids is not null and exists (select from public.job_types t where t.throttle_limit is not null) then
    select t.ctids, t.ids into ctids, ids from job_queue.take_starts(ctids) as t;
    throttled := ids is null;
  end if;
end
$$;
comment on function job_queue.keep_startable(tid[], boolean) is
  'Of the locked ready rows those that concurrency keys and throttles let start; ids stays null where neither was asked. undecided: keys that another transaction decides about; parked: some were; throttled: none may start for their throttles.';

drop function job_queue.lease_jobs(uuid[], text, text, timestamptz, integer, boolean);
create function job_queue.lease_jobs(
  p_ids uuid[], p_lane text, p_worker text, p_now timestamptz, p_lease_seconds integer, p_due_only boolean, p_keyed boolean)
returns table (
  id uuid, type text, payload jsonb, retry_count integer, max_retries integer, timeout_seconds integer,
  lease_token uuid, steps jsonb, run_at timestamptz, expires_at timestamptz)
language plpgsql
set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  v_token uuid := gen_random_uuid();
  v_until timestamptz := p_now + make_interval(secs => p_lease_seconds);
  v_stepped boolean := exists (select from public.background_job_steps s where s.job_id = any (p_ids));
  v_leased integer;
begin
  -- A nested loop over the ids, so that the rows come in their order, which is the claim's.
  return query
    update public.background_jobs j
    set revision = j.revision + 1, status = 'processing', started_at = p_now, lease_token = v_token, lease_until = v_until,
        step_saved = false
    from unnest(p_ids) as u(id)
    where j.id = u.id and j.status = 'queued'
      and (not p_due_only or (j.lane = p_lane and j.run_at <= p_now and j.expires_at > p_now))
    returning j.id, j.type, j.payload, j.retry_count, j.max_retries, j.timeout_seconds, v_token,
      case when v_stepped then coalesce((
        select jsonb_object_agg(s.name, s.output) from public.background_job_steps s where s.job_id = j.id), '{}') else '{}' end,
      j.run_at, j.expires_at;
  get diagnostics v_leased = row_count;
  if v_leased = 0 then return; end if;
  insert into public.background_job_leases (token, worker, lane, claimed_at, lease_until, remaining, job_ids)
  values (v_token, p_worker, p_lane, p_now, v_until, v_leased, p_ids);
  if p_keyed then
    insert into public.background_job_slots (job_id, concurrency_key)
    select j.id, j.concurrency_key from public.background_jobs j
    where j.id = any (p_ids) and j.lease_token = v_token and j.concurrency_key is not null and j.lane <> 'inline';
  end if;
end
$$;
comment on function job_queue.lease_jobs(uuid[], text, text, timestamptz, integer, boolean, boolean) is
  'Gives the queued ones of the jobs to the worker under one new lease token, and returns what a claim answers, in the order of the ids. The lease names the others too; they do not bear its token.';

create or replace function public.claim_background_jobs(
  lane text, worker text, max_jobs integer, lease_seconds integer, fit_seconds integer default null,
  types jsonb default null)
returns table (
  id uuid, type text, payload jsonb, retry_count integer, max_retries integer, timeout_seconds integer,
  lease_token uuid, steps jsonb, run_at timestamptz, expires_at timestamptz)
language plpgsql security definer
set search_path = '' set lock_timeout = '100ms' set enable_seqscan = off set jit = off set plan_cache_mode = force_generic_plan
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_types text[] := case when jsonb_typeof(types) = 'array' then array(select jsonb_array_elements_text(types)) end;
  v_unfit text[];
  v_undecided text[] := '{}';
  v_left integer := max_jobs;
  v_passes integer := 0;
  v_pick record;
  v_kept record;
  v_careful boolean := false;
  v_claimed bigint;
begin
  perform job_queue.require_claimable(lane, types);
  perform job_queue.require_claim_arguments(worker, max_jobs, lease_seconds);
  v_unfit := job_queue.unfit_types(fit_seconds);
  if exists (select from public.background_job_freed_keys) then perform job_queue.unpark_jobs(); end if;
  loop
    begin
      select * into v_pick from job_queue.pick_line(lane, v_now, v_left, v_types, v_unfit, v_undecided, v_careful);
      exit when v_pick.ids is null;
      select * into v_kept from job_queue.keep_startable(v_pick.ctids, v_pick.keyed);
      if v_kept.ctids is not null then
        delete from public.background_job_ready r where r.ctid = any (v_kept.ctids);
        return query
          select j.* from job_queue.lease_jobs(
            coalesce(v_kept.ids, v_pick.ids), lane, worker, v_now, lease_seconds, true, v_pick.keyed) as j;
        get diagnostics v_claimed = row_count;
        if v_claimed < cardinality(v_kept.ctids) then perform job_queue.put_back(coalesce(v_kept.ids, v_pick.ids)); end if;
        v_left := v_left - v_claimed::integer;
      end if;
      v_passes := v_passes + 1;
      v_undecided := v_undecided || v_kept.undecided;
      if v_kept.throttled then
        -- The front of the line may not start now: look behind it.
        v_unfit := v_unfit || array(select t.type from public.job_types t where t.throttle_limit is not null);
      end if;
      -- Behind jobs that had to stay there are others. With something to show, a claim does not look for ever.
      exit when v_left = 0 or (v_left < max_jobs and v_passes >= 4)
        or not (v_kept.parked or v_kept.throttled or v_kept.undecided <> '{}');
    exception when lock_not_available then
      -- Somebody's open transaction holds one of these jobs' rows. Again, with only the jobs that nobody holds.
      if v_careful then raise; end if;
      v_careful := true;
    end;
  end loop;
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
    select j.* from job_queue.lease_jobs(
      array[v_job.id], v_job.lane, worker, v_now, lease_seconds, false, v_job.concurrency_key is not null) as j;
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

revoke all on function job_queue.pick_line(text, timestamptz, integer, text[], text[], text[], boolean),
  job_queue.require_claimable(text, jsonb), job_queue.unfit_types(integer), job_queue.keep_startable(tid[], boolean)
  from public, anon, authenticated, service_role;
revoke all on function job_queue.line_start(text, timestamptz), job_queue.note_line_start(text, timestamptz, timestamptz)
  from public, anon, authenticated, service_role;
revoke all on function job_queue.lease_jobs(uuid[], text, text, timestamptz, integer, boolean, boolean)
  from public, anon, authenticated, service_role;
revoke all on function job_queue.pick_ready(text, timestamptz, timestamptz, integer, text[], text[], text[], boolean)
  from public, anon, authenticated, service_role;
