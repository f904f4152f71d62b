-- A pull request's reviews and its comments are captured page by page, each list with a freshness of its own. Such pages
-- have neither the pull request's row nor the repository's: they name both by GitHub's id.

alter table public.pull_requests
  add column reviews_synced_at timestamptz,
  add column comments_synced_at timestamptz;

comment on column public.pull_requests.details_synced_at is
  'When the last capture of its reviews and comments in one began; null: never. The freshness window counts from here.';
comment on column public.pull_requests.reviews_synced_at is
  'When the last capture of all its reviews alone began; null: never. The freshness window counts from here or from details_synced_at.';
comment on column public.pull_requests.comments_synced_at is
  'When the last capture of all its comments alone began; null: never. The freshness window counts from here or from details_synced_at.';

create or replace function public.upsert_capture_page(page jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  -- Nobody may claim to have looked at GitHub later than now: such a row would refuse honest captures.
  v_fetched_at timestamptz := least((page ->> 'fetched_at')::timestamptz, clock_timestamp());
  v_repository_id uuid;
  v_contributors bigint;
  v_pull_requests bigint;
  v_issues bigint;
  v_reviews bigint;
  v_comments bigint;
begin
  perform capture.require_known_keys(page);
  -- The same order in every call, and rows by github_id within a table: two pages with common rows cannot deadlock.
  v_repository_id := case
    when (page -> 'repository') - 'github_id' = '{}' then capture.known_repository(page -> 'repository')
    else capture.upsert_repository(page -> 'repository', v_fetched_at) end;
  v_contributors := capture.upsert_contributors(coalesce(page -> 'contributors', '[]'), v_fetched_at);
  perform capture.require_contributors(page);
  v_pull_requests := capture.upsert_pull_requests(
    v_repository_id, capture.full_rows(coalesce(page -> 'pull_requests', '[]')), v_fetched_at);
  perform capture.note_synced_pull_requests(coalesce(page -> 'pull_requests', '[]'));
  v_issues := capture.upsert_issues(v_repository_id, coalesce(page -> 'issues', '[]'), v_fetched_at);
  v_reviews := capture.upsert_reviews(coalesce(page -> 'reviews', '[]'), v_fetched_at);
  v_comments := capture.upsert_comments(coalesce(page -> 'comments', '[]'), v_fetched_at);
  return jsonb_build_object(
    'repository_id', v_repository_id,
    'changed', jsonb_build_object(
      'contributors', v_contributors, 'pull_requests', v_pull_requests, 'issues', v_issues,
      'reviews', v_reviews, 'comments', v_comments));
end
$$;
comment on function public.upsert_capture_page(jsonb) is
  'Stores one page {fetched_at, repository, contributors, pull_requests, issues, reviews, comments}, all or nothing; rows name each other by GitHub ids (author_github_id, pull_request_github_id, …) and their order does not matter. A repository of nothing but github_id, and a pull request of nothing but github_id and …_synced_at times, are known rows, of which only these times change. Returns {repository_id, changed: {table: rows inserted or changed}}; an older page changes nothing that a newer one wrote. Refuses (PT400) a missing fetched_at or repository, an unknown key, a contributor id that is neither in the page nor in the table, and a repository or pull request that should be known and is not; a review or comment without its parent breaks a constraint.';

create or replace function capture.require_known_keys(page jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_known constant jsonb := '{
    "repository": ["github_id", "owner", "name", "description", "private", "fork", "archived", "default_branch",
      "language", "stargazers_count", "html_url", "created_at", "updated_at", "pushed_at", "pull_requests_synced_at"],
    "contributors": ["github_id", "username", "account_type", "is_bot", "avatar_url"],
    "pull_requests": ["github_id", "author_github_id", "merged_by_github_id", "number", "title", "body", "state",
      "draft", "merged", "base_branch", "head_branch", "head_sha", "additions", "deletions", "changed_files",
      "commits", "html_url", "created_at", "updated_at", "closed_at", "merged_at", "details_synced_at",
      "reviews_synced_at", "comments_synced_at"],
    "issues": ["github_id", "author_github_id", "number", "title", "body", "state", "state_reason", "html_url",
      "created_at", "updated_at", "closed_at"],
    "reviews": ["github_id", "pull_request_github_id", "reviewer_github_id", "state", "body", "commit_sha",
      "html_url", "submitted_at"],
    "comments": ["github_id", "comment_type", "pull_request_github_id", "issue_github_id", "commenter_github_id",
      "in_reply_to_github_id", "review_github_id", "body", "path", "line", "html_url", "created_at", "updated_at"]
  }';
  v_stranger text;
begin
  if page ->> 'fetched_at' is null or jsonb_typeof(page -> 'repository') is distinct from 'object' then
    raise exception using errcode = 'PT400',
      message = 'page: expected an object with fetched_at (a time) and repository (an object)';
  end if;
  select format('%s.%s', part.key, field.key) into v_stranger
  from jsonb_each(page - 'fetched_at') as part
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(part.value) when 'array' then part.value else jsonb_build_array(part.value) end) as item
  cross join lateral jsonb_object_keys(item) as field(key)
  where not coalesce((v_known -> part.key) ? field.key, false)
  limit 1;
  if v_stranger is not null then
    raise exception using errcode = 'PT400', message = format('page: %s is not a column that a capture writes', v_stranger);
  end if;
end
$$;

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

create or replace function public.get_capture_state(repository jsonb, pr_number integer default null) returns jsonb
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

revoke all on function public.upsert_capture_page(jsonb), public.get_capture_state(jsonb, integer)
  from public, anon, authenticated;
grant execute on function public.upsert_capture_page(jsonb), public.get_capture_state(jsonb, integer) to service_role;
revoke all on function capture.require_known_keys(jsonb), capture.known_repository(jsonb), capture.full_rows(jsonb),
  capture.note_synced_pull_requests(jsonb) from public, anon, authenticated;
