-- From the log of ends to minutes, from minutes to hours, from hours to days. Each is written once, when it is over, so that
-- a few jobs now and then cost a few small rows; what comes late is added as a further part of the minute, hour and day.

create table public.job_rollups (
  grain text not null,
  starts_at timestamptz not null,
  type text not null,
  part bigint not null generated always as identity,
  completed bigint not null,
  failed bigint not null,
  cancelled bigint not null,
  duration_buckets smallint[],
  duration_jobs bigint[],
  duration_totals double precision[],
  min_duration_ms bigint,
  max_duration_ms bigint,
  wait_buckets smallint[],
  wait_jobs bigint[],
  wait_totals double precision[],
  min_wait_ms bigint,
  max_wait_ms bigint,
  constraint job_rollups_pkey primary key (part),
  constraint job_rollups_grain_known check (grain in ('minute', 'hour', 'day'))
);
create index job_rollups_grain_starts_at_type_idx on public.job_rollups (grain, starts_at, type);
comment on table public.job_rollups is
  'How many jobs ended and how long they took, by minute (kept for two days), hour (35 days) and day (400 days) in UTC. Rows of the same grain, time and type are parts of one: add them up. Rows of background_jobs may be pruned: this stays.';
comment on column public.job_rollups.type is 'Empty: all types together.';
comment on column public.job_rollups.duration_buckets is
  'Histogram of the last slices of completed jobs: floor(21 ln(ms + 1)). A bucket is 4.9 % wide, so that whole milliseconds in one bucket differ by at most 5 %.';
comment on column public.job_rollups.duration_jobs is 'Jobs in each of the buckets.';
comment on column public.job_rollups.duration_totals is 'Sum of the milliseconds of the jobs in each of the buckets.';
comment on column public.job_rollups.wait_buckets is 'As duration_buckets, for the waits of ended jobs from run_at to their last start.';

create table public.job_rollup_progress (
  grain text not null,
  upto timestamptz not null,
  constraint job_rollup_progress_pkey primary key (grain),
  constraint job_rollup_progress_grain_known check (grain in ('hour', 'day'))
);
comment on table public.job_rollup_progress is
  'What began before upto is counted in the grain: readers take hours up to there, and minutes from there on.';
insert into public.job_rollup_progress (grain, upto)
values ('hour', date_bin('1 hour', now(), 'epoch')), ('day', date_bin('1 day', now(), 'epoch'));

create table public.job_recent_ends (
  type text not null,
  ended_at timestamptz[] not null,
  durations integer[] not null,
  actives integer[] not null,
  constraint job_recent_ends_pkey primary key (type)
);
comment on table public.job_recent_ends is
  'Of the newest 200 completed jobs of the type, the newest first: when they ended, milliseconds of the last slice, and of all slices. Routing is measured by them.';

alter table public.job_rollups enable row level security;
alter table public.job_rollup_progress enable row level security;
alter table public.job_recent_ends enable row level security;
revoke all on public.job_rollups, public.job_rollup_progress, public.job_recent_ends
  from public, anon, authenticated, service_role;
revoke all on sequence public.job_rollups_part_seq from public, anon, authenticated, service_role;
grant select on public.job_rollups, public.job_rollup_progress, public.job_recent_ends to service_role;

create function job_queue.add_up(p_grain text, p_rows tid[], p_parts bigint[] default null) returns bigint[]
language plpgsql
set search_path = '' set enable_nestloop = off set jit = off
as $$
declare
  v_width constant interval := ('1 ' || p_grain)::interval;
  v_parts bigint[];
begin
  with sources as (
    select date_bin(v_width, e.ended_at, 'epoch') as start, e.type, case e.outcome when 'completed' then e.jobs else 0 end as completed,
      case e.outcome when 'failed' then e.jobs else 0 end as failed, case e.outcome when 'cancelled' then e.jobs else 0 end as cancelled,
      e.durations, e.waits, null::public.job_rollups as r
    from public.background_job_ends e where e.ctid = any (p_rows) and e.outcome is not null
    union all
    select date_bin(v_width, r.starts_at, 'epoch'), r.type, r.completed, r.failed, r.cancelled, null, null, r
    from public.job_rollups r where r.part = any (p_parts)
  ), keyed as materialized (
    -- Numbers for start and type: they are sorted and hashed three times as fast. What comes from the log is added up for
    -- all types together, too; of the parts some are so already.
    select s.*, 2 * dense_rank() over (order by s.start, s.type) as key,
      case when p_rows is not null then 2 * dense_rank() over (order by s.start) + 1 end as total_key
    from sources s
  ), slots as (
    select p.slot, sum(p.jobs)::bigint as jobs, sum(p.total) as total, min(p.ms) as least, max(p.ms) as most
    from (
      select u.place + floor(ln(u.ms + 1.0::double precision) * 21)::integer as slot, 1 as jobs, u.ms::double precision as total, u.ms
      from (select k.key * 2048 as place, unnest(k.durations) as ms from keyed k
            union all select k.key * 2048 + 1024, unnest(k.waits) from keyed k) u
      where u.ms is not null
      union all
      select k.key * 2048 + unnest((k.r).duration_buckets), unnest((k.r).duration_jobs), unnest((k.r).duration_totals), null from keyed k
      union all
      select k.key * 2048 + 1024 + unnest((k.r).wait_buckets), unnest((k.r).wait_jobs), unnest((k.r).wait_totals), null from keyed k) p
    group by p.slot
  ), keys as materialized (
    select k.key, k.total_key, k.start, k.type, sum(k.completed) as completed, sum(k.failed) as failed, sum(k.cancelled) as cancelled,
      min((k.r).min_duration_ms) as min_duration, max((k.r).max_duration_ms) as max_duration,
      min((k.r).min_wait_ms) as min_wait, max((k.r).max_wait_ms) as max_wait
    from keyed k group by k.key, k.total_key, k.start, k.type
  ), histograms as (
    select a.slot / 1024 as measure, array_agg((a.slot % 1024)::smallint order by a.slot) as buckets,
      array_agg(a.jobs order by a.slot) as jobs, array_agg(a.total order by a.slot) as totals, min(a.least) as least, max(a.most) as most
    from (
      select s.* from slots s
      union all
      select k.total_key * 2048 + s.slot % 2048, sum(s.jobs)::bigint, sum(s.total), min(s.least), max(s.most)
      from slots s join keys k on k.key = s.slot / 2048 where k.total_key is not null group by 1) a
    group by 1
  ), written as (
    insert into public.job_rollups (
      grain, starts_at, type, completed, failed, cancelled, duration_buckets, duration_jobs, duration_totals,
      min_duration_ms, max_duration_ms, wait_buckets, wait_jobs, wait_totals, min_wait_ms, max_wait_ms)
    select p_grain, k.start, k.type, k.completed, k.failed, k.cancelled, d.buckets, d.jobs, d.totals,
      least(k.min_duration, d.least), greatest(k.max_duration, d.most), w.buckets, w.jobs, w.totals,
      least(k.min_wait, w.least), greatest(k.max_wait, w.most)
    from (
      select k.key, k.start, k.type, k.completed, k.failed, k.cancelled, k.min_duration, k.max_duration, k.min_wait, k.max_wait
      from keys k
      union all
      select k.total_key, k.start, '', sum(k.completed), sum(k.failed), sum(k.cancelled), null, null, null, null
      from keys k where k.total_key is not null group by k.total_key, k.start) k
    left join histograms d on d.measure = k.key * 2
    left join histograms w on w.measure = k.key * 2 + 1
    returning part
  )
  select array_agg(w.part) into v_parts from written w;
  return v_parts;
end
$$;
comment on function job_queue.add_up(text, tid[], bigint[]) is
  'Adds up rows of the log to minutes, or parts of the next finer grain to hours or days, and returns the new parts.';

create function job_queue.roll_up_periods(p_now timestamptz) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_grain text;
  v_from timestamptz;
  v_upto timestamptz;
begin
  foreach v_grain in array array['hour', 'day'] loop
    select p.upto into v_from from public.job_rollup_progress p where p.grain = v_grain;
    v_upto := date_bin(('1 ' || v_grain)::interval, p_now, 'epoch');
    continue when v_upto <= v_from;
    perform job_queue.add_up(v_grain, null, array(
      select r.part from public.job_rollups r
      where r.grain = case v_grain when 'hour' then 'minute' else 'hour' end and r.starts_at >= v_from and r.starts_at < v_upto));
    update public.job_rollup_progress p set upto = v_upto where p.grain = v_grain;
  end loop;
end
$$;
comment on function job_queue.roll_up_periods(timestamptz) is
  'Adds up the hours and days that are over by now. Under the lock of fold_ends. Never refuses.';

create function job_queue.fold_corrections(p_rows tid[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.job_creations as c (hour, type, jobs)
  select to_timestamp(e.created_hour * 3600.0), e.type, sum(e.created)
  from public.background_job_ends e where e.ctid = any (p_rows)
  group by 1, 2 having sum(e.created) <> 0
  on conflict (hour, type) do update set jobs = c.jobs + excluded.jobs;
  insert into public.job_dead_letters as d (type, jobs)
  select e.type, sum(e.dead) from public.background_job_ends e where e.ctid = any (p_rows)
  group by 1 having sum(e.dead) <> 0
  on conflict (type) do update set jobs = d.jobs + excluded.jobs;
end
$$;
comment on function job_queue.fold_corrections(tid[]) is
  'Adds rows of the log to the jobs by hour of creation, and to the length of the dead letter.';

create function job_queue.fold_recent_ends(p_rows tid[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  with fresh as materialized (
    select e.type, e.ended_at, unnest(e.durations) as duration, unnest(coalesce(e.actives, e.durations)) as active
    -- No more of the log than holds 200 jobs.
    from (select x.type, x.ended_at, x.durations, x.actives,
            sum(x.jobs) over (partition by x.type order by x.ended_at desc rows unbounded preceding) - x.jobs as newer
          from public.background_job_ends x where x.ctid = any (p_rows) and x.outcome = 'completed') e
    where e.newer < 200
  ), known as (
    select r.type, unnest(r.ended_at) as ended_at, unnest(r.durations) as duration, unnest(r.actives) as active
    from public.job_recent_ends r where r.type in (select f.type from fresh f)
  )
  insert into public.job_recent_ends as r (type, ended_at, durations, actives)
  select n.type, (array_agg(n.ended_at order by n.ended_at desc))[1:200],
    (array_agg(n.duration order by n.ended_at desc))[1:200], (array_agg(n.active order by n.ended_at desc))[1:200]
  from (select f.* from fresh f union all select k.* from known k) n
  where n.duration is not null
  group by n.type
  on conflict (type) do update set ended_at = excluded.ended_at, durations = excluded.durations, actives = excluded.actives;
end
$$;
comment on function job_queue.fold_recent_ends(tid[]) is 'Puts the newest completions of the log among the recent ones of their types.';

create function job_queue.fold_ends(p_now timestamptz, p_max integer default 100000) returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_rows tid[];
  v_parts bigint[];
begin
  -- One at a time, because who reads the log and who adds hours up must not cross.
  if not pg_try_advisory_xact_lock(hashtextextended('job_queue.fold_ends', 0)) then return 0; end if;
  v_rows := array(select e.ctid from public.background_job_ends e limit p_max);
  if v_rows <> '{}' then
    v_parts := job_queue.add_up('minute', v_rows);
    perform job_queue.fold_corrections(v_rows);
    perform job_queue.fold_recent_ends(v_rows);
    delete from public.background_job_ends e where e.ctid = any (v_rows);
    -- Late ones: their hours and days are added up already.
    v_parts := job_queue.add_up('hour', null, array(
      select r.part from public.job_rollups r join public.job_rollup_progress p on p.grain = 'hour'
      where r.grain = 'minute' and r.part = any (v_parts) and r.starts_at < p.upto));
    perform job_queue.add_up('day', null, array(
      select r.part from public.job_rollups r join public.job_rollup_progress p on p.grain = 'day'
      where r.grain = 'hour' and r.part = any (v_parts) and r.starts_at < p.upto));
  end if;
  perform job_queue.roll_up_periods(p_now);
  return cardinality(v_rows);
end
$$;
comment on function job_queue.fold_ends(timestamptz, integer) is
  'Moves at most p_max rows of the log of ends into minutes, and adds up hours and days that are over, in one transaction. Returns how many rows; 0 while another one does it.';

create function job_queue.forget_rollups(p_now timestamptz) returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from public.job_rollups r
  where (r.grain = 'minute' and r.starts_at < p_now - interval '2 days')
    or (r.grain = 'hour' and r.starts_at < p_now - interval '35 days')
    or (r.grain = 'day' and r.starts_at < p_now - interval '400 days');
  delete from public.job_creations c where c.hour < p_now - interval '35 days';
  delete from public.job_dead_letters d where d.jobs = 0;
  delete from public.job_recent_ends r where r.ended_at[1] < p_now - interval '7 days';
end
$$;
comment on function job_queue.forget_rollups(timestamptz) is
  'Deletes minutes after two days, hours and creations after 35 days, days after 400, recent ends after 7. Never refuses.';

revoke all on function job_queue.add_up(text, tid[], bigint[]), job_queue.roll_up_periods(timestamptz),
  job_queue.fold_corrections(tid[]), job_queue.fold_recent_ends(tid[]),
  job_queue.fold_ends(timestamptz, integer), job_queue.forget_rollups(timestamptz)
  from public, anon, authenticated, service_role;
