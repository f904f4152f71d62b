-- What is known already: the look into the database that comes before every request to GitHub.

create function public.get_capture_state(repository jsonb, pr_number integer default null) returns jsonb
language plpgsql security definer stable
set search_path = ''
as $$
declare
  v_id uuid := (repository ->> 'id')::uuid;
  v_github_id bigint := (repository ->> 'github_id')::bigint;
  v_owner text := lower(repository ->> 'owner');
  v_name text := lower(repository ->> 'name');
  v_now timestamptz := clock_timestamp();
  v_repository public.repositories;
  v_pull_request jsonb;
begin
  if v_id is null and v_github_id is null and (v_owner is null or v_name is null) then
    raise exception using errcode = 'PT400',
      message = 'repository: expected an object with id, github_id, or owner and name';
  end if;
  select r.* into v_repository
  from public.repositories r
  where r.id = v_id
     or r.github_id = v_github_id
     -- GitHub's own id beats a name, which another repository may have taken over.
     or (v_github_id is null and lower(r.owner) = v_owner and lower(r.name) = v_name)
  order by r.id is not distinct from v_id desc, r.github_id is not distinct from v_github_id desc, r.last_synced_at desc
  limit 1;
  if v_repository.id is null then
    return jsonb_build_object('as_of', v_now, 'repository', null, 'pull_request', null);
  end if;
  select jsonb_build_object(
    'id', p.id, 'github_id', p.github_id,
    'details_age_seconds', capture.age_seconds(p.details_synced_at, v_now),
    -- The details have both; greatest ignores nulls.
    'reviews_age_seconds', capture.age_seconds(greatest(p.reviews_synced_at, p.details_synced_at), v_now),
    'comments_age_seconds', capture.age_seconds(greatest(p.comments_synced_at, p.details_synced_at), v_now),
    'reviews', (select count(*) from public.reviews r where r.pull_request_id = p.id),
    'comments', (select count(*) from public.comments c where c.pull_request_id = p.id))
  into v_pull_request
  from public.pull_requests p
  where p.repository_id = v_repository.id and p.number = get_capture_state.pr_number;
  return jsonb_build_object(
    'as_of', v_now,
    'repository', jsonb_build_object(
      'id', v_repository.id, 'github_id', v_repository.github_id,
      'owner', v_repository.owner, 'name', v_repository.name,
      'pull_requests_age_seconds', capture.age_seconds(v_repository.pull_requests_synced_at, v_now)),
    'pull_request', v_pull_request);
end
$$;
comment on function public.get_capture_state(jsonb, integer) is
  'What the database holds of a repository, named by {id}, {github_id} or {owner, name}, and of one of its pull requests: {as_of, repository, pull_request}, each null when unknown. as_of is the database''s time, to be given back as fetched_at; ages are whole seconds since the last capture (of its reviews and of its comments: alone or with the details), null when there was none. Refuses (PT400) a repository without a name.';

create function capture.age_seconds(synced_at timestamptz, as_of timestamptz) returns integer
language plpgsql immutable strict
set search_path = ''
as $$
begin
  return greatest(0, floor(extract(epoch from as_of - synced_at)))::integer;
end
$$;
comment on function capture.age_seconds(timestamptz, timestamptz) is
  'Whole seconds between the two times, never below 0; null when the first is null.';

revoke all on function public.get_capture_state(jsonb, integer) from public, anon, authenticated;
grant execute on function public.get_capture_state(jsonb, integer) to service_role;
revoke all on function capture.age_seconds(timestamptz, timestamptz) from public, anon, authenticated;
