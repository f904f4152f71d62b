-- The jobs that ended before their ends were counted, once: those of the last 35 days, with what their rows say today.

create function job_queue.note_old_ends(p_after uuid, p_rows integer) returns uuid
language plpgsql
set search_path = '' set enable_seqscan = off set jit = off
as $$
declare
  v_last uuid := (select j.id from public.background_jobs j where j.id > p_after order by j.id offset p_rows - 1 limit 1);
begin
  -- The last portion is smaller.
  v_last := coalesce(v_last, (select j.id from public.background_jobs j where j.id > p_after order by j.id desc limit 1));
  insert into public.background_job_ends (ended_at, type, outcome, jobs, created_hour, created, dead, durations, actives, waits)
  select e.ended_at, e.type, e.status, count(*), e.created_hour, count(*), 0,
    array_agg(e.duration) filter (where e.duration is not null), array_agg(e.active) filter (where e.duration is not null),
    array_agg(e.wait)
  from (
    -- As note_ends, without its calls for each row. Minutes are read for the last day.
    select j.type, j.status,
      date_bin(case when t.ended_at < now() - interval '26 hours' then interval '1 hour' else interval '1 minute' end,
        t.ended_at, 'epoch') as ended_at,
      floor(date_part('epoch', t.created_at) / 3600)::integer as created_hour,
      case when j.status = 'completed' then greatest(0, least(j.duration_ms, 2147483647))::integer end as duration,
      greatest(0, least(j.active_ms, 2147483647))::integer as active,
      case when isfinite(j.started_at) then least(date_part('epoch',
        j.started_at - greatest(least(greatest(j.run_at, j.created_at), j.started_at), 'epoch')) * 1000, 2147483647)::integer end as wait
    from public.background_jobs j
    cross join lateral (
      select coalesce(j.completed_at, j.failed_at, j.cancel_requested_at, j.started_at, j.created_at) as ended_at,
        case when isfinite(j.created_at) then j.created_at else 'epoch' end as created_at) t
    where j.id > p_after and j.id <= v_last and j.status in ('completed', 'failed', 'cancelled')
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
