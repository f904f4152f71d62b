-- How far the pull requests of a repository are captured with their reviews and comments, for the two jobs that capture
-- many at once: one look for any number of pull requests, one note when a whole repository is done.

alter table public.repositories
  add column details_synced_at timestamptz,
  add column details_synced_since timestamptz;

comment on column public.repositories.details_synced_at is
  'When the last capture of its pull requests with all their reviews and comments began; null: never. The freshness window counts from here.';
comment on column public.repositories.details_synced_since is
  'That capture left out the pull requests that were created before this time; null: none.';

create function public.get_details_state(repository jsonb, pr_numbers jsonb default '[]') returns jsonb
language plpgsql security definer stable
set search_path = ''
as $$
declare
  v_state jsonb;
  v_repository_id uuid;
  v_as_of timestamptz;
begin
  if jsonb_typeof(pr_numbers) is distinct from 'array' then
    raise exception using errcode = 'PT400', message = 'pr_numbers: expected an array of numbers';
  end if;
  v_state := public.get_capture_state(repository);
  v_repository_id := (v_state #>> '{repository,id}')::uuid;
  v_as_of := (v_state ->> 'as_of')::timestamptz;
  return v_state || jsonb_build_object(
    'details', (
      select jsonb_build_object(
        'age_seconds', capture.age_seconds(r.details_synced_at, v_as_of), 'since', r.details_synced_since)
      from public.repositories r where r.id = v_repository_id),
    'pull_requests', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'number', p.number, 'details_age_seconds', capture.age_seconds(p.details_synced_at, v_as_of))), '[]')
      from public.pull_requests p
      where p.repository_id = v_repository_id
        and p.number in (select n.number::integer from jsonb_array_elements_text(pr_numbers) as n(number))));
end
$$;
comment on function public.get_details_state(jsonb, jsonb) is
  'What get_capture_state returns, with when the details of all pull requests {age_seconds, since} and of the named ones [{number, details_age_seconds}] were captured; details is null for an unknown repository, and unknown pull requests are left out. Refuses (PT400) a repository without a name, and pr_numbers that is no array.';

create function public.note_details_synced(progress jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  v_id uuid := capture.known_repository(progress);
  -- Nobody may claim to have looked at GitHub later than now: the repository would stay fresh for too long.
  v_as_of timestamptz := least((progress ->> 'as_of')::timestamptz, clock_timestamp());
  v_since timestamptz := (progress ->> 'since')::timestamptz;
begin
  if progress ->> 'as_of' is null then
    raise exception using errcode = 'PT400', message = 'progress: expected as_of to be a time, got nothing';
  end if;
  update public.repositories known
  set details_synced_at = v_as_of, details_synced_since = v_since,
      pull_requests_synced_at = case
        when v_since is null then greatest(known.pull_requests_synced_at, v_as_of)
        else known.pull_requests_synced_at end
  where known.id = v_id and coalesce(known.details_synced_at, '-infinity') < v_as_of;
end
$$;
comment on function public.note_details_synced(jsonb) is
  'Returns nothing; notes for progress {github_id, as_of, since} that a capture which began at as_of has all pull requests created since then (since null: all of them, so that the newest are captured, too) with their reviews and comments. Times never go back. Refuses (PT400) a repository that is not stored, and a missing as_of.';

revoke all on function public.get_details_state(jsonb, jsonb), public.note_details_synced(jsonb)
  from public, anon, authenticated;
grant execute on function public.get_details_state(jsonb, jsonb), public.note_details_synced(jsonb) to service_role;
