-- Always-on workers, and the bell that they are woken with. A NOTIFY for every job would make commits wait for each other;
-- so a worker that finds nothing says so in its row, and only then enqueues ring.

create table public.background_job_workers (
  worker text not null,
  lanes text[] not null,
  idle boolean not null,
  started_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp(),
  constraint background_job_workers_pkey primary key (worker)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500);
comment on table public.background_job_workers is
  'Always-on worker processes, renewed every 10 s; one not seen for a minute is removed by the sweep. idle: it waits for the bell.';

alter table public.background_job_workers enable row level security;
revoke all on public.background_job_workers from public, anon, authenticated, service_role;
grant select on public.background_job_workers to service_role;

create function public.report_worker(worker text, lanes jsonb, idle boolean) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  if coalesce(btrim(worker), '') = '' then
    raise exception using errcode = 'PT400', message = 'worker: expected a name, got nothing';
  elsif jsonb_typeof(lanes) is distinct from 'array' or not lanes <@ '["edge", "worker"]' or jsonb_array_length(lanes) = 0 then
    raise exception using errcode = 'PT400',
      message = format('lanes: expected an array of edge and worker, got %s', left(coalesce(lanes::text, 'nothing'), 100));
  end if;
  insert into public.background_job_workers as known (worker, lanes, idle)
  values (report_worker.worker, array(select jsonb_array_elements_text(report_worker.lanes)), coalesce(report_worker.idle, false))
  on conflict on constraint background_job_workers_pkey do update
    set lanes = excluded.lanes, idle = excluded.idle, seen_at = excluded.seen_at;
end
$$;
comment on function public.report_worker(text, jsonb, boolean) is
  'Notes that a worker lives, which lanes (edge, worker) it works on, and whether it waits for the bell. Returns nothing. Refuses an empty name and other lanes (PT400).';

create function public.remove_worker(worker text) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  delete from public.background_job_workers w where w.worker = remove_worker.worker;
end
$$;
comment on function public.remove_worker(text) is 'Forgets a worker that ended. Returns nothing, never refuses.';

create function job_queue.ring() returns void
language plpgsql
set search_path = ''
as $$
begin
  if exists (select from public.background_job_workers w where w.idle) then
    perform pg_notify('background_job_ready', '');
  end if;
end
$$;
comment on function job_queue.ring() is
  'Tells idle workers, at commit, that there is work. A worker that has just become idle looks once more, and everyone looks once a second.';

create function job_queue.forget_workers(p_now timestamptz) returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from public.background_job_workers w where w.worker = any (array(
    select d.worker from public.background_job_workers d
    where d.seen_at < p_now - interval '1 minute' for update skip locked));
end
$$;
comment on function job_queue.forget_workers(timestamptz) is 'Removes workers that were not seen for a minute.';

revoke all on function public.report_worker(text, jsonb, boolean), public.remove_worker(text) from public, anon, authenticated;
grant execute on function public.report_worker(text, jsonb, boolean), public.remove_worker(text) to service_role;
revoke all on function job_queue.ring(), job_queue.forget_workers(timestamptz) from public, anon, authenticated, service_role;
