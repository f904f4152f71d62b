-- What SQL knows of the job definitions, and what operators may change without a deploy.

create function public.sync_job_types(definitions jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  if jsonb_typeof(definitions) is distinct from 'array' then
    raise exception using errcode = 'PT400', message = 'definitions: expected an array of job definitions';
  end if;
  insert into public.job_types as t (type, title, lane, timeout_seconds, max_retries, priority, concurrency_limit)
  select d.type, coalesce(d.title, d.type), coalesce(d.lane, 'edge'), coalesce(d.timeout_seconds, 120),
         coalesce(d.max_retries, 3), coalesce(d.priority, 0), d.concurrency_limit
  from jsonb_to_recordset(definitions) as d(
    type text, title text, lane text, timeout_seconds integer, max_retries integer, priority integer,
    concurrency_limit integer)
  order by d.type
  on conflict on constraint job_types_pkey do update
    set title = excluded.title, lane = excluded.lane, timeout_seconds = excluded.timeout_seconds,
        max_retries = excluded.max_retries, priority = excluded.priority,
        concurrency_limit = excluded.concurrency_limit, synced_at = now();
end
$$;
comment on function public.sync_job_types(jsonb) is
  'Mirrors job definitions [{type, title, lane, timeout_seconds, max_retries, priority, concurrency_limit}] into job_types; operators'' overrides and pauses stay. Refuses anything but an array (PT400).';

create function job_queue.require_job_type(p_type text) returns void
language plpgsql
set search_path = ''
as $$
begin
  if not exists (select from public.job_types t where t.type = p_type) then
    raise exception using errcode = 'PT404', message = format('type: no job type %L is known', p_type),
      hint = 'Known types: ' || coalesce((select string_agg(t.type, ', ' order by t.type) from public.job_types t), 'none');
  end if;
end
$$;
comment on function job_queue.require_job_type(text) is 'Returns nothing; refuses (PT404) a type that was never synced.';

create function public.set_job_lane(type text, lane text) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  perform job_queue.require_job_type(set_job_lane.type);
  if set_job_lane.lane not in ('inline', 'edge', 'worker') then
    raise exception using errcode = 'PT400',
      message = format('lane: expected inline, edge, worker or null, got %L', set_job_lane.lane);
  end if;
  update public.job_types t set lane_override = set_job_lane.lane where t.type = set_job_lane.type;
  -- Waiting jobs go along; the hand-edit trigger moves their ready rows.
  update public.background_jobs j set lane = set_job_lane.lane
  where set_job_lane.lane in ('edge', 'worker')
    and j.id in (
      select r.id from public.background_job_ready r
      where r.type = set_job_lane.type and r.lane in ('edge', 'worker') and r.lane <> set_job_lane.lane)
    and j.status = 'queued';
end
$$;
comment on function public.set_job_lane(text, text) is
  'Sends new and waiting jobs of the type to the lane; null goes back to the definition''s lane for new ones. Refuses an unknown type (PT404) or lane (PT400).';

create function public.pause_job_type(type text) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  perform job_queue.require_job_type(pause_job_type.type);
  update public.job_types t set paused = true where t.type = pause_job_type.type;
end
$$;
comment on function public.pause_job_type(text) is
  'No job of the type is claimed until resume_job_type; running ones go on. Refuses an unknown type (PT404).';

create function public.resume_job_type(type text) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  perform job_queue.require_job_type(resume_job_type.type);
  update public.job_types t set paused = false where t.type = resume_job_type.type;
end
$$;
comment on function public.resume_job_type(text) is 'Ends pause_job_type. Refuses an unknown type (PT404).';

create function public.list_job_lanes() returns table (type text, lane text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select t.type, t.lane_override from public.job_types t where t.lane_override is not null order by t.type;
end
$$;
comment on function public.list_job_lanes() is 'The types whose lane an operator overrode, with that lane. Never refuses.';
