-- Upserts of reviews and comments, for upsert_capture_page. Their parents are stored first; one whose parent is missing
-- breaks reviews.pull_request_id's not-null or comments_one_parent_check.

create function capture.upsert_reviews(incoming jsonb, fetched_at timestamptz) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_changed bigint;
begin
  insert into public.reviews as known (
    github_id, pull_request_id, reviewer_id, state, body, commit_sha, html_url, submitted_at, last_synced_at)
  select distinct on (i.github_id)
         i.github_id, pull_request.id, reviewer.id, i.state, i.body, i.commit_sha, i.html_url, i.submitted_at,
         upsert_reviews.fetched_at
  from jsonb_to_recordset(incoming) as i(
    github_id bigint, pull_request_github_id bigint, reviewer_github_id bigint, state text, body text,
    commit_sha text, html_url text, submitted_at timestamptz)
  left join public.pull_requests pull_request on pull_request.github_id = i.pull_request_github_id
  left join public.contributors reviewer on reviewer.github_id = i.reviewer_github_id
  order by i.github_id
  on conflict on constraint reviews_github_id_key do update
    set pull_request_id = excluded.pull_request_id, reviewer_id = excluded.reviewer_id, state = excluded.state,
        body = excluded.body, commit_sha = excluded.commit_sha, html_url = excluded.html_url,
        submitted_at = excluded.submitted_at, last_synced_at = excluded.last_synced_at
    -- GitHub's REST answers give reviews no updated_at, so the time of the fetch has to decide.
    where excluded.last_synced_at >= known.last_synced_at
      and (known.pull_request_id, known.reviewer_id, known.state, known.body, known.commit_sha, known.html_url,
           known.submitted_at)
        is distinct from
          (excluded.pull_request_id, excluded.reviewer_id, excluded.state, excluded.body, excluded.commit_sha,
           excluded.html_url, excluded.submitted_at);
  get diagnostics v_changed = row_count;
  return v_changed;
end
$$;
comment on function capture.upsert_reviews(jsonb, timestamptz) is 'Returns how many rows were inserted or changed.';

create function capture.upsert_comments(incoming jsonb, fetched_at timestamptz) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_changed bigint;
begin
  insert into public.comments as known (
    github_id, comment_type, pull_request_id, issue_id, commenter_id, in_reply_to_github_id, review_github_id, body,
    path, line, html_url, created_at, updated_at, last_synced_at)
  select distinct on (i.github_id, i.comment_type)
         i.github_id, i.comment_type, pull_request.id, issue.id, commenter.id, i.in_reply_to_github_id,
         i.review_github_id, i.body, i.path, i.line, i.html_url, i.created_at, i.updated_at,
         upsert_comments.fetched_at
  from jsonb_to_recordset(incoming) as i(
    github_id bigint, comment_type text, pull_request_github_id bigint, issue_github_id bigint,
    commenter_github_id bigint, in_reply_to_github_id bigint, review_github_id bigint, body text, path text,
    line integer, html_url text, created_at timestamptz, updated_at timestamptz)
  left join public.pull_requests pull_request on pull_request.github_id = i.pull_request_github_id
  left join public.issues issue on issue.github_id = i.issue_github_id
  left join public.contributors commenter on commenter.github_id = i.commenter_github_id
  order by i.github_id, i.comment_type, i.updated_at desc
  on conflict on constraint comments_github_id_comment_type_key do update
    set pull_request_id = excluded.pull_request_id, issue_id = excluded.issue_id,
        commenter_id = excluded.commenter_id, in_reply_to_github_id = excluded.in_reply_to_github_id,
        review_github_id = excluded.review_github_id, body = excluded.body, path = excluded.path,
        line = excluded.line, html_url = excluded.html_url, created_at = excluded.created_at,
        updated_at = excluded.updated_at, last_synced_at = excluded.last_synced_at
    where (excluded.updated_at, excluded.last_synced_at) >= (known.updated_at, known.last_synced_at)
      and (known.pull_request_id, known.issue_id, known.commenter_id, known.in_reply_to_github_id,
           known.review_github_id, known.body, known.path, known.line, known.html_url, known.created_at,
           known.updated_at)
        is distinct from
          (excluded.pull_request_id, excluded.issue_id, excluded.commenter_id, excluded.in_reply_to_github_id,
           excluded.review_github_id, excluded.body, excluded.path, excluded.line, excluded.html_url,
           excluded.created_at, excluded.updated_at);
  get diagnostics v_changed = row_count;
  return v_changed;
end
$$;
comment on function capture.upsert_comments(jsonb, timestamptz) is 'Returns how many rows were inserted or changed.';

revoke all on function capture.upsert_reviews(jsonb, timestamptz), capture.upsert_comments(jsonb, timestamptz)
  from public, anon, authenticated;
