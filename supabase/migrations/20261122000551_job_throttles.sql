-- Throttles: at most so many starts of a type within any period. The starts of the last period are kept, so that the limit
-- holds for every window of that length, not only for those that begin at a full minute.

alter table public.job_types
  add column quotas text[] not null default '{}',
  add column throttle_limit integer,
  add column throttle_seconds integer,
  add constraint job_types_throttle_whole check ((throttle_limit is null) = (throttle_seconds is null)),
  add constraint job_types_throttle_positive check (throttle_limit > 0 and throttle_seconds > 0);
comment on column public.job_types.quotas is 'Quotas that a run of the type spends: while one is exhausted, none is claimed.';
comment on column public.job_types.throttle_limit is 'At most so many starts within throttle_seconds; null: no limit.';

create table public.job_type_starts (
  type text not null,
  started_at timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500);
create index job_type_starts_type_started_at on public.job_type_starts (type, started_at);
comment on table public.job_type_starts is 'Starts of throttled types within their period. Only claims write it.';

alter table public.job_type_starts enable row level security;
revoke all on public.job_type_starts from public, anon, authenticated, service_role;
grant select on public.job_type_starts to service_role;

create function job_queue.starts_left(p_type text) returns bigint
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select t.throttle_limit - (
      select count(*) from public.job_type_starts s
      where s.type = p_type and s.started_at > clock_timestamp() - make_interval(secs => t.throttle_seconds))
    from public.job_types t where t.type = p_type and t.throttle_limit is not null);
end
$$;
comment on function job_queue.starts_left(text) is 'How many jobs of the type may start now; null: it has no throttle.';

create function job_queue.lock_starts(p_type text) returns boolean
language plpgsql
set search_path = ''
as $$
begin
  return pg_try_advisory_xact_lock(hashtextextended('job_type_starts:' || p_type, 0));
end
$$;
comment on function job_queue.lock_starts(text) is
  'True when this transaction, and no other, decides about the type''s starts until it ends.';

create function job_queue.note_starts(p_type text, p_starts bigint) returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from public.job_type_starts s using public.job_types t
  where s.type = p_type and t.type = p_type and s.started_at <= clock_timestamp() - make_interval(secs => t.throttle_seconds);
  insert into public.job_type_starts (type, started_at)
  select p_type, clock_timestamp() from generate_series(1, p_starts);
end
$$;
comment on function job_queue.note_starts(text, bigint) is 'Counts starts of a locked type, and forgets those that no longer count.';

create function job_queue.take_starts(p_ctids tid[], out ctids tid[], out ids uuid[])
language plpgsql
set search_path = ''
as $$
declare
  v_type record;
  v_chosen tid[];
begin
  for v_type in
    select r.type, count(*) as jobs from public.background_job_ready r
    where r.ctid = any (p_ctids) group by r.type order by r.type
  loop
    -- None of a type whose starts another claim is deciding about.
    v_chosen := null;
    if not exists (select from public.job_types t where t.type = v_type.type and t.throttle_limit is not null) then
      v_chosen := array(select r.ctid from public.background_job_ready r where r.ctid = any (p_ctids) and r.type = v_type.type);
    elsif job_queue.lock_starts(v_type.type) then
      -- A statement of its own, whose snapshot is taken after the lock: it sees the starts of the lock's last holder.
      v_chosen := array(
        select r.ctid from public.background_job_ready r where r.ctid = any (p_ctids) and r.type = v_type.type
        order by r.sort_at, r.id limit greatest(0, job_queue.starts_left(v_type.type)));
      perform job_queue.note_starts(v_type.type, cardinality(v_chosen));
    end if;
    ctids := ctids || v_chosen;
  end loop;
  select array_agg(r.ctid order by r.sort_at, r.id), array_agg(r.id order by r.sort_at, r.id) into ctids, ids
  from public.background_job_ready r where r.ctid = any (ctids);
end
$$;
comment on function job_queue.take_starts(tid[]) is
  'Of the locked ready rows those that the throttles of their types let start, counted as starts; null arrays for none.';

create function job_queue.take_start(p_type text) returns boolean
language plpgsql
set search_path = ''
as $$
begin
  if not exists (select from public.job_types t where t.type = p_type and t.throttle_limit is not null) then return true; end if;
  if not job_queue.lock_starts(p_type) or job_queue.starts_left(p_type) <= 0 then return false; end if;
  perform job_queue.note_starts(p_type, 1);
  return true;
end
$$;
comment on function job_queue.take_start(text) is 'Counts one start of the type; false when its throttle lets none start now.';

revoke all on function job_queue.starts_left(text), job_queue.lock_starts(text), job_queue.note_starts(text, bigint),
  job_queue.take_starts(tid[]), job_queue.take_start(text) from public, anon, authenticated, service_role;
