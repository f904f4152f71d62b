-- Upserts of repositories and contributors, for upsert_capture_page.

create function capture.upsert_repository(incoming jsonb, fetched_at timestamptz) returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_id uuid;
begin
  insert into public.repositories as known (
    github_id, owner, name, description, private, fork, archived, default_branch, language, stargazers_count,
    html_url, created_at, updated_at, pushed_at, last_synced_at, pull_requests_synced_at)
  select i.github_id, i.owner, i.name, i.description, i.private, i.fork, i.archived, i.default_branch, i.language,
         i.stargazers_count, i.html_url, i.created_at, i.updated_at, i.pushed_at, upsert_repository.fetched_at,
         i.pull_requests_synced_at
  from jsonb_to_record(incoming) as i(
    github_id bigint, owner text, name text, description text, private boolean, fork boolean, archived boolean,
    default_branch text, language text, stargazers_count integer, html_url text, created_at timestamptz,
    updated_at timestamptz, pushed_at timestamptz, pull_requests_synced_at timestamptz)
  on conflict on constraint repositories_github_id_key do update
    set owner = excluded.owner, name = excluded.name, description = excluded.description,
        private = excluded.private, fork = excluded.fork, archived = excluded.archived,
        default_branch = excluded.default_branch, language = excluded.language,
        stargazers_count = excluded.stargazers_count, html_url = excluded.html_url,
        created_at = excluded.created_at, updated_at = excluded.updated_at, pushed_at = excluded.pushed_at,
        last_synced_at = excluded.last_synced_at,
        -- greatest ignores nulls: a page that did not capture pull requests leaves the time as it is.
        pull_requests_synced_at = greatest(known.pull_requests_synced_at, excluded.pull_requests_synced_at)
    where excluded.last_synced_at >= known.last_synced_at;
  select r.id into v_id from public.repositories r where r.github_id = (incoming ->> 'github_id')::bigint;
  return v_id;
end
$$;
comment on function capture.upsert_repository(jsonb, timestamptz) is
  'Returns the id of the stored repository; its row changes unless a later capture has written it.';

create function capture.upsert_contributors(incoming jsonb, fetched_at timestamptz) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_changed bigint;
begin
  insert into public.contributors as known (github_id, username, account_type, is_bot, avatar_url, last_synced_at)
  select distinct on (i.github_id)
         i.github_id, i.username, i.account_type, i.is_bot, i.avatar_url, upsert_contributors.fetched_at
  from jsonb_to_recordset(incoming) as i(
    github_id bigint, username text, account_type text, is_bot boolean, avatar_url text)
  order by i.github_id
  on conflict on constraint contributors_github_id_key do update
    set username = excluded.username, account_type = excluded.account_type, is_bot = excluded.is_bot,
        avatar_url = excluded.avatar_url, last_synced_at = excluded.last_synced_at
    where excluded.last_synced_at >= known.last_synced_at
      and (known.username, known.account_type, known.is_bot, known.avatar_url)
        is distinct from (excluded.username, excluded.account_type, excluded.is_bot, excluded.avatar_url);
  get diagnostics v_changed = row_count;
  return v_changed;
end
$$;
comment on function capture.upsert_contributors(jsonb, timestamptz) is 'Returns how many rows were inserted or changed.';

revoke all on function capture.upsert_repository(jsonb, timestamptz), capture.upsert_contributors(jsonb, timestamptz)
  from public, anon, authenticated;
