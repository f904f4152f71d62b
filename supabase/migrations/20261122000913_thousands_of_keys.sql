-- Claims under thousands of concurrency keys. An array in a parameter is searched from its beginning for every row, a subquery
-- is hashed: with 4,000 keys and four workers, claims took minutes, each with the locks that made the others look on.

create or replace function job_queue.pick_ready(
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
      and (r.concurrency_key is null or r.concurrency_key not in (select unnest(p_undecided)))
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
        and (r.concurrency_key is null or r.concurrency_key not in (select unnest(p_undecided)))
        and (not p_careful or job_queue.hold_waiting_job(r.id))
      order by r.sort_at, r.id limit p_max_jobs - coalesce(cardinality(ids), 0) for update skip locked) p;
    ctids := ctids || v_more.ctids;
    ids := ids || v_more.ids;
    keyed := keyed or v_more.keyed;
  end if;
end
$$;

create or replace function job_queue.take_slots(
  p_ctids tid[], out ctids tid[], out ids uuid[], out undecided text[], out parked boolean)
language plpgsql
set search_path = ''
as $$
declare
  v_keys text[];
  v_full text[];
  v_parked tid[];
begin
  -- One claimer per key at a time decides about it; the others leave the key's jobs alone. The lock lives until commit,
  -- so the count that the next one reads includes our slots.
  select coalesce(array_agg(k.key) filter (where k.ours), '{}'), coalesce(array_agg(k.key) filter (where not k.ours), '{}')
  into v_keys, undecided
  from (
    select d.key, job_queue.lock_key(d.key) as ours
    from (select distinct r.concurrency_key as key from public.background_job_ready r
          where r.ctid = any (p_ctids) and r.concurrency_key is not null order by 1) d) k;
  select array_agg(c.ctid order by c.sort_at, c.id), array_agg(c.id order by c.sort_at, c.id) into ctids, ids
  from (
    select r.ctid, r.sort_at, r.id, r.concurrency_key, r.concurrency_limit, b.busy,
           row_number() over (partition by r.concurrency_key order by r.sort_at, r.id) as nth
    from public.background_job_ready r
    left join (
      select s.concurrency_key, count(*) as busy from public.background_job_slots s
      where s.concurrency_key = any (v_keys) group by s.concurrency_key) b on b.concurrency_key = r.concurrency_key
    where r.ctid = any (p_ctids)) c
  where c.concurrency_key is null
     or (c.concurrency_key in (select unnest(v_keys)) and c.nth <= c.concurrency_limit - coalesce(c.busy, 0));
  with parking as (
    update public.background_job_ready r set line_at = r.sort_at, sort_at = 'infinity'
    where r.ctid = any (p_ctids) and r.ctid not in (select unnest(coalesce(ctids, '{}')))
      and r.concurrency_key in (select unnest(v_keys))
    returning r.ctid, r.concurrency_key
  )
  select array_agg(p.ctid), array_agg(distinct p.concurrency_key) into v_parked, v_full from parking p;
  parked := v_parked is not null;
  if parked then
    perform job_queue.park_alike(v_parked, coalesce(ctids, '{}'));
    -- More of the same keys may follow. One claim does not work off all of them.
    undecided := undecided || v_full;
  end if;
end
$$;

create or replace function job_queue.park_alike(p_parked tid[], p_kept tid[]) returns void
language plpgsql
-- The line in the order of its index, whatever the statistics say about a table that was empty a moment ago.
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_lane text;
  v_from timestamptz;
begin
  select min(r.lane), min(r.line_at) into v_lane, v_from from public.background_job_ready r where r.ctid = any (p_parked);
  -- A stretch of the line, not its end: free jobs in it cost next to nothing, and the next claim goes on from there.
  update public.background_job_ready r set line_at = r.sort_at, sort_at = 'infinity'
  where r.ctid = any (array(
    select x.ctid from public.background_job_ready x
    where x.ctid = any (array(
      select w.ctid
      from (select y.ctid, y.run_at, y.type, y.concurrency_key, y.concurrency_limit from public.background_job_ready y
            where y.lane = v_lane and y.sort_at >= v_from and y.sort_at < 'infinity'
            order by y.sort_at, y.id limit 1000) w
      join (select p.concurrency_key, p.type, max(p.concurrency_limit) as concurrency_limit
            from public.background_job_ready p where p.ctid = any (p_parked) group by 1, 2) f
        on f.concurrency_key = w.concurrency_key and f.type = w.type and f.concurrency_limit >= w.concurrency_limit
      where w.run_at <= v_now and w.ctid not in (select unnest(p_kept))))
    for update skip locked));
end
$$;

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
      -- Behind jobs that had to stay there are others. With something to show, a claim does not look for ever; and with locks
      -- on a thousand keys it holds up the claims beside it, which then look as long: the next claim goes on.
      exit when v_left = 0 or (v_left < max_jobs and v_passes >= 4) or cardinality(v_undecided) > 1000
        or not (v_kept.parked or v_kept.throttled or v_kept.undecided <> '{}');
    exception when lock_not_available then
      -- Somebody's open transaction holds one of these jobs' rows. Again, with only the jobs that nobody holds.
      if v_careful then raise; end if;
      v_careful := true;
    end;
  end loop;
end
$$;
