-- No parked job is forgotten while its key has room, however many keys have parked jobs: the sweep looks at all of them, no
-- longer at the first thousand; and one that was put back in line and then taken out of it leaves a note for its siblings.

create or replace function job_queue.refresh_parked() returns void
language plpgsql
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
begin
  -- The distinct keys by steps through the index, a few microseconds each: the rows of one key may be many.
  with recursive keys as (
    (select r.concurrency_key as key from public.background_job_ready r
     where r.line_at is not null order by r.concurrency_key limit 1)
    union all
    select (select r.concurrency_key from public.background_job_ready r
            where r.line_at is not null and r.concurrency_key > k.key order by r.concurrency_key limit 1)
    from keys k where k.key is not null
  )
  insert into public.background_job_freed_keys (concurrency_key)
  select k.key from keys k
  where (select max(r.concurrency_limit) from public.background_job_ready r
         where r.concurrency_key = k.key and r.line_at is not null)
      > (select count(*) from public.background_job_slots s where s.concurrency_key = k.key)
    and not exists (select from public.background_job_freed_keys f where f.concurrency_key = k.key);
  perform job_queue.unpark_jobs();
end
$$;
comment on function job_queue.refresh_parked() is
  'Notes every key with room for one of its parked jobs, whether or not somebody freed a slot: a limit raised by hand, or a job put back in line whose type is paused, wrote no note. Then puts jobs back, for up to 1,000 keys; claims go on with the rest.';

create or replace function job_queue.remove_ready(p_lane text, p_sort_at timestamptz, p_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Waits for a claim that holds the ready row. This cannot deadlock, although that claim may wait for the job's row,
  -- which our caller holds: its lock_timeout makes it let go of the ready row after 100 ms, long before deadlock_timeout.
  with removed as (
    delete from public.background_job_ready r
    where r.lane = p_lane and r.sort_at in (p_sort_at, 'infinity') and r.id = p_id
    returning r.concurrency_key, r.line_at
  )
  -- It may have been put back in line for a slot that now nobody takes.
  insert into public.background_job_freed_keys (concurrency_key)
  select x.concurrency_key from removed x where x.concurrency_key is not null and x.line_at is null;
end
$$;
