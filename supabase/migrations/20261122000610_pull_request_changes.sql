-- How far the changes of a repository's pull requests are captured, and whose reviews and comments are missing.

alter table public.repositories
  add column pull_request_changes_from timestamptz,
  add column pull_request_changes_until timestamptz,
  add column pull_request_changes_synced_at timestamptz,
  -- One is never known without the other.
  add constraint repositories_pull_request_changes_check
    check (num_nulls(pull_request_changes_from, pull_request_changes_until) in (0, 2)
      and pull_request_changes_from <= pull_request_changes_until);

comment on column public.repositories.pull_request_changes_from is
  'GitHub''s time from which, up to pull_request_changes_until, every change of a pull request is stored; null: never captured.';
comment on column public.repositories.pull_request_changes_until is
  'GitHub''s time up to which every change of a pull request is stored. The next capture of changes reads on from here.';
comment on column public.repositories.pull_request_changes_synced_at is
  'When the last capture of changes that reached the end of its window began; null: none did. The freshness window of capture/repository.sync counts from here.';

create index pull_requests_repository_id_updated_at_idx on public.pull_requests (repository_id, updated_at desc);

create function public.get_pull_requests_state(repository jsonb) returns jsonb
language plpgsql security definer stable
set search_path = ''
as $$
declare
  v_state jsonb := public.get_capture_state(repository);
begin
  return v_state || jsonb_build_object('changes', (
    select jsonb_build_object(
      'age_seconds',
      capture.age_seconds(r.pull_request_changes_synced_at, (v_state ->> 'as_of')::timestamptz),
      'from', r.pull_request_changes_from, 'until', r.pull_request_changes_until)
    from public.repositories r
    where r.id = (v_state #>> '{repository,id}')::uuid and r.pull_request_changes_from is not null));
end
$$;
comment on function public.get_pull_requests_state(jsonb) is
  'What get_capture_state returns, with changes {age_seconds, from, until}: between which of GitHub''s times every change of a pull request is stored; null when that is unknown. Refuses (PT400) a repository without a name.';

create function public.upsert_pull_requests_page(page jsonb, changes jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_stored jsonb := public.upsert_capture_page(page);
begin
  if changes ->> 'from' is not null then
    perform capture.note_pull_request_changes(
      (v_stored ->> 'repository_id')::uuid, (changes ->> 'from')::timestamptz, (changes ->> 'until')::timestamptz,
      least((page ->> 'fetched_at')::timestamptz, clock_timestamp()));
  end if;
  return v_stored;
end
$$;
comment on function public.upsert_pull_requests_page(jsonb, jsonb) is
  'upsert_capture_page, and in the same transaction, on the page that completes a capture, between which of GitHub''s times {from, until} every change is now stored; {} on all other pages. Returns and refuses what upsert_capture_page does.';

create function capture.note_pull_request_changes(
  repository_id uuid, changes_from timestamptz, changes_until timestamptz, synced_at timestamptz) returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.repositories known
  set pull_request_changes_from = case
        when changes_from <= known.pull_request_changes_until
        then least(known.pull_request_changes_from, changes_from) else changes_from end,
      pull_request_changes_until = greatest(known.pull_request_changes_until, changes_until),
      pull_request_changes_synced_at = greatest(known.pull_request_changes_synced_at, synced_at)
  where known.id = note_pull_request_changes.repository_id
    -- What ends before the known times begin, and so leaves a gap, was overtaken by a later capture.
    and changes_until >= coalesce(known.pull_request_changes_from, '-infinity');
end
$$;
comment on function capture.note_pull_request_changes(uuid, timestamptz, timestamptz, timestamptz) is
  'Returns nothing; joins the times to the known ones when they touch. Times after a gap take the place of the known ones, times before a gap are ignored.';

create function public.get_pull_requests_without_details(repository jsonb, since timestamptz, max_rows integer) returns jsonb
language plpgsql security definer stable
set search_path = ''
as $$
declare
  v_repository_id uuid := (public.get_capture_state(repository) #>> '{repository,id}')::uuid;
  v_today date := (now() at time zone 'utc')::date;
  v_missing jsonb;
begin
  if since is null or coalesce(max_rows, -1) < 0 then
    raise exception using errcode = 'PT400',
      message = 'get_pull_requests_without_details: expected since to be a time and max_rows a number from 0';
  end if;
  with missing as (
    select p.number, capture.details_key(p.github_id, p.updated_at, v_today) as key,
           row_number() over (order by p.updated_at desc, p.number desc) as n
    from public.pull_requests p
    where p.repository_id = v_repository_id and p.updated_at >= since
      -- The details have both; greatest ignores nulls. A minute, for two clocks differ.
      and (greatest(p.details_synced_at, p.reviews_synced_at) > p.updated_at + interval '1 minute'
        and greatest(p.details_synced_at, p.comments_synced_at) > p.updated_at + interval '1 minute') is not true
      and not exists (
        select from public.background_jobs j
        where j.idempotency_key = capture.details_key(p.github_id, p.updated_at, v_today))
      and not exists (
        select from public.background_jobs j
        where j.idempotency_key = capture.details_key(p.github_id, p.updated_at, v_today - 1)
          and j.status in ('queued', 'processing'))
  )
  select jsonb_build_object(
    'total', count(*),
    'pull_requests', coalesce(
      jsonb_agg(jsonb_build_object('number', m.number, 'idempotency_key', m.key) order by m.n)
        filter (where m.n <= max_rows),
      '[]'))
  into v_missing from missing m;
  return v_missing;
end
$$;
comment on function public.get_pull_requests_without_details(jsonb, timestamptz, integer) is
  'The pull requests of a repository, changed since then, whose reviews or comments were not captured after their last change and have no job on its way: {total, pull_requests: [{number, idempotency_key}]}, at most max_rows, the latest changed first. The key names the state of the pull request and the UTC day: one job a day for a state, so that one that failed is tried again the next day. Of an unknown repository: none. Refuses (PT400) a repository without a name, a missing since, and a negative max_rows.';

create function capture.details_key(github_id bigint, updated_at timestamptz, day date) returns text
language plpgsql immutable strict
set search_path = ''
as $$
begin
  return format('capture/pr.details %s changed %s on %s', github_id, extract(epoch from updated_at)::bigint, day);
end
$$;
comment on function capture.details_key(bigint, timestamptz, date) is
  'The idempotency key of the job that captures this state of a pull request, if it is enqueued on this day.';

revoke all on function public.get_pull_requests_state(jsonb), public.upsert_pull_requests_page(jsonb, jsonb),
  public.get_pull_requests_without_details(jsonb, timestamptz, integer) from public, anon, authenticated;
grant execute on function public.get_pull_requests_state(jsonb), public.upsert_pull_requests_page(jsonb, jsonb),
  public.get_pull_requests_without_details(jsonb, timestamptz, integer) to service_role;
revoke all on function capture.note_pull_request_changes(uuid, timestamptz, timestamptz, timestamptz),
  capture.details_key(bigint, timestamptz, date) from public, anon, authenticated;
