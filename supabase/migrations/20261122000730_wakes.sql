-- How many isolates of process-job to wake: in proportion to what may run now, less those that are draining, and no more
-- than once a second for each that is missing, however many sweeps ask.

create table public.background_job_wakes (
  lane text not null,
  woken_at timestamptz,
  isolates integer not null default 0,
  problem text,
  constraint background_job_wakes_pkey primary key (lane)
);
comment on table public.background_job_wakes is
  'When isolates of process-job were last woken by a sweep, and how many. problem: why pg_cron could wake none; null: it could.';
insert into public.background_job_wakes (lane) values ('edge');

alter table public.background_job_wakes enable row level security;
revoke all on public.background_job_wakes from public, anon, authenticated, service_role;
grant select on public.background_job_wakes to service_role;

create function job_queue.runnable_jobs(p_lane text) returns bigint
language plpgsql stable
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_held text[] := job_queue.held_types();
begin
  return (
    select coalesce(sum(greatest(0, least(t.jobs, job_queue.starts_left(t.type)))), 0)
    from (
      select k.type, sum(case when k.concurrency_key is null then k.jobs
                              else greatest(0, least(k.jobs, k.concurrency_limit - coalesce(b.busy, 0))) end) as jobs
      from (
        select r.type, r.concurrency_key, max(r.concurrency_limit) as concurrency_limit, count(*) as jobs
        from public.background_job_ready r
        where r.lane = p_lane and r.run_at <= v_now and r.expires_at > v_now and not r.type = any (v_held)
        group by r.type, r.concurrency_key) k
      left join (
        select s.concurrency_key, count(*) as busy from public.background_job_slots s group by s.concurrency_key) b
        on b.concurrency_key = k.concurrency_key
      group by k.type) t);
end
$$;
comment on function job_queue.runnable_jobs(text) is
  'How many jobs of the lane could all start now: paused, throttled and exhausted types left out, of a concurrency key as many as its limit lets.';

create function job_queue.isolates_wanted() returns integer
language plpgsql stable
set search_path = ''
as $$
declare
  v_each numeric := (select s.value::text::numeric from public.job_settings s where s.name = 'edge_jobs_per_isolate');
  v_most numeric := (select s.value::text::numeric from public.job_settings s where s.name = 'edge_max_isolates');
begin
  return least(coalesce(v_most, 5), ceil(job_queue.runnable_jobs('edge') / coalesce(v_each, 200)));
end
$$;
comment on function job_queue.isolates_wanted() is
  'How many isolates the jobs that may run now are worth: one for every edge_jobs_per_isolate begun, at most edge_max_isolates (job_settings).';

create function job_queue.isolates_draining(p_leaving text) returns integer
language plpgsql stable
set search_path = ''
as $$
begin
  -- Who claimed within the last 3 s has room for more; who claimed nothing for longer is full, about to end, or dead.
  return (
    select count(distinct l.worker) from public.background_job_leases l
    where l.lane = 'edge' and l.claimed_at > clock_timestamp() - interval '3 seconds'
      and l.worker is distinct from p_leaving);
end
$$;
comment on function job_queue.isolates_draining(text) is
  'How many processes, but for the one that is leaving, claim from the edge lane at present.';

create function public.take_wakes(leaving text default null) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_wanted integer := job_queue.isolates_wanted();
  v_last public.background_job_wakes;
  v_under_way integer;
  v_missing integer;
begin
  if v_wanted = 0 then return 0; end if;
  select * into v_last from public.background_job_wakes w where w.lane = 'edge' for no key update;
  -- For a second an isolate that was woken may be starting, unseen.
  v_under_way := case when v_last.woken_at > clock_timestamp() - interval '1 second' then v_last.isolates else 0 end;
  v_missing := v_wanted - job_queue.isolates_draining(leaving) - v_under_way;
  if v_missing <= 0 then return 0; end if;
  update public.background_job_wakes w
  set woken_at = clock_timestamp(), isolates = v_under_way + v_missing where w.lane = 'edge';
  return v_missing;
end
$$;
comment on function public.take_wakes(text) is
  'How many isolates of process-job the caller is to wake now; nobody else is told so within a second. leaving: a worker that will claim no more. 0 when nothing may run or enough are draining. Never refuses.';

revoke all on function job_queue.runnable_jobs(text), job_queue.isolates_wanted(), job_queue.isolates_draining(text)
  from public, anon, authenticated, service_role;
revoke all on function public.take_wakes(text) from public, anon, authenticated;
grant execute on function public.take_wakes(text) to service_role;
