-- How far the captures of issues and of their comments have come. Both are incremental: what they know up to a mark they
-- never ask for again, and the mark moves in the transaction that stores the page it comes from.

alter table public.repositories
  add column issues_synced_at timestamptz,
  add column issues_synced_until timestamptz;

alter table public.issues
  add column comments_synced_at timestamptz,
  add column comments_synced_until timestamptz,
  add column comments_pages_left integer not null default 0,
  add constraint issues_comments_pages_left_check check (comments_pages_left >= 0);

comment on column public.repositories.issues_synced_at is
  'When the last capture of its issues that reached the end began; null: none did. The freshness window counts from here.';
comment on column public.repositories.issues_synced_until is
  'GitHub''s time up to which every change of an issue is stored; null: none is. The next capture lists what changed since.';
comment on column public.issues.comments_synced_at is
  'When the last capture of its comments that reached the end began; null: none did. The freshness window counts from here.';
comment on column public.issues.comments_synced_until is
  'Changes of comments after this time are not captured yet; null: no comments are. Older comments may be missing only while comments_pages_left is above 0.';
comment on column public.issues.comments_pages_left is
  'Pages of 100 comments, counted from the oldest, that a capture has left to the next one.';

create function public.get_issues_state(repository jsonb, issue_number integer default null) returns jsonb
language plpgsql security definer stable
set search_path = ''
as $$
declare
  v_state jsonb := public.get_capture_state(repository);
  v_repository_id uuid := (v_state #>> '{repository,id}')::uuid;
  v_as_of timestamptz := (v_state ->> 'as_of')::timestamptz;
begin
  return v_state || jsonb_build_object(
    'issues', (
      select jsonb_build_object(
        'age_seconds', capture.age_seconds(r.issues_synced_at, v_as_of), 'synced_until', r.issues_synced_until)
      from public.repositories r where r.id = v_repository_id),
    'issue', (
      select jsonb_build_object(
        'comments_age_seconds', capture.age_seconds(i.comments_synced_at, v_as_of),
        'comments_synced_until', i.comments_synced_until, 'comments_pages_left', i.comments_pages_left)
      from public.issues i
      where i.repository_id = v_repository_id and i.number = get_issues_state.issue_number));
end
$$;
comment on function public.get_issues_state(jsonb, integer) is
  'What get_capture_state returns, with how far its issues {age_seconds, synced_until} and the comments of one issue {comments_age_seconds, comments_synced_until, comments_pages_left} are captured, each null when unknown. Refuses (PT400) a repository without a name.';

create function public.upsert_issues_page(page jsonb, progress jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_stored jsonb := public.upsert_capture_page(page);
  v_repository_id uuid := (v_stored ->> 'repository_id')::uuid;
  v_issue jsonb := progress -> 'issue';
begin
  -- greatest ignores nulls: what the page does not say stays, and nothing goes back.
  update public.repositories known
  set issues_synced_until = greatest(known.issues_synced_until, (progress ->> 'issues_synced_until')::timestamptz),
      issues_synced_at = greatest(known.issues_synced_at, (progress ->> 'issues_synced_at')::timestamptz)
  where known.id = v_repository_id and progress ?| array['issues_synced_until', 'issues_synced_at'];
  update public.issues known
  set comments_synced_until = (v_issue ->> 'comments_synced_until')::timestamptz,
      comments_pages_left = (v_issue ->> 'comments_pages_left')::integer,
      comments_synced_at = greatest(known.comments_synced_at, (v_issue ->> 'comments_synced_at')::timestamptz)
  where known.github_id = (v_issue ->> 'github_id')::bigint
    -- A capture that was overtaken by a later one says nothing about the pages that the later one has left.
    and coalesce(known.comments_synced_until, '-infinity') <= (v_issue ->> 'comments_synced_until')::timestamptz;
  return v_stored;
end
$$;
comment on function public.upsert_issues_page(jsonb, jsonb) is
  'upsert_capture_page, and in the same transaction how far the capture has come: progress {issues_synced_until, issues_synced_at} of the repository, and of one issue {issue: {github_id, comments_synced_until, comments_pages_left, comments_synced_at}}. Times never go back. Returns and refuses what upsert_capture_page does.';

revoke all on function public.get_issues_state(jsonb, integer), public.upsert_issues_page(jsonb, jsonb)
  from public, anon, authenticated;
grant execute on function public.get_issues_state(jsonb, integer), public.upsert_issues_page(jsonb, jsonb) to service_role;
