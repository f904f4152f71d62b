-- Where the line starts is noted only by claims that look at all of it: one that passes by some types or keys finds a first
-- job behind others that are alive. Places at or before 1970 are not noted: the sequences that hold the notes begin at 1.

create or replace function job_queue.line_start(p_lane text, p_now timestamptz) returns timestamptz
language plpgsql
set search_path = ''
as $$
declare
  v_start bigint;
  v_noted bigint;
begin
  case p_lane
    when 'edge' then
      select last_value into v_noted from job_queue.edge_line_noted;
      select last_value into v_start from job_queue.edge_line_start;
    when 'worker' then
      select last_value into v_noted from job_queue.worker_line_noted;
      select last_value into v_start from job_queue.worker_line_start;
    else return '-infinity';
  end case;
  -- In microseconds. A note from the future is one from before the clock was set back.
  if abs(extract(epoch from p_now) * 1000000 - v_noted) > 1000000 then return '-infinity'; end if;
  return timestamptz 'epoch' + v_start * interval '1 microsecond';
end
$$;

create or replace function job_queue.note_line_start(p_lane text, p_start timestamptz, p_now timestamptz) returns void
language plpgsql
set search_path = ''
as $$
begin
  if not isfinite(p_start) or p_start <= 'epoch' then return; end if;
  if p_lane = 'edge' then
    -- The start first: with the note alone, a claim would start at an old place.
    perform setval('job_queue.edge_line_start', floor(extract(epoch from p_start) * 1000000)::bigint);
    perform setval('job_queue.edge_line_noted', (extract(epoch from p_now) * 1000000)::bigint);
  elsif p_lane = 'worker' then
    perform setval('job_queue.worker_line_start', floor(extract(epoch from p_start) * 1000000)::bigint);
    perform setval('job_queue.worker_line_noted', (extract(epoch from p_now) * 1000000)::bigint);
  end if;
end
$$;
comment on function job_queue.note_line_start(text, timestamptz, timestamptz) is
  'Notes where the line of the lane began for a claim that walked far; a place at or before 1970 is not noted. Visible to others at once.';

create or replace function job_queue.pick_line(
  p_lane text, p_now timestamptz, p_max_jobs integer, p_types text[], p_unfit text[], p_undecided text[], p_careful boolean,
  out ctids tid[], out ids uuid[], out keyed boolean)
language plpgsql
set search_path = ''
as $$
declare
  v_from timestamptz := job_queue.line_start(p_lane, p_now);
  v_all boolean := p_types is null and p_unfit = '{}' and p_undecided = '{}' and not p_careful;
  v_pages bigint;
  v_pick record;
begin
  loop
    v_pages := pg_stat_get_xact_blocks_fetched('public.background_job_ready'::regclass);
    select * into v_pick
    from job_queue.pick_ready(p_lane, v_from, p_now, p_max_jobs, p_types, p_unfit, p_undecided, p_careful);
    exit when v_pick.ids is not null or v_from = '-infinity';
    v_from := '-infinity';
  end loop;
  ctids := v_pick.ctids;
  ids := v_pick.ids;
  keyed := v_pick.keyed;
  -- A pick reads a page or two for each row that it locks. Far more are 5,000 rows or so that only an old snapshot sees.
  if v_all and v_from = '-infinity' and v_pick.first_at is not null
     and pg_stat_get_xact_blocks_fetched('public.background_job_ready'::regclass) - v_pages > 64 + 2 * cardinality(ids) then
    perform job_queue.note_line_start(p_lane, v_pick.first_at, p_now);
  end if;
end
$$;
