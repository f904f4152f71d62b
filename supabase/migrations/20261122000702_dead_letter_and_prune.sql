-- The dead letter in bulk, and the end of old rows.

create function job_queue.require_max(p_argument text, p_max integer) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if p_max is null or p_max not between 1 and 100000 then
    raise exception using errcode = 'PT400',
      message = format('%s: expected 1 to 100000, got %s', p_argument, coalesce(p_max::text, 'nothing'));
  end if;
end
$$;
comment on function job_queue.require_max(text, integer) is
  'Returns nothing; refuses (PT400) a number of rows out of bounds, naming the argument.';

create function public.redrive_dead_letter_jobs(
  type text default null, since timestamptz default null, max_jobs integer default 100) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_redriven integer;
begin
  perform job_queue.require_max('max_jobs', max_jobs);
  -- As a person in Studio would do it: the hand-edit triggers follow.
  update public.background_jobs j set status = 'queued', retry_count = 0, run_at = clock_timestamp(), failed_at = null
  where j.id = any (array(
    select d.id from public.background_jobs d
    where d.status = 'failed'
      and (redrive_dead_letter_jobs.type is null or d.type = redrive_dead_letter_jobs.type)
      and (since is null or d.failed_at >= since)
    order by d.failed_at, d.id limit max_jobs for no key update skip locked));
  get diagnostics v_redriven = row_count;
  return v_redriven;
end
$$;
comment on function public.redrive_dead_letter_jobs(text, timestamptz, integer) is
  'Queues failed jobs again with all their retries, those that failed first first: of the type (null: all), failed since (null: ever), at most max_jobs. Returns how many. Passes by rows that others hold. Refuses max_jobs outside 1 to 100000 (PT400).';

create function public.discard_dead_letter_jobs(
  type text default null, before timestamptz default null, max_jobs integer default 100) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_discarded integer;
begin
  perform job_queue.require_max('max_jobs', max_jobs);
  update public.background_jobs j
  set status = 'cancelled', cancel_requested_at = clock_timestamp(), cancel_reason = 'discarded from the dead letter'
  where j.id = any (array(
    select d.id from public.background_jobs d
    where d.status = 'failed'
      and (discard_dead_letter_jobs.type is null or d.type = discard_dead_letter_jobs.type)
      and (before is null or d.failed_at < before)
    order by d.failed_at, d.id limit max_jobs for no key update skip locked));
  get diagnostics v_discarded = row_count;
  return v_discarded;
end
$$;
comment on function public.discard_dead_letter_jobs(text, timestamptz, integer) is
  'Takes failed jobs out of the dead letter, those that failed first first: of the type (null: all), failed before (null: ever), at most max_jobs. They become cancelled; error and attempts stay readable. Returns how many. Refuses max_jobs outside 1 to 100000 (PT400).';

create function job_queue.first_uuid_at(p_at timestamptz) returns uuid
language plpgsql immutable
set search_path = ''
as $$
begin
  return encode(int8send(((extract(epoch from p_at) * 1000)::bigint << 16) | 28672) || '\x8000000000000000'::bytea, 'hex')::uuid;
end
$$;
comment on function job_queue.first_uuid_at(timestamptz) is 'The least uuid_v7 of this millisecond: ids below it are older.';

create function public.prune_background_jobs(older_than interval, max_rows integer) returns integer
language plpgsql security definer
set search_path = '' set enable_seqscan = off set jit = off
as $$
declare
  v_before timestamptz := clock_timestamp() - older_than;
  v_pruned integer;
begin
  perform job_queue.require_max('max_rows', max_rows);
  if older_than is null or older_than < interval '7 days' then
    raise exception using errcode = 'PT400', message = format(
      'older_than: expected at least 7 days, for so long idempotency keys live, got %s', coalesce(older_than::text, 'nothing'));
  end if;
  delete from public.background_jobs j where j.id = any (array(
    select p.id from public.background_jobs p
    -- Ids are ordered by time: the scan begins at the oldest row and ends at the first that is too young.
    where p.id < job_queue.first_uuid_at(v_before) and p.status in ('completed', 'failed', 'cancelled')
      and greatest(p.created_at, p.completed_at, p.failed_at, p.started_at) < v_before
    order by p.id limit max_rows for update skip locked));
  get diagnostics v_pruned = row_count;
  return v_pruned;
end
$$;
comment on function public.prune_background_jobs(interval, integer) is
  'Deletes finished jobs of which nothing happened for older_than, the oldest first, at most max_rows, with their attempts and steps. Returns how many. Refuses (PT400) less than 7 days, and max_rows outside 1 to 100000.';

revoke all on function public.redrive_dead_letter_jobs(text, timestamptz, integer),
  public.discard_dead_letter_jobs(text, timestamptz, integer), public.prune_background_jobs(interval, integer)
  from public, anon, authenticated;
grant execute on function public.redrive_dead_letter_jobs(text, timestamptz, integer),
  public.discard_dead_letter_jobs(text, timestamptz, integer), public.prune_background_jobs(interval, integer)
  to service_role;
revoke all on function job_queue.require_max(text, integer), job_queue.first_uuid_at(timestamptz)
  from public, anon, authenticated, service_role;
