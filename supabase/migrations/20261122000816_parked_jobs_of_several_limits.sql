-- Parked jobs of one key may have different limits: a deploy raised it. Those that the key has no room for under their own
-- limit no longer stand in the way of the others.

drop index public.background_job_ready_parked;
create index background_job_ready_parked
  on public.background_job_ready (concurrency_key, concurrency_limit, line_at, id) where line_at is not null;

create function job_queue.parked_limits(p_key text, p_busy bigint) returns setof integer
language plpgsql stable
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  v_limit bigint := p_busy;
begin
  loop
    select r.concurrency_limit into v_limit from public.background_job_ready r
    where r.concurrency_key = p_key and r.concurrency_limit > v_limit and r.line_at is not null
    order by r.concurrency_limit limit 1;
    exit when v_limit is null;
    return next v_limit::integer;
  end loop;
end
$$;
comment on function job_queue.parked_limits(text, bigint) is
  'The limits, smallest first, of the key''s parked jobs that may run beside p_busy others.';

create or replace function job_queue.unpark_jobs() returns void
language plpgsql
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  v_keys text[] := array(
    select k.concurrency_key
    from (select distinct f.concurrency_key from public.background_job_freed_keys f order by 1 limit 1000) k
    where job_queue.lock_key(k.concurrency_key));
begin
  if v_keys = '{}' then return; end if;
  delete from public.background_job_freed_keys f where f.concurrency_key = any (v_keys);
  -- A statement of its own, whose snapshot is taken after the locks: it sees what their last holders parked and took.
  with parked as materialized (
    select n.ctid
    from unnest(v_keys) as k(key)
    cross join lateral (select count(*) as busy from public.background_job_slots s where s.concurrency_key = k.key) b
    cross join lateral (
      select p.ctid, p.concurrency_limit, row_number() over (order by p.line_at, p.id) as nth
      from job_queue.parked_limits(k.key, b.busy) as l(concurrency_limit)
      cross join lateral (
        select x.ctid, x.concurrency_limit, x.line_at, x.id from public.background_job_ready x
        where x.concurrency_key = k.key and x.concurrency_limit = l.concurrency_limit and x.line_at is not null
        order by x.line_at, x.id limit l.concurrency_limit - b.busy for update skip locked) p) n
    where n.nth <= n.concurrency_limit - b.busy
  )
  update public.background_job_ready r set sort_at = r.line_at, line_at = null
  where r.ctid = any (array(select p.ctid from parked p));
  if found then perform job_queue.ring(); end if;
end
$$;
comment on function job_queue.unpark_jobs() is
  'Puts parked jobs of noted keys back in line, as many as their keys let run, each by its own limit, and takes the notes away. Notes whose key another transaction decides about stay.';

revoke all on function job_queue.parked_limits(text, bigint) from public, anon, authenticated, service_role;
