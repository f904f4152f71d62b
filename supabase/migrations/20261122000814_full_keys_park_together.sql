-- A claim that finds a concurrency key full parks the key's jobs a thousand at a time and passes by the rest. Before, it
-- parked as many as it had picked: with max_jobs = 1 and a long line of one key that was one pass for each of them, all in
-- one transaction (16,000 jobs took 105 s, and a statement timeout took everything back).

create function job_queue.park_alike(p_parked tid[], p_kept tid[]) returns void
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
      where w.run_at <= v_now and w.ctid <> all (p_kept)))
    for update skip locked));
end
$$;
comment on function job_queue.park_alike(tid[], tid[]) is
  'Parks what stands within 1,000 places behind the parked rows and cannot run either: same key and type, no higher limit, due. Not the kept ones, which the claim takes.';

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
     or (c.concurrency_key = any (v_keys) and c.nth <= c.concurrency_limit - coalesce(c.busy, 0));
  with parking as (
    update public.background_job_ready r set line_at = r.sort_at, sort_at = 'infinity'
    where r.ctid = any (p_ctids) and not r.ctid = any (coalesce(ctids, '{}')) and r.concurrency_key = any (v_keys)
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
comment on function job_queue.take_slots(tid[]) is
  'Of the locked ready rows those that their concurrency keys let run; the keys are locked until the transaction ends. Those whose keys are full are parked, and others like them; undecided: keys that this claim passes by from now on, because another transaction decides about them or because they are full.';

revoke all on function job_queue.park_alike(tid[], tid[]) from public, anon, authenticated, service_role;
