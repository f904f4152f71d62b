-- The list of jobs: any filter, newest first, by keyset. No index serves every filter, and one on a column that changes
-- would make every claim and completion dearer. So a page works for a bounded time and says where the next one goes on,
-- be it full or not: it answers at once whatever the number of rows. What is short is read from where it is short: jobs
-- that wait or run from the narrow tables, failed ones from an index on failed_at, which claims and completions leave alone.

create index background_jobs_failed_at on public.background_jobs (failed_at, id) where failed_at is not null;

create function job_queue.repository_of(p_payload jsonb) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return case jsonb_typeof(p_payload -> 'repository')
    when 'string' then p_payload ->> 'repository'
    when 'object' then (p_payload #>> '{repository,owner}') || '/' || (p_payload #>> '{repository,name}')
    else (p_payload ->> 'owner') || '/' || coalesce(p_payload ->> 'repo', p_payload ->> 'name') end;
end
$$;
comment on function job_queue.repository_of(jsonb) is
  'owner/name of the repository that a payload names in one of the ways that capture jobs take; null when it names none.';

create function job_queue.matching_jobs(p_filter job_queue.job_filter, p_ids uuid[], p_above jsonb, p_upto jsonb) returns uuid[]
language plpgsql stable
-- A plan for this very filter and range: what is not asked for is not there.
set search_path = '' set plan_cache_mode = force_custom_plan set enable_seqscan = off set jit = off
as $$
declare
  v_by_failure boolean := p_ids is null and job_queue.lists_failures(p_filter);
  v_above uuid := (p_above ->> 'id')::uuid;
  v_upto uuid := (p_upto ->> 'id')::uuid;
  v_failed_above timestamptz := (p_above ->> 'failed_at')::timestamptz;
  v_failed_upto timestamptz := (p_upto ->> 'failed_at')::timestamptz;
begin
  return array(
    select j.id from public.background_jobs j
    where (p_ids is null or j.id = any (p_ids))
      and (v_by_failure or v_above is null or j.id < v_above)
      and (v_by_failure or v_upto is null or j.id >= v_upto)
      and (not v_by_failure or j.failed_at is not null)
      and (not v_by_failure or v_above is null or (j.failed_at, j.id) < (v_failed_above, v_above))
      and (not v_by_failure or v_upto is null or (j.failed_at, j.id) >= (v_failed_upto, v_upto))
      and (p_filter.statuses is null or j.status = any (p_filter.statuses))
      and (p_filter.types is null or j.type = any (p_filter.types))
      and (p_filter.lanes is null or j.lane = any (p_filter.lanes))
      and (p_filter.from_at is null or j.created_at >= p_filter.from_at)
      and (p_filter.to_at is null or j.created_at < p_filter.to_at)
      -- As repository_of reads it, without a call for each row.
      and (p_filter.repository is null or j.repository_id = any (p_filter.repository_ids)
           or lower(j.payload ->> 'repository') = p_filter.repository
           or lower((j.payload #>> '{repository,owner}') || '/' || (j.payload #>> '{repository,name}')) = p_filter.repository
           or lower((j.payload ->> 'owner') || '/' || coalesce(j.payload ->> 'repo', j.payload ->> 'name')) = p_filter.repository
           or j.payload ->> 'repositoryId' = any (p_filter.repository_ids::text[]))
      and (p_filter.search is null or j.id = p_filter.search_id or j.inngest_event_id = p_filter.search
           or j.inngest_run_id = p_filter.search or j.idempotency_key = p_filter.search or j.type ilike p_filter.pattern
           or j.error ilike p_filter.pattern or j.payload::text ilike p_filter.pattern)
    order by case when v_by_failure then j.failed_at end desc, j.id desc);
end
$$;
comment on function job_queue.matching_jobs(job_queue.job_filter, uuid[], jsonb, jsonb) is
  'The jobs of a range that the filter asks for, newest first: after the place p_above (null: from the newest) up to p_upto (null: to the oldest); of p_ids alone, where that is given.';

create function job_queue.lists_failures(p_filter job_queue.job_filter) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  return coalesce(p_filter.statuses = array['failed'], false);
end
$$;
comment on function job_queue.lists_failures(job_queue.job_filter) is
  'Whether the list is one of failed jobs alone, which is in the order in which they failed.';

create function job_queue.short_list(p_filter job_queue.job_filter) returns uuid[]
language plpgsql stable
set search_path = '' set enable_seqscan = off
as $$
declare
  -- What can be sorted and looked up in some 10 ms.
  v_most constant integer := 5000;
  v_ids uuid[];
begin
  if exists (select from public.background_jobs j where j.id = p_filter.search_id) then
    return array[p_filter.search_id];
  elsif p_filter.statuses is null or not p_filter.statuses <@ array['queued', 'processing'] then
    return null;
  end if;
  v_ids := array(
    select x.id from (
      select r.id from public.background_job_ready r where 'queued' = any (p_filter.statuses)
      union all
      select d.job_id from public.background_job_dependencies d where 'queued' = any (p_filter.statuses) and not d.settled
      union all
      select m.id from public.background_job_leases l cross join lateral unnest(l.job_ids) as m(id)
      where 'processing' = any (p_filter.statuses)) x
    limit v_most + 1);
  if cardinality(v_ids) > v_most then return null; end if;
  return v_ids;
end
$$;
comment on function job_queue.short_list(job_queue.job_filter) is
  'Where the jobs that match are known to be few: these, and perhaps some that do not match, in any order, perhaps repeatedly. Null: look at all jobs.';

create function job_queue.place_further(p_filter job_queue.job_filter, p_above jsonb, p_jobs integer) returns jsonb
language plpgsql stable
set search_path = '' set plan_cache_mode = force_custom_plan set enable_seqscan = off set enable_bitmapscan = off
  set enable_sort = off set jit = off
as $$
declare
  v_id uuid;
begin
  if job_queue.lists_failures(p_filter) then
    select j.id into v_id from public.background_jobs j
    where j.failed_at is not null
      and (p_above is null or (j.failed_at, j.id) < ((p_above ->> 'failed_at')::timestamptz, (p_above ->> 'id')::uuid))
      -- Nothing fails before it is created.
      and (p_filter.from_at is null or j.failed_at >= p_filter.from_at)
    order by j.failed_at desc, j.id desc offset p_jobs - 1 limit 1;
  else
    -- Ids are in the order of creation.
    select j.id into v_id from public.background_jobs j
    where (p_above is null or j.id < (p_above ->> 'id')::uuid)
      and (p_filter.from_at is null or j.id >= job_queue.first_uuid_at(p_filter.from_at))
    order by j.id desc offset p_jobs - 1 limit 1;
  end if;
  return job_queue.place_of(v_id);
end
$$;
comment on function job_queue.place_further(job_queue.job_filter, jsonb, integer) is
  'The place so many jobs after p_above; null when there are fewer, of the time that the filter asks for.';

create function job_queue.find_jobs(
  p_filter job_queue.job_filter, p_size integer, p_after jsonb, p_budget interval, out ids uuid[], out next jsonb)
language plpgsql stable
set search_path = ''
as $$
declare
  v_short_list uuid[] := job_queue.short_list(p_filter);
  v_ends_at timestamptz := clock_timestamp() + p_budget;
  v_began_at timestamptz;
  v_jobs integer := p_size + 1;
  v_upto jsonb;
begin
  ids := '{}';
  next := coalesce(p_after, job_queue.place_before(p_filter));
  loop
    v_began_at := clock_timestamp();
    if v_short_list is null then v_upto := job_queue.place_further(p_filter, next, v_jobs); end if;
    ids := ids || job_queue.matching_jobs(p_filter, v_short_list, next, v_upto);
    if cardinality(ids) > p_size then
      ids := ids[:p_size];
      next := job_queue.place_of(ids[p_size]);
      return;
    end if;
    next := v_upto;
    exit when next is null or clock_timestamp() >= v_ends_at;
    -- Larger portions while they are quick: payloads are of any size.
    v_jobs := case when clock_timestamp() - v_began_at < p_budget / 10 then least(v_jobs * 4, 50000)
                   else greatest(v_jobs / 2, 50) end;
  end loop;
end
$$;
comment on function job_queue.find_jobs(job_queue.job_filter, integer, jsonb, interval) is
  'The next jobs that match, at most p_size, and the place from where to go on; null: there are no more. Looks at one portion at least, and at no further one when the budget is used up.';

create function job_queue.place_before(p_filter job_queue.job_filter) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  if p_filter.to_at is null or job_queue.lists_failures(p_filter) then return null; end if;
  return jsonb_build_object('id', job_queue.first_uuid_at(p_filter.to_at));
end
$$;
comment on function job_queue.place_before(job_queue.job_filter) is
  'Where a list begins: before the end of the time that the filter asks for; null: with the newest job.';

create function job_queue.place_of(p_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (select jsonb_build_object('id', j.id, 'failed_at', j.failed_at, 'created_at', j.created_at)
          from public.background_jobs j where j.id = p_id);
end
$$;
comment on function job_queue.place_of(uuid) is 'The place of a job in lists of jobs.';

create function job_queue.require_place(p_after jsonb, p_filter job_queue.job_filter) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  if p_after is null or (jsonb_typeof(p_after) = 'object' and job_queue.as_uuid(p_after ->> 'id') is not null
      and (p_filter.statuses is distinct from array['failed'] or job_queue.is_timestamp(p_after -> 'failed_at'))) then
    return;
  end if;
  raise exception using errcode = 'PT400', message = format(
    'after: expected null, or the next of the page before under the same filter, got %s', left(p_after::text, 200));
end
$$;
comment on function job_queue.require_place(jsonb, job_queue.job_filter) is
  'Returns nothing; refuses (PT400) what operator_jobs did not answer as next.';

create function job_queue.repository_name(p_job public.background_jobs) returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return coalesce(
    (select r.owner || '/' || r.name from public.repositories r
     where r.id = coalesce(p_job.repository_id, job_queue.as_uuid(p_job.payload ->> 'repositoryId'))),
    left(job_queue.repository_of(p_job.payload), 200));
end
$$;
comment on function job_queue.repository_name(public.background_jobs) is
  'owner/name of the repository that the job is about; null when it is about none.';

create function job_queue.job_line(p_job public.background_jobs) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'id', p_job.id, 'type', p_job.type, 'status', p_job.status, 'lane', p_job.lane, 'priority', p_job.priority,
    'progress', p_job.progress, 'progress_message', p_job.progress_message, 'retry_count', p_job.retry_count,
    'max_retries', p_job.max_retries, 'created_at', p_job.created_at, 'run_at', p_job.run_at,
    'started_at', p_job.started_at, 'ended_at', coalesce(p_job.completed_at, p_job.failed_at),
    'duration_ms', p_job.duration_ms, 'active_ms', p_job.active_ms, 'error', left(p_job.error, 300),
    'failure_reason', p_job.failure_reason, 'cancel_requested_at', p_job.cancel_requested_at,
    'repository', job_queue.repository_name(p_job), 'repository_id', p_job.repository_id);
end
$$;
comment on function job_queue.job_line(public.background_jobs) is 'A job in short, as a list shows it.';

create function public.operator_jobs(filter jsonb default '{}', page_size integer default 50, after jsonb default null)
returns jsonb
language plpgsql stable security definer
set search_path = '' set enable_seqscan = off
as $$
declare
  v_filter job_queue.job_filter;
  v_page record;
begin
  perform job_queue.require_operator();
  perform job_queue.require_page(page_size);
  v_filter := job_queue.read_job_filter(coalesce(operator_jobs.filter, '{}'));
  perform job_queue.require_place(nullif(operator_jobs.after, 'null'), v_filter);
  select * into v_page
  from job_queue.find_jobs(v_filter, page_size, nullif(operator_jobs.after, 'null'), interval '200 milliseconds');
  return jsonb_build_object(
    'jobs', coalesce((
      select jsonb_agg(job_queue.job_line(j) order by i.place)
      from unnest(v_page.ids) with ordinality as i(id, place) join public.background_jobs j on j.id = i.id), '[]'),
    'next', v_page.next,
    'searched_to', v_page.next -> 'created_at');
end
$$;
comment on function public.operator_jobs(jsonb, integer, jsonb) is
  'Jobs, newest first (failed ones: those that failed last): {jobs, next, searched_to}. filter: {status, type, lane, repository, from, to, text}. A page may hold fewer jobs than page_size: it looks for 200 ms, then next says where to go on; next is null at the end. Refuses who is no operator (PT403), another filter, a page_size outside 1 to 500 and a foreign after (PT400).';

revoke all on function public.operator_jobs(jsonb, integer, jsonb) from public, anon, authenticated, service_role;
grant execute on function public.operator_jobs(jsonb, integer, jsonb) to authenticated;
revoke all on function job_queue.repository_of(jsonb), job_queue.lists_failures(job_queue.job_filter),
  job_queue.matching_jobs(job_queue.job_filter, uuid[], jsonb, jsonb), job_queue.short_list(job_queue.job_filter),
  job_queue.place_further(job_queue.job_filter, jsonb, integer), job_queue.place_before(job_queue.job_filter),
  job_queue.find_jobs(job_queue.job_filter, integer, jsonb, interval), job_queue.place_of(uuid),
  job_queue.require_place(jsonb, job_queue.job_filter), job_queue.repository_name(public.background_jobs),
  job_queue.job_line(public.background_jobs) from public, anon, authenticated, service_role;
