-- Rows that a page only names. A pull request's reviews and its comments are captured page by page, each list with a
-- freshness of its own; such pages have neither the pull request's row nor the repository's, but their GitHub ids.

create function capture.known_repository(incoming jsonb) returns uuid
language plpgsql stable
set search_path = ''
as $$
declare
  v_id uuid;
begin
  select r.id into v_id from public.repositories r where r.github_id = (incoming ->> 'github_id')::bigint;
  if v_id is null then
    raise exception using errcode = 'PT400',
      message = format('page: expected repository to be a whole row or the github_id of a known one, got %s', incoming);
  end if;
  return v_id;
end
$$;
comment on function capture.known_repository(jsonb) is
  'Returns the id of the repository with this github_id; refuses (PT400) one that is not stored.';

create function capture.full_rows(pull_requests jsonb) returns jsonb
language sql immutable
set search_path = ''
as $$
  select coalesce(jsonb_agg(item), '[]')
  from jsonb_array_elements(pull_requests) as item
  where item - array['github_id', 'details_synced_at', 'reviews_synced_at', 'comments_synced_at'] <> '{}'
$$;
comment on function capture.full_rows(jsonb) is
  'Returns the pull requests that are more than an id with the times of captures; [] for none.';

create function capture.note_synced_pull_requests(incoming jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_missing bigint;
begin
  select min(i.github_id) into v_missing
  from jsonb_to_recordset(incoming) as i(github_id bigint)
  where not exists (select from public.pull_requests p where p.github_id = i.github_id);
  if v_missing is not null then
    raise exception using errcode = 'PT400',
      message = format('page: pull request %s is neither in the page nor known', v_missing);
  end if;
  -- greatest ignores nulls: a page that captured something else leaves a time as it is.
  update public.pull_requests known
  set details_synced_at = greatest(known.details_synced_at, i.details_synced_at),
      reviews_synced_at = greatest(known.reviews_synced_at, i.reviews_synced_at),
      comments_synced_at = greatest(known.comments_synced_at, i.comments_synced_at)
  from jsonb_to_recordset(incoming) as i(
    github_id bigint, details_synced_at timestamptz, reviews_synced_at timestamptz, comments_synced_at timestamptz)
  where known.github_id = i.github_id
    and (i.details_synced_at > coalesce(known.details_synced_at, '-infinity')
      or i.reviews_synced_at > coalesce(known.reviews_synced_at, '-infinity')
      or i.comments_synced_at > coalesce(known.comments_synced_at, '-infinity'));
end
$$;
comment on function capture.note_synced_pull_requests(jsonb) is
  'Returns nothing; moves the …_synced_at times of pull requests forward, never back. Refuses (PT400) an unknown one.';

revoke all on function capture.known_repository(jsonb), capture.full_rows(jsonb),
  capture.note_synced_pull_requests(jsonb) from public, anon, authenticated;
