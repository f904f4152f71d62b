-- What operators may look for in the list of jobs, read from JSON with errors that name the key.

create type job_queue.job_filter as (
  statuses text[], types text[], lanes text[], repository text, repository_ids uuid[], from_at timestamptz,
  to_at timestamptz, search text, pattern text, search_id uuid);
comment on type job_queue.job_filter is 'What operator_jobs looks for; null: anything.';

create function job_queue.read_words(p_key text, p_value jsonb, p_known text[]) returns text[]
language plpgsql immutable
set search_path = ''
as $$
declare
  v_list jsonb := case jsonb_typeof(p_value) when 'array' then p_value else jsonb_build_array(p_value) end;
  v_words text[];
begin
  v_words := array(select e.word #>> '{}' from jsonb_array_elements(v_list) as e(word) where jsonb_typeof(e.word) = 'string');
  if cardinality(v_words) not between 1 and 100 or cardinality(v_words) <> jsonb_array_length(v_list)
     or not v_words <@ coalesce(p_known, v_words) then
    raise exception using errcode = 'PT400', message = format('filter.%s: expected %s or an array of 1 to 100 of these, got %s',
      p_key, coalesce('one of ' || array_to_string(p_known, ', '), 'a string'), left(p_value::text, 100));
  end if;
  return v_words;
end
$$;
comment on function job_queue.read_words(text, jsonb, text[]) is
  'The words of a filter: one string or an array of them, of the known ones (null: any). Refuses (PT400) anything else, naming the key.';

create function job_queue.read_time(p_key text, p_value jsonb) returns timestamptz
language plpgsql stable
set search_path = ''
as $$
begin
  if not job_queue.is_timestamp(p_value) then
    raise exception using errcode = 'PT400',
      message = format('filter.%s: expected a timestamp in the years 1900 to 9999, got %s', p_key, left(p_value::text, 100));
  end if;
  return (p_value #>> '{}')::timestamptz;
end
$$;
comment on function job_queue.read_time(text, jsonb) is 'The time of a filter. Refuses (PT400) anything else, naming the key.';

create function job_queue.as_uuid(p_text text) returns uuid
language plpgsql immutable
set search_path = ''
as $$
begin
  return case when p_text ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then p_text::uuid end;
end
$$;
comment on function job_queue.as_uuid(text) is 'The text as a uuid; null when it is none.';

create function job_queue.read_repository(p_filter job_queue.job_filter, p_value jsonb) returns job_queue.job_filter
language plpgsql stable
set search_path = ''
as $$
declare
  v_text text := lower(p_value #>> '{}');
  v_id uuid := job_queue.as_uuid(v_text);
begin
  if jsonb_typeof(p_value) <> 'string' or (v_id is null and v_text !~ '^[^/\s]+/[^/\s]+$') then
    raise exception using errcode = 'PT400',
      message = format('filter.repository: expected owner/name or the uuid of a repository, got %s', left(p_value::text, 100));
  end if;
  p_filter.repository_ids := array(
    select r.id from public.repositories r
    where r.id = v_id or (lower(r.owner), lower(r.name)) = (split_part(v_text, '/', 1), split_part(v_text, '/', 2)));
  p_filter.repository := coalesce(
    (select lower(r.owner || '/' || r.name) from public.repositories r where r.id = v_id), v_text);
  if v_id is not null then p_filter.repository_ids := array[v_id]; end if;
  return p_filter;
end
$$;
comment on function job_queue.read_repository(job_queue.job_filter, jsonb) is
  'The filter with its repository, by name and by ids. Refuses (PT400) what is neither owner/name nor a uuid.';

create function job_queue.read_job_filter(p_filter jsonb) returns job_queue.job_filter
language plpgsql stable
set search_path = ''
as $$
declare
  v_filter job_queue.job_filter;
  v_key text;
  v_value jsonb;
begin
  if jsonb_typeof(p_filter) is distinct from 'object' then
    raise exception using errcode = 'PT400', message = 'filter: expected an object';
  end if;
  for v_key, v_value in select e.key, e.value from jsonb_each(p_filter) as e where jsonb_typeof(e.value) <> 'null' loop
    case v_key
      when 'status' then
        v_filter.statuses := job_queue.read_words(v_key, v_value, array['queued', 'processing', 'completed', 'failed', 'cancelled']);
      when 'type' then v_filter.types := job_queue.read_words(v_key, v_value, null);
      when 'lane' then v_filter.lanes := job_queue.read_words(v_key, v_value, array['inline', 'edge', 'worker']);
      when 'repository' then v_filter := job_queue.read_repository(v_filter, v_value);
      when 'from' then v_filter.from_at := job_queue.read_time(v_key, v_value);
      when 'to' then v_filter.to_at := job_queue.read_time(v_key, v_value);
      when 'text' then
        if jsonb_typeof(v_value) <> 'string' or char_length(v_value #>> '{}') not between 1 and 200 then
          raise exception using errcode = 'PT400', message = 'filter.text: expected a string of 1 to 200 characters';
        end if;
        v_filter.search := v_value #>> '{}';
        v_filter.pattern := '%' || regexp_replace(v_filter.search, '([\\%_])', '\\\1', 'g') || '%';
        v_filter.search_id := job_queue.as_uuid(v_filter.search);
      else
        raise exception using errcode = 'PT400', message = format(
          'filter.%s: unknown key; expected status, type, lane, repository, from, to or text', left(v_key, 100));
    end case;
  end loop;
  return v_filter;
end
$$;
comment on function job_queue.read_job_filter(jsonb) is
  'The filter of operator_jobs, read. Refuses (PT400) an unknown key or a value that is not as expected, naming the key.';

revoke all on function job_queue.read_words(text, jsonb, text[]), job_queue.read_time(text, jsonb), job_queue.as_uuid(text),
  job_queue.read_repository(job_queue.job_filter, jsonb), job_queue.read_job_filter(jsonb)
  from public, anon, authenticated, service_role;
