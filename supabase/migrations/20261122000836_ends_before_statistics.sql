-- The jobs that ended before their ends were counted, once: those of the last 35 days, with what their rows say today.

create function job_queue.note_old_ends(p_after uuid, p_rows integer) returns uuid
language plpgsql
set search_path = '' set enable_seqscan = off set enable_sort = off set jit = off
as $$
declare
  v_ids uuid[] := array(select j.id from public.background_jobs j where j.id > p_after order by j.id limit p_rows);
  v_least uuid := v_ids[1];
  v_last uuid := v_ids[cardinality(v_ids)];
begin
  insert into public.background_job_ends (ended_at, type, outcome, jobs, created_hour, created, dead, durations, actives, waits)
  select e.ended_at, e.type, e.status, count(*), e.created_hour, count(*), case e.status when 'failed' then count(*) else 0 end,
    array_agg(job_queue.noted_ms(e.duration_ms)) filter (where e.status = 'completed' and e.duration_ms is not null),
    array_agg(job_queue.noted_ms(e.active_ms)) filter (where e.status = 'completed' and e.duration_ms is not null), array_agg(e.wait_ms)
  from (
    select j.type, j.status, j.duration_ms, j.active_ms, job_queue.hour_number(j.created_at) as created_hour,
      -- Minutes are kept for two days.
      date_bin(case when t.ended_at < now() - interval '2 days' then interval '1 hour' else interval '1 minute' end,
        t.ended_at, 'epoch') as ended_at,
      job_queue.wait_ms(j) as wait_ms
    from public.background_jobs j
    cross join lateral (
      select coalesce(j.completed_at, j.failed_at, j.cancel_requested_at, j.started_at, j.created_at) as ended_at) t
    where j.id between v_least and v_last and j.status in ('completed', 'failed', 'cancelled')
      and t.ended_at > now() - interval '35 days' and isfinite(t.ended_at)) e
  group by e.ended_at, e.type, e.status, e.created_hour;
  return v_last;
end
$$;
comment on function job_queue.note_old_ends(uuid, integer) is
  'Notes the ends of the next p_rows jobs behind the id, as their rows tell them, and returns the last id; null after the last job.';

create function job_queue.recount_ends() returns void
language plpgsql
set search_path = ''
as $$
declare
  v_last uuid := '00000000-0000-0000-0000-000000000000';
begin
  -- No end slips by between the reading and the commit.
  lock table public.background_jobs in share row exclusive mode;
  truncate public.background_job_ends, public.job_rollups, public.job_creations, public.job_dead_letters,
    public.job_recent_ends;
  update public.job_rollup_progress p set upto = date_bin(('1 ' || p.grain)::interval, now(), 'epoch');
  loop
    v_last := job_queue.note_old_ends(v_last, 200000);
    exit when v_last is null;
    while job_queue.fold_ends(now()) > 0 loop null; end loop;
  end loop;
  -- Those that failed longer ago, too.
  truncate public.job_dead_letters;
  insert into public.job_dead_letters (type, jobs)
  select j.type, count(*) from public.background_jobs j where j.status = 'failed' group by j.type;
  perform job_queue.forget_rollups(now());
end
$$;
comment on function job_queue.recount_ends() is
  'Counts all statistics again from the rows that are there, of the last 35 days; nobody else can write background_jobs meanwhile.';

select job_queue.recount_ends();

revoke all on function job_queue.note_old_ends(uuid, integer), job_queue.recount_ends()
  from public, anon, authenticated, service_role;
