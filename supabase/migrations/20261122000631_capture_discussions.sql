-- How discussions are stored, and which repositories' discussions are to be captured.

create function public.upsert_discussions_page(page jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  -- Nobody may claim to have looked at GitHub later than now: such a row would refuse honest captures.
  v_fetched_at timestamptz := least((page ->> 'fetched_at')::timestamptz, clock_timestamp());
  v_progress jsonb := coalesce(page -> 'progress', '{}');
  v_discussions jsonb := coalesce(page -> 'discussions', '[]');
  v_comments jsonb := coalesce(page -> 'discussion_comments', '[]');
  v_repository_id uuid;
  v_contributors bigint;
  v_changed_discussions bigint;
  v_changed_comments bigint;
begin
  perform capture.require_known_discussion_keys(page);
  -- The same order in every call, and rows by github_id within a table: two pages with common rows cannot deadlock.
  v_repository_id := case
    when (page -> 'repository') - 'github_id' = '{}' then capture.known_repository(page -> 'repository')
    else capture.upsert_repository(page -> 'repository', v_fetched_at) end;
  v_contributors := capture.upsert_contributors(coalesce(page -> 'contributors', '[]'), v_fetched_at);
  perform capture.require_contributors(jsonb_build_object(
    'discussions', v_discussions, 'discussion_comments', v_comments,
    'answers', (
      select coalesce(jsonb_agg(jsonb_build_object('author_github_id', item -> 'answer_chosen_by_github_id')), '[]')
      from jsonb_array_elements(v_discussions) as item)));
  v_changed_discussions := capture.upsert_discussions(v_repository_id, v_discussions, v_fetched_at);
  v_changed_comments := capture.upsert_discussion_comments(v_comments, v_fetched_at);
  update public.repositories known
  set discussions_cursor = v_progress ->> 'cursor',
      discussions_synced_until = (v_progress ->> 'synced_until')::timestamptz
  where known.id = v_repository_id
    and (v_progress ->> 'synced_until')::timestamptz >= coalesce(known.discussions_synced_until, '-infinity')
    and known.discussions_cursor is distinct from v_progress ->> 'cursor';
  update public.repositories known
  set discussions_synced_at = least((v_progress ->> 'synced_at')::timestamptz, clock_timestamp())
  where known.id = v_repository_id
    and (v_progress ->> 'synced_at')::timestamptz > coalesce(known.discussions_synced_at, '-infinity');
  return jsonb_build_object(
    'repository_id', v_repository_id,
    'changed', jsonb_build_object(
      'contributors', v_contributors, 'discussions', v_changed_discussions,
      'discussion_comments', v_changed_comments));
end
$$;
comment on function public.upsert_discussions_page(jsonb) is
  'Stores one page {fetched_at, repository, contributors, discussions, discussion_comments, progress}, all or nothing; rows name each other by GitHub ids, and a repository of nothing but github_id is a known one. progress {cursor, synced_until, synced_at} says how far the capture has come; it never goes back. Returns {repository_id, changed: {table: rows inserted or changed}}; an older page changes nothing that a newer one wrote. Refuses (PT400) a missing fetched_at or repository, an unknown key, a contributor id that is neither in the page nor in the table, and a repository that should be known and is not; a comment without its discussion breaks a constraint.';

create function capture.require_known_discussion_keys(page jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_known constant jsonb := '{
    "discussions": ["github_id", "author_github_id", "answer_chosen_by_github_id", "number", "title", "body",
      "category", "state", "state_reason", "locked", "is_answered", "answer_github_id", "answer_chosen_at", "upvotes",
      "html_url", "created_at", "updated_at", "closed_at"],
    "discussion_comments": ["github_id", "discussion_github_id", "author_github_id", "parent_github_id", "is_answer",
      "upvotes", "body", "html_url", "created_at", "updated_at", "deleted_at"],
    "progress": ["cursor", "synced_until", "synced_at"]
  }';
  v_stranger text;
begin
  perform capture.require_known_keys(page - array['discussions', 'discussion_comments', 'progress']);
  select format('%s.%s', part.key, field.key) into v_stranger
  from jsonb_each(page) as part
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(part.value) when 'array' then part.value else jsonb_build_array(part.value) end) as item
  cross join lateral jsonb_object_keys(item) as field(key)
  where v_known ? part.key and not (v_known -> part.key) ? field.key
  limit 1;
  if v_stranger is not null then
    raise exception using errcode = 'PT400', message = format('page: %s is not a column that a capture writes', v_stranger);
  end if;
end
$$;
comment on function capture.require_known_discussion_keys(jsonb) is
  'Returns nothing; refuses (PT400) a page without fetched_at or repository, and a key that no table would store.';

create function capture.upsert_discussions(repository_id uuid, incoming jsonb, fetched_at timestamptz) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_changed bigint;
begin
  insert into public.discussions as known (
    github_id, repository_id, author_id, answer_chosen_by_id, number, title, body, category, state, state_reason,
    locked, is_answered, answer_github_id, answer_chosen_at, upvotes, html_url, created_at, updated_at, closed_at,
    last_synced_at)
  select distinct on (i.github_id)
         i.github_id, upsert_discussions.repository_id, author.id, chooser.id, i.number, i.title, i.body, i.category,
         i.state, i.state_reason, i.locked, i.is_answered, i.answer_github_id, i.answer_chosen_at, i.upvotes,
         i.html_url, i.created_at, i.updated_at, i.closed_at, upsert_discussions.fetched_at
  from jsonb_to_recordset(incoming) as i(
    github_id bigint, author_github_id bigint, answer_chosen_by_github_id bigint, number integer, title text, body text,
    category text, state text, state_reason text, locked boolean, is_answered boolean, answer_github_id bigint,
    answer_chosen_at timestamptz, upvotes integer, html_url text, created_at timestamptz, updated_at timestamptz,
    closed_at timestamptz)
  left join public.contributors author on author.github_id = i.author_github_id
  left join public.contributors chooser on chooser.github_id = i.answer_chosen_by_github_id
  order by i.github_id, i.updated_at desc
  on conflict on constraint discussions_github_id_key do update
    set repository_id = excluded.repository_id, author_id = excluded.author_id,
        answer_chosen_by_id = excluded.answer_chosen_by_id, number = excluded.number, title = excluded.title,
        body = excluded.body, category = excluded.category, state = excluded.state,
        state_reason = excluded.state_reason, locked = excluded.locked, is_answered = excluded.is_answered,
        answer_github_id = excluded.answer_github_id, answer_chosen_at = excluded.answer_chosen_at,
        upvotes = excluded.upvotes, html_url = excluded.html_url, created_at = excluded.created_at,
        updated_at = excluded.updated_at, closed_at = excluded.closed_at, last_synced_at = excluded.last_synced_at
    where (excluded.updated_at, excluded.last_synced_at) >= (known.updated_at, known.last_synced_at)
      and (known.repository_id, known.author_id, known.answer_chosen_by_id, known.number, known.title, known.body,
           known.category, known.state, known.state_reason, known.locked, known.is_answered, known.answer_github_id,
           known.answer_chosen_at, known.upvotes, known.html_url, known.created_at, known.updated_at, known.closed_at)
        is distinct from
          (excluded.repository_id, excluded.author_id, excluded.answer_chosen_by_id, excluded.number, excluded.title,
           excluded.body, excluded.category, excluded.state, excluded.state_reason, excluded.locked,
           excluded.is_answered, excluded.answer_github_id, excluded.answer_chosen_at, excluded.upvotes,
           excluded.html_url, excluded.created_at, excluded.updated_at, excluded.closed_at);
  get diagnostics v_changed = row_count;
  return v_changed;
end
$$;
comment on function capture.upsert_discussions(uuid, jsonb, timestamptz) is
  'Returns how many rows were inserted or changed.';

create function capture.upsert_discussion_comments(incoming jsonb, fetched_at timestamptz) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_changed bigint;
begin
  insert into public.discussion_comments as known (
    github_id, discussion_id, author_id, parent_github_id, is_answer, upvotes, body, html_url, created_at, updated_at,
    deleted_at, last_synced_at)
  select distinct on (i.github_id)
         i.github_id, discussion.id, author.id, i.parent_github_id, i.is_answer, i.upvotes, i.body, i.html_url,
         i.created_at, i.updated_at, i.deleted_at, upsert_discussion_comments.fetched_at
  from jsonb_to_recordset(incoming) as i(
    github_id bigint, discussion_github_id bigint, author_github_id bigint, parent_github_id bigint, is_answer boolean,
    upvotes integer, body text, html_url text, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz)
  left join public.discussions discussion on discussion.github_id = i.discussion_github_id
  left join public.contributors author on author.github_id = i.author_github_id
  order by i.github_id, i.updated_at desc
  on conflict on constraint discussion_comments_github_id_key do update
    set discussion_id = excluded.discussion_id, author_id = excluded.author_id,
        parent_github_id = excluded.parent_github_id, is_answer = excluded.is_answer, upvotes = excluded.upvotes,
        body = excluded.body, html_url = excluded.html_url, created_at = excluded.created_at,
        updated_at = excluded.updated_at, deleted_at = excluded.deleted_at, last_synced_at = excluded.last_synced_at
    where (excluded.updated_at, excluded.last_synced_at) >= (known.updated_at, known.last_synced_at)
      and (known.discussion_id, known.author_id, known.parent_github_id, known.is_answer, known.upvotes, known.body,
           known.html_url, known.created_at, known.updated_at, known.deleted_at)
        is distinct from
          (excluded.discussion_id, excluded.author_id, excluded.parent_github_id, excluded.is_answer, excluded.upvotes,
           excluded.body, excluded.html_url, excluded.created_at, excluded.updated_at, excluded.deleted_at);
  get diagnostics v_changed = row_count;
  return v_changed;
end
$$;
comment on function capture.upsert_discussion_comments(jsonb, timestamptz) is
  'Returns how many rows were inserted or changed.';

create function public.get_discussions_state(repository jsonb) returns jsonb
language plpgsql security definer stable
set search_path = ''
as $$
declare
  v_state jsonb := public.get_capture_state(repository);
  v_as_of timestamptz := (v_state ->> 'as_of')::timestamptz;
begin
  return v_state || jsonb_build_object(
    'discussions', (
      select jsonb_build_object(
        'switched_on', coalesce(t.sync_discussions, false),
        'age_seconds', capture.age_seconds(r.discussions_synced_at, v_as_of), 'cursor', r.discussions_cursor)
      from public.repositories r
      left join public.tracked_repositories t on t.repository_id = r.id
      where r.id = (v_state #>> '{repository,id}')::uuid));
end
$$;
comment on function public.get_discussions_state(jsonb) is
  'What get_capture_state returns, with whether and how far the discussions of the repository are captured {switched_on, age_seconds, cursor}, null when it is unknown. Refuses (PT400) a repository without a name.';

create function public.find_discussion_repositories(period_minutes integer) returns jsonb
language plpgsql security definer stable
set search_path = ''
as $$
begin
  if coalesce(period_minutes, 0) < 1 then
    raise exception using errcode = 'PT400',
      message = format('period_minutes: expected a whole number from 1, got %s', coalesce(period_minutes::text, 'null'));
  end if;
  return (
    with switched_on as (
      select r.github_id, r.owner, r.name,
             format('discussions of %s, period %s of %s minutes', r.id,
               floor(extract(epoch from clock_timestamp()) / (60 * period_minutes)), period_minutes) as key
      from public.tracked_repositories t
      join public.repositories r on r.id = t.repository_id
      where t.enabled and t.sync_discussions
        and (r.unavailable_at is null or r.unavailable_at < r.last_synced_at)
    ), due as (
      select s.* from switched_on s
      where not exists (select from public.background_jobs j where j.idempotency_key = s.key)
    )
    select jsonb_build_object(
      'switched_on', (select count(*) from switched_on),
      'due', coalesce(jsonb_agg(jsonb_build_object(
          'github_id', d.github_id, 'owner', d.owner, 'name', d.name, 'idempotency_key', d.key)
        order by d.github_id), '[]'))
    from due d);
end
$$;
comment on function public.find_discussion_repositories(integer) is
  'The tracked, enabled and available repositories with sync_discussions: {switched_on: how many, due: [{github_id, owner, name, idempotency_key}]}; due are those without a job of the current period. Refuses (PT400) a period below 1 minute.';

revoke all on function public.upsert_discussions_page(jsonb), public.get_discussions_state(jsonb),
  public.find_discussion_repositories(integer) from public, anon, authenticated;
grant execute on function public.upsert_discussions_page(jsonb), public.get_discussions_state(jsonb),
  public.find_discussion_repositories(integer) to service_role;
revoke all on function capture.require_known_discussion_keys(jsonb),
  capture.upsert_discussions(uuid, jsonb, timestamptz), capture.upsert_discussion_comments(jsonb, timestamptz)
  from public, anon, authenticated;
