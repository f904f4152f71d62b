-- How large a repository is, which decides how it is synced. The thresholds stand in the column size_class and nowhere else.

alter table public.repositories
  add column pull_request_count integer,
  add column size_class text generated always as (
    case
      when pull_request_count < 100 then 'small'
      when pull_request_count <= 500 then 'medium'
      when pull_request_count > 500 then 'large'
    end) stored,
  add column size_classified_at timestamptz,
  add column unavailable_at timestamptz,
  add constraint repositories_pull_request_count_check check (pull_request_count >= 0);

comment on column public.repositories.pull_request_count is
  'Its pull requests on GitHub, open and closed, when GitHub was last asked; null: never.';
comment on column public.repositories.size_class is
  'small (under 100 pull requests), medium (100 to 500) or large; null while they are not counted.';
comment on column public.repositories.size_classified_at is
  'When GitHub was last asked for its size, also in vain; null: never. The freshness window counts from here.';
comment on column public.repositories.unavailable_at is
  'Since when GitHub answers that there is no such repository (deleted, made private, its name taken by another); null: it is there. A capture after this time (last_synced_at) overrules it.';

-- Never classified first, then the longest unclassified.
create index repositories_size_classified_at_idx
  on public.repositories (coalesce(size_classified_at, '-infinity'), id);

create function public.find_unclassified_repositories(
  stale_after_seconds integer, max_repositories integer, as_of timestamptz default null
) returns jsonb
language plpgsql security definer stable
set search_path = ''
as $$
declare
  v_as_of timestamptz := least(as_of, clock_timestamp());
  v_stale_before timestamptz;
  v_found jsonb;
begin
  if coalesce(stale_after_seconds, -1) < 0 then
    raise exception using errcode = 'PT400',
      message = format('stale_after_seconds: expected a whole number from 0, got %s', coalesce(stale_after_seconds::text, 'null'));
  elsif coalesce(max_repositories, 0) < 1 then
    raise exception using errcode = 'PT400',
      message = format('max_repositories: expected a whole number from 1, got %s', coalesce(max_repositories::text, 'null'));
  end if;
  v_stale_before := v_as_of - make_interval(secs => stale_after_seconds);
  select coalesce(jsonb_agg(jsonb_build_object('github_id', f.github_id, 'owner', f.owner, 'name', f.name) order by f.n), '[]')
  into v_found
  from (
    select r.github_id, r.owner, r.name,
           row_number() over (order by coalesce(r.size_classified_at, '-infinity'), r.id) as n
    from public.repositories r
    where coalesce(r.size_classified_at, '-infinity') < v_stale_before
    order by coalesce(r.size_classified_at, '-infinity'), r.id
    -- One more than asked for tells that there are more.
    limit max_repositories + 1
  ) f;
  return jsonb_build_object(
    'as_of', v_as_of,
    'repositories', case when jsonb_array_length(v_found) > max_repositories then v_found - max_repositories else v_found end,
    'more', jsonb_array_length(v_found) > max_repositories);
end
$$;
comment on function public.find_unclassified_repositories(integer, integer, timestamptz) is
  'Repositories whose size was never asked for, or longer than stale_after_seconds before as_of (default: now), the longest first: {as_of, repositories: [{github_id, owner, name}], more: whether there are others}. Refuses (PT400) a negative age and a maximum below 1.';

create function public.get_repository_size(repository jsonb) returns jsonb
language plpgsql security definer stable
set search_path = ''
as $$
declare
  v_state jsonb := public.get_capture_state(repository);
begin
  return v_state || jsonb_build_object('size', (
    select jsonb_build_object(
      'pull_request_count', r.pull_request_count, 'size_class', r.size_class,
      'age_seconds', case when r.unavailable_at is null
        then capture.age_seconds(r.size_classified_at, (v_state ->> 'as_of')::timestamptz) end)
    from public.repositories r where r.id = (v_state #>> '{repository,id}')::uuid));
end
$$;
comment on function public.get_repository_size(jsonb) is
  'What get_capture_state returns, with size {pull_request_count, size_class, age_seconds}: null for an unknown repository, its age null where GitHub was never asked or did not know it. Refuses (PT400) a repository without a name.';

create function public.record_repository_sizes(sizes jsonb, fetched_at timestamptz) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_fetched_at timestamptz := least(fetched_at, clock_timestamp());
  v_counts jsonb;
begin
  if jsonb_typeof(sizes) is distinct from 'array' then
    raise exception using errcode = 'PT400',
      message = 'sizes: expected an array of {github_id, owner, name, pull_request_count}';
  elsif fetched_at is null then
    raise exception using errcode = 'PT400', message = 'fetched_at: expected a time, got null';
  end if;
  with input as materialized (
    select i.github_id, i.owner, i.name, i.pull_request_count
    from jsonb_to_recordset(sizes) as i(github_id bigint, owner text, name text, pull_request_count integer)
  ), held as materialized (
    -- One order for all callers: two of them with common rows wait for each other instead of deadlocking.
    select r.id from public.repositories r join input i on i.github_id = r.github_id
    order by r.github_id for no key update of r
  ), written as (
    update public.repositories known
    set pull_request_count = coalesce(i.pull_request_count, known.pull_request_count),
        size_classified_at = v_fetched_at,
        unavailable_at = case when i.pull_request_count is null then coalesce(known.unavailable_at, v_fetched_at) end,
        -- A later capture knows its name better.
        owner = case when v_fetched_at >= known.last_synced_at then coalesce(i.owner, known.owner) else known.owner end,
        name = case when v_fetched_at >= known.last_synced_at then coalesce(i.name, known.name) else known.name end
    from held h, input i
    where known.id = h.id and i.github_id = known.github_id
      and coalesce(known.size_classified_at, '-infinity') <= v_fetched_at
    returning known.size_class, known.unavailable_at
  )
  select jsonb_build_object(
    'small', count(*) filter (where w.unavailable_at is null and w.size_class = 'small'),
    'medium', count(*) filter (where w.unavailable_at is null and w.size_class = 'medium'),
    'large', count(*) filter (where w.unavailable_at is null and w.size_class = 'large'),
    'unavailable', count(*) filter (where w.unavailable_at is not null))
  into v_counts
  from written w;
  return v_counts;
end
$$;
comment on function public.record_repository_sizes(jsonb, timestamptz) is
  'Stores what GitHub answered about the sizes [{github_id, owner, name, pull_request_count}] of known repositories; without a count, GitHub has no such repository any more, and its last size stays. Returns how many rows now are {small, medium, large, unavailable}; an older answer changes nothing that a newer one wrote. Refuses (PT400) anything but an array, and a missing time.';

revoke all on function public.find_unclassified_repositories(integer, integer, timestamptz),
  public.get_repository_size(jsonb), public.record_repository_sizes(jsonb, timestamptz)
  from public, anon, authenticated;
grant execute on function public.find_unclassified_repositories(integer, integer, timestamptz),
  public.get_repository_size(jsonb), public.record_repository_sizes(jsonb, timestamptz) to service_role;
