-- Upserts of pull requests and issues, for upsert_capture_page. GitHub's updated_at decides which version is newer;
-- for equal ones (it has whole seconds) the later fetch does.

create function capture.upsert_pull_requests(repository_id uuid, incoming jsonb, fetched_at timestamptz) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_changed bigint;
begin
  insert into public.pull_requests as known (
    github_id, repository_id, author_id, merged_by_id, number, title, body, state, draft, merged, base_branch,
    head_branch, head_sha, additions, deletions, changed_files, commits, html_url, created_at, updated_at, closed_at,
    merged_at, last_synced_at, details_synced_at)
  select distinct on (i.github_id)
         i.github_id, upsert_pull_requests.repository_id, author.id, merger.id, i.number, i.title, i.body, i.state,
         i.draft, i.merged, i.base_branch, i.head_branch, i.head_sha, i.additions, i.deletions, i.changed_files,
         i.commits, i.html_url, i.created_at, i.updated_at, i.closed_at, i.merged_at, upsert_pull_requests.fetched_at,
         i.details_synced_at
  from jsonb_to_recordset(incoming) as i(
    github_id bigint, author_github_id bigint, merged_by_github_id bigint, number integer, title text, body text,
    state text, draft boolean, merged boolean, base_branch text, head_branch text, head_sha text, additions integer,
    deletions integer, changed_files integer, commits integer, html_url text, created_at timestamptz,
    updated_at timestamptz, closed_at timestamptz, merged_at timestamptz, details_synced_at timestamptz)
  left join public.contributors author on author.github_id = i.author_github_id
  left join public.contributors merger on merger.github_id = i.merged_by_github_id
  order by i.github_id, i.updated_at desc
  on conflict on constraint pull_requests_github_id_key do update
    set repository_id = excluded.repository_id, author_id = excluded.author_id, number = excluded.number,
        title = excluded.title, body = excluded.body, state = excluded.state, draft = excluded.draft,
        merged = excluded.merged, base_branch = excluded.base_branch, head_branch = excluded.head_branch,
        head_sha = excluded.head_sha, html_url = excluded.html_url, created_at = excluded.created_at,
        updated_at = excluded.updated_at, closed_at = excluded.closed_at, merged_at = excluded.merged_at,
        -- GitHub's lists leave these out; what a full answer told stays.
        merged_by_id = coalesce(excluded.merged_by_id, known.merged_by_id),
        additions = coalesce(excluded.additions, known.additions),
        deletions = coalesce(excluded.deletions, known.deletions),
        changed_files = coalesce(excluded.changed_files, known.changed_files),
        commits = coalesce(excluded.commits, known.commits),
        last_synced_at = excluded.last_synced_at,
        details_synced_at = greatest(known.details_synced_at, excluded.details_synced_at)
    where (excluded.updated_at, excluded.last_synced_at) >= (known.updated_at, known.last_synced_at)
      and (known.repository_id, known.author_id, known.merged_by_id, known.number, known.title, known.body, known.state,
           known.draft, known.merged, known.base_branch, known.head_branch, known.head_sha, known.additions,
           known.deletions, known.changed_files, known.commits, known.html_url, known.created_at, known.updated_at,
           known.closed_at, known.merged_at)
        is distinct from
          (excluded.repository_id, excluded.author_id, coalesce(excluded.merged_by_id, known.merged_by_id),
           excluded.number, excluded.title, excluded.body, excluded.state, excluded.draft, excluded.merged,
           excluded.base_branch, excluded.head_branch, excluded.head_sha,
           coalesce(excluded.additions, known.additions), coalesce(excluded.deletions, known.deletions),
           coalesce(excluded.changed_files, known.changed_files), coalesce(excluded.commits, known.commits),
           excluded.html_url, excluded.created_at, excluded.updated_at, excluded.closed_at, excluded.merged_at);
  get diagnostics v_changed = row_count;
  -- Unchanged rows only note that they were seen; no index covers these columns, so the update is HOT.
  update public.pull_requests known
  set last_synced_at = greatest(known.last_synced_at, upsert_pull_requests.fetched_at),
      details_synced_at = greatest(known.details_synced_at, i.details_synced_at)
  from jsonb_to_recordset(incoming) as i(github_id bigint, details_synced_at timestamptz)
  where known.github_id = i.github_id
    and (known.last_synced_at < upsert_pull_requests.fetched_at
      or i.details_synced_at > coalesce(known.details_synced_at, '-infinity'));
  return v_changed;
end
$$;
comment on function capture.upsert_pull_requests(uuid, jsonb, timestamptz) is
  'Returns how many rows were inserted or changed; rows that were only seen again get new synced_at times and are not counted.';

create function capture.upsert_issues(repository_id uuid, incoming jsonb, fetched_at timestamptz) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_changed bigint;
begin
  insert into public.issues as known (
    github_id, repository_id, author_id, number, title, body, state, state_reason, html_url, created_at, updated_at,
    closed_at, last_synced_at)
  select distinct on (i.github_id)
         i.github_id, upsert_issues.repository_id, author.id, i.number, i.title, i.body, i.state, i.state_reason,
         i.html_url, i.created_at, i.updated_at, i.closed_at, upsert_issues.fetched_at
  from jsonb_to_recordset(incoming) as i(
    github_id bigint, author_github_id bigint, number integer, title text, body text, state text, state_reason text,
    html_url text, created_at timestamptz, updated_at timestamptz, closed_at timestamptz)
  left join public.contributors author on author.github_id = i.author_github_id
  order by i.github_id, i.updated_at desc
  on conflict on constraint issues_github_id_key do update
    set repository_id = excluded.repository_id, author_id = excluded.author_id, number = excluded.number,
        title = excluded.title, body = excluded.body, state = excluded.state, state_reason = excluded.state_reason,
        html_url = excluded.html_url, created_at = excluded.created_at, updated_at = excluded.updated_at,
        closed_at = excluded.closed_at, last_synced_at = excluded.last_synced_at
    where (excluded.updated_at, excluded.last_synced_at) >= (known.updated_at, known.last_synced_at)
      and (known.repository_id, known.author_id, known.number, known.title, known.body, known.state,
           known.state_reason, known.html_url, known.created_at, known.updated_at, known.closed_at)
        is distinct from
          (excluded.repository_id, excluded.author_id, excluded.number, excluded.title, excluded.body, excluded.state,
           excluded.state_reason, excluded.html_url, excluded.created_at, excluded.updated_at, excluded.closed_at);
  get diagnostics v_changed = row_count;
  return v_changed;
end
$$;
comment on function capture.upsert_issues(uuid, jsonb, timestamptz) is 'Returns how many rows were inserted or changed.';

revoke all on function capture.upsert_pull_requests(uuid, jsonb, timestamptz), capture.upsert_issues(uuid, jsonb, timestamptz)
  from public, anon, authenticated;
