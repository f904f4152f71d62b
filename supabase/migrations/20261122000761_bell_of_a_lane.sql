-- The bell rings for a lane: a worker that waits on another one does not make the enqueue notify.

create or replace function job_queue.ring() returns void
language plpgsql
set search_path = '' set enable_seqscan = off set enable_bitmapscan = off
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_lane text;
begin
  for v_lane in
    select distinct l.lane from public.background_job_workers w cross join lateral unnest(w.lanes) as l(lane) where w.idle
  loop
    -- What the caller has just made claimable is among the rows that are looked for: mostly one probe of an index.
    if exists (
         select from public.background_job_ready r
         where r.lane = v_lane and r.sort_at <= v_now and r.run_at <= v_now)
       or exists (
         select from public.background_job_ready r
         where r.lane = v_lane and r.sort_at > r.run_at and r.sort_at > v_now and r.run_at <= v_now) then
      perform pg_notify('background_job_ready', '');
      return;
    end if;
  end loop;
end
$$;
comment on function job_queue.ring() is
  'Tells waiting workers, at commit, that there is work, if there is any on a lane of one of them. A worker that has just begun to wait looks once more, and everyone looks once a second.';
comment on table public.background_job_workers is
  'Always-on worker processes, renewed every 10 s; one not seen for a minute is removed by the sweep. idle: it has room for a job and waits for the bell.';
