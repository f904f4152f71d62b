-- Statistics count ends: each time that a job becomes completed, failed or cancelled is one end, in the minute of that
-- time. What ends is noted in a log as it ends, one row for all jobs of a call, and folded into minutes and hours by the
-- sweep; who reads adds what is not folded yet. So the numbers are exact at any time, whatever becomes of the rows
-- afterwards, and no reader looks at background_jobs.

create table public.background_job_ends (
  ended_at timestamptz not null,
  type text not null,
  outcome text,
  jobs integer not null,
  created_hour integer not null,
  created integer not null,
  dead integer not null default 0,
  durations integer[],
  actives integer[],
  waits integer[]
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
comment on table public.background_job_ends is
  'Ends of jobs that are not folded into job_rollups yet, one row per call, type and hour of creation. Only the queue''s functions write it.';
comment on column public.background_job_ends.outcome is 'Null: no end, but a correction of created or dead.';
comment on column public.background_job_ends.jobs is 'How many jobs ended.';
comment on column public.background_job_ends.created_hour is 'Hour in which the jobs were created, in hours since 1970 UTC.';
comment on column public.background_job_ends.created is
  'By how many jobs the ended ones that were created in that hour have become more; less when a job is run again.';
comment on column public.background_job_ends.dead is 'By how many jobs the dead letter has become longer.';
comment on column public.background_job_ends.durations is 'Milliseconds of the last slices of completed jobs, 24.8 days at most (2^31 - 1), as all three.';
comment on column public.background_job_ends.actives is
  'Milliseconds over all slices of the same jobs in the same order; null: as durations, for none had an earlier slice.';
comment on column public.background_job_ends.waits is 'Milliseconds between run_at and the last start, of jobs that ran.';

create table public.job_creations (
  hour timestamptz not null,
  type text not null,
  jobs bigint not null,
  constraint job_creations_pkey primary key (hour, type)
);
comment on table public.job_creations is
  'How many of the jobs created in the hour (UTC) have ended and do not run again. Jobs that still wait or run come on top.';

create table public.job_dead_letters (
  type text not null,
  jobs bigint not null,
  constraint job_dead_letters_pkey primary key (type)
);
comment on table public.job_dead_letters is 'How many jobs of the type are failed now, but for what is not folded yet.';

alter table public.background_job_ends enable row level security;
alter table public.job_creations enable row level security;
alter table public.job_dead_letters enable row level security;
revoke all on public.background_job_ends, public.job_creations, public.job_dead_letters
  from public, anon, authenticated, service_role;
grant select on public.background_job_ends, public.job_creations, public.job_dead_letters to service_role;

create function job_queue.noted_ms(p_ms double precision) returns integer
language plpgsql immutable
set search_path = ''
as $$
begin
  return greatest(0, least(p_ms, 2147483647))::integer;
end
$$;
comment on function job_queue.noted_ms(double precision) is
  'The milliseconds as the log of ends holds them, whatever a person has written into the row: from 0 to 24.8 days. Null stays null.';

create function job_queue.wait_ms(p_job public.background_jobs) returns integer
language plpgsql immutable
set search_path = ''
as $$
begin
  -- A person may have written infinity into the row.
  if not coalesce(isfinite(p_job.started_at), false) then return null; end if;
  return job_queue.noted_ms(date_part('epoch',
    p_job.started_at - greatest(least(greatest(p_job.run_at, p_job.created_at), p_job.started_at), 'epoch')) * 1000);
end
$$;
comment on function job_queue.wait_ms(public.background_jobs) is
  'Milliseconds that a job waited for its last start, at least 0; null when it has not started.';

create function job_queue.hour_number(p_at timestamptz) returns integer
language plpgsql immutable
set search_path = ''
as $$
begin
  return floor(date_part('epoch', case when isfinite(p_at) then p_at else 'epoch' end) / 3600)::integer;
end
$$;
comment on function job_queue.hour_number(timestamptz) is 'The hour of the time, in hours since 1970 UTC.';

create function job_queue.ended_at(p_job public.background_jobs) returns timestamptz
language plpgsql stable
set search_path = ''
as $$
declare
  v_at timestamptz := case p_job.status when 'completed' then p_job.completed_at when 'failed' then p_job.failed_at end;
begin
  return case when isfinite(v_at) then v_at else clock_timestamp() end;
end
$$;
comment on function job_queue.ended_at(public.background_jobs) is 'When the ended job ended: a cancelled one, now.';

create function job_queue.note_ends(p_ids uuid[], p_created integer default 1) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.background_job_ends (ended_at, type, outcome, jobs, created_hour, created, dead, durations, actives, waits)
  select e.ended_at, e.type, e.status, count(*), e.created_hour, count(*) * p_created,
         case e.status when 'failed' then count(*) else 0 end,
         array_agg(job_queue.noted_ms(e.duration_ms)) filter (where e.status = 'completed' and e.duration_ms is not null),
         array_agg(job_queue.noted_ms(e.active_ms)) filter (where e.status = 'completed' and e.duration_ms is not null), array_agg(e.wait_ms)
  from (
    select j.type, j.status, j.duration_ms, j.active_ms, job_queue.ended_at(j) as ended_at,
           job_queue.hour_number(j.created_at) as created_hour,
           job_queue.wait_ms(j) as wait_ms
    from public.background_jobs j
    where j.id = any (p_ids) and j.status in ('completed', 'failed', 'cancelled')) e
  group by e.ended_at, e.type, e.status, e.created_hour;
end
$$;
comment on function job_queue.note_ends(uuid[], integer) is
  'Counts the ends of these jobs. p_created: 0 when they had ended before and are already counted among the created.';

create function job_queue.note_correction(p_job public.background_jobs, p_created integer, p_dead integer) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.background_job_ends (ended_at, type, jobs, created_hour, created, dead)
  values (clock_timestamp(), p_job.type, 0, job_queue.hour_number(p_job.created_at), p_created, p_dead);
end
$$;
comment on function job_queue.note_correction(public.background_jobs, integer, integer) is
  'Notes that the job is no longer among the ended ones (created) or the dead (dead), or is again. Never refuses.';

create function job_queue.note_reopened(p_job public.background_jobs) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform job_queue.note_correction(p_job, -1, case p_job.status when 'failed' then -1 else 0 end);
end
$$;
comment on function job_queue.note_reopened(public.background_jobs) is
  'Notes that an ended job, given as it was, runs again: the end it had stays counted, the next one is counted too.';

create function job_queue.is_ended(p_status text) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  return p_status in ('completed', 'failed', 'cancelled');
end
$$;
comment on function job_queue.is_ended(text) is 'Whether a job of this status is at its end.';

create function job_queue.note_hand_edit(p_old public.background_jobs, p_new public.background_jobs) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_was boolean := coalesce(job_queue.is_ended(p_old.status), false);
  v_is boolean := coalesce(job_queue.is_ended(p_new.status), false);
begin
  if v_was and v_is and p_old.status <> p_new.status then
    -- Another end; the jobs that were running until now are counted by after_end.
    perform job_queue.note_ends(array[p_new.id], 0);
    if p_old.status = 'failed' then perform job_queue.note_correction(p_old, 0, -1); end if;
  elsif v_was and v_is and p_old.type <> p_new.type then
    perform job_queue.note_correction(p_old, -1, case p_old.status when 'failed' then -1 else 0 end);
    perform job_queue.note_correction(p_new, 1, case p_new.status when 'failed' then 1 else 0 end);
  elsif v_was and p_new.status is not null and not v_is then
    perform job_queue.note_reopened(p_old);
  elsif p_old.status is null and v_is then
    perform job_queue.note_ends(array[p_new.id]);
  elsif p_old.status = 'failed' and p_new.status is null then
    perform job_queue.note_correction(p_old, 0, -1);
  end if;
end
$$;
comment on function job_queue.note_hand_edit(public.background_jobs, public.background_jobs) is
  'Notes what a hand edit means to the statistics. Null as the old row: inserted; as the new one: deleted.';

-- Every end but a completion goes through after_end, which knows the ids only.
alter function job_queue.after_end(uuid[]) rename to tell_of_ends;
comment on function job_queue.tell_of_ends(uuid[]) is
  'What the end of jobs (completed, failed, cancelled or deleted) brings about for others, in the same transaction.';
create function job_queue.after_end(p_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform job_queue.note_ends(p_ids);
  perform job_queue.tell_of_ends(p_ids);
end
$$;
comment on function job_queue.after_end(uuid[]) is
  'What follows the end of jobs, in the same transaction: they are counted, and others hear of it.';

revoke all on function job_queue.noted_ms(double precision),
  job_queue.wait_ms(public.background_jobs), job_queue.hour_number(timestamptz), job_queue.ended_at(public.background_jobs), job_queue.note_ends(uuid[], integer),
  job_queue.note_correction(public.background_jobs, integer, integer), job_queue.note_reopened(public.background_jobs),
  job_queue.is_ended(text), job_queue.note_hand_edit(public.background_jobs, public.background_jobs),
  job_queue.after_end(uuid[])
  from public, anon, authenticated, service_role;
