-- The door through which every capture writes: one call per page of GitHub's answers.

create schema if not exists capture;
comment on schema capture is 'Internals of upsert_capture_page. Nothing here is a contract.';
revoke all on schema capture from public;

create function public.upsert_capture_page(page jsonb) returns jsonb
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

create function capture.require_known_keys(page jsonb) returns void
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
comment on function capture.require_known_keys(jsonb) is
  'Returns nothing; refuses (PT400) a page without fetched_at or repository, and a key that no table would store.';

create function capture.require_contributors(page jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_missing bigint;
begin
  select min(mentioned.github_id) into v_missing
  from (
    select unnest(array[
      (item ->> 'author_github_id')::bigint, (item ->> 'merged_by_github_id')::bigint,
      (item ->> 'reviewer_github_id')::bigint, (item ->> 'commenter_github_id')::bigint]) as github_id
    from jsonb_each(page - 'fetched_at' - 'repository' - 'contributors') as part
    cross join lateral jsonb_array_elements(part.value) as item
  ) as mentioned
  where mentioned.github_id is not null
    and not exists (select from public.contributors c where c.github_id = mentioned.github_id);
  if v_missing is not null then
    raise exception using errcode = 'PT400',
      message = format('page: contributor %s is mentioned but neither in the page nor known', v_missing);
  end if;
end
$$;
comment on function capture.require_contributors(jsonb) is
  'Returns nothing; refuses (PT400) a page that mentions a contributor who is not stored: an author must not be lost silently.';

revoke all on function public.upsert_capture_page(jsonb) from public, anon, authenticated;
grant execute on function public.upsert_capture_page(jsonb) to service_role;
revoke all on function capture.require_known_keys(jsonb), capture.require_contributors(jsonb)
  from public, anon, authenticated;
