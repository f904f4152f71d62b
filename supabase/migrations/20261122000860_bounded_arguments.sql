-- Arguments that are readable and mean nothing: counts and ages beyond what the arithmetic below them holds, days before
-- there were any, ids that are none. Postgres refused them in the middle of a function, with an error of its arithmetic; now
-- the function refuses them (PT400), and says which argument it was and what it takes.

create function capture.uuid_of(p_id jsonb) returns uuid
language plpgsql immutable
set search_path = ''
as $$
declare
  v_text text := p_id #>> '{}';
begin
  if v_text is null then
    return null;
  elsif jsonb_typeof(p_id) <> 'string' or v_text !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    raise exception using errcode = 'PT400',
      message = format('repository: expected id to be a uuid, got %s', left(p_id::text, 100));
  end if;
  return v_text::uuid;
end
$$;
comment on function capture.uuid_of(jsonb) is
  'The id of a repository as a caller names it, null for none; refuses (PT400) what is no uuid.';

create function capture.github_id_of(p_github_id jsonb) returns bigint
language plpgsql immutable
set search_path = ''
as $$
declare
  v_text text := p_github_id #>> '{}';
begin
  if v_text is null then
    return null;
  elsif v_text !~ '^[0-9]{1,18}$' then
    raise exception using errcode = 'PT400',
      message = format('repository: expected github_id to be a whole number from 0, got %s', left(p_github_id::text, 100));
  end if;
  return v_text::bigint;
end
$$;
comment on function capture.github_id_of(jsonb) is
  'GitHub''s id of a repository as a caller names it, null for none; refuses (PT400) what is no whole number of at most 18 digits.';

revoke all on function capture.uuid_of(jsonb), capture.github_id_of(jsonb) from public, anon, authenticated;

create or replace function public.get_capture_state(repository jsonb, pr_number integer default null) returns jsonb
language plpgsql security definer stable
set search_path = ''
as $$
declare
  v_id uuid := capture.uuid_of(repository -> 'id');
  v_github_id bigint := capture.github_id_of(repository -> 'github_id');
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

create or replace function public.find_active_workspaces(
  max_workspaces integer, spread_seconds integer, after uuid default null
) returns jsonb
language plpgsql security definer stable
set search_path = ''
as $$
declare
  v_found jsonb;
begin
  if coalesce(max_workspaces, 0) not between 1 and 1000000 then
    raise exception using errcode = 'PT400',
      message = format('max_workspaces: expected 1 to 1000000, got %s', coalesce(max_workspaces::text, 'null'));
  elsif coalesce(spread_seconds, -1) not between 0 and 31536000 then
    raise exception using errcode = 'PT400',
      message = format('spread_seconds: expected 0 to 31536000, a year, got %s', coalesce(spread_seconds::text, 'null'));
  end if;
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', w.id,
    -- The same place for a workspace each time, so that its runs are evenly far apart.
    'run_at', clock_timestamp() + mod(hashtext(w.id::text)::bigint + 2147483648, spread_seconds + 1) * interval '1 second')
    order by w.id), '[]') into v_found
  from (
    select a.id from public.workspaces a
    where a.active and (after is null or a.id > after)
    order by a.id limit max_workspaces + 1) w;
  return jsonb_build_object(
    'workspaces', case when jsonb_array_length(v_found) > max_workspaces then v_found - max_workspaces else v_found end,
    'more', jsonb_array_length(v_found) > max_workspaces);
end
$$;

create or replace function public.find_discussion_repositories(period_minutes integer) returns jsonb
language plpgsql security definer stable
set search_path = ''
as $$
begin
  if coalesce(period_minutes, 0) not between 1 and 525600 then
    raise exception using errcode = 'PT400',
      message = format('period_minutes: expected 1 to 525600, a year, got %s', coalesce(period_minutes::text, 'null'));
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

create or replace function public.find_unclassified_repositories(
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
  elsif coalesce(max_repositories, 0) not between 1 and 1000000 then
    raise exception using errcode = 'PT400',
      message = format('max_repositories: expected 1 to 1000000, got %s', coalesce(max_repositories::text, 'null'));
  elsif v_as_of < '2000-01-01' then
    raise exception using errcode = 'PT400', message = format('as_of: expected a time from 2000 on, got %s', as_of);
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

create or replace function public.delete_old_workspace_metrics(keep_days integer, max_rows integer) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_today date := (now() at time zone 'UTC')::date;
  v_left integer := max_rows;
  v_deleted integer;
begin
  if coalesce(keep_days, 0) not between 90 and 36500 then
    raise exception using errcode = 'PT400',
      message = format('keep_days: expected 90 to 36500, got %s', coalesce(keep_days::text, 'null'));
  elsif coalesce(max_rows, 0) < 1 then
    raise exception using errcode = 'PT400',
      message = format('max_rows: expected a whole number from 1, got %s', coalesce(max_rows::text, 'null'));
  end if;
  delete from public.workspace_daily_metrics d
  where d.ctid = any (array(
    select o.ctid from public.workspace_daily_metrics o where o.day <= v_today - keep_days limit v_left));
  get diagnostics v_deleted = row_count;
  v_left := v_left - v_deleted;
  -- The trend of the longest window looks back 180 days.
  delete from public.repository_daily_metrics d
  where d.ctid = any (array(
    select o.ctid from public.repository_daily_metrics o where o.day <= v_today - greatest(keep_days, 180) limit v_left));
  get diagnostics v_deleted = row_count;
  v_left := v_left - v_deleted;
  v_left := v_left - metrics.forget_repositories(v_left);
  -- Notes of what no workspace looks at. A younger one may belong to rows that its first computation did not see.
  delete from public.repository_changes c
  where c.ctid = any (array(
    select o.ctid from public.repository_changes o
    where o.changed_at < now() - interval '1 day'
      and not exists (
        select from public.repository_metrics m where m.repository_id = o.repository_id and m.from_day is not null)
    limit v_left));
  get diagnostics v_deleted = row_count;
  return max_rows - v_left + v_deleted;
end
$$;

create or replace function public.aggregate_workspace_metrics(
  workspace_id uuid, full_recompute boolean default true, as_of date default null
) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_today date := (now() at time zone 'UTC')::date;
  v_as_of date := coalesce(as_of, v_today);
  v_members uuid[];
  v_read integer;
  v_windows jsonb;
begin
  if workspace_id is null then
    raise exception using errcode = 'PT400', message = 'workspace_id: expected the id of a workspace, got null';
  elsif full_recompute is null then
    raise exception using errcode = 'PT400', message = 'full_recompute: expected true or false, got null';
  elsif v_as_of not between '2000-01-01' and v_today then
    raise exception using errcode = 'PT400', message = format('as_of: expected a day from 2000 up to today (UTC), got %s', as_of);
  end if;
  -- One at a time for each workspace; before the repositories are locked, as everywhere.
  perform from public.workspaces w where w.id = aggregate_workspace_metrics.workspace_id for no key update;
  if not found then
    return null;
  end if;
  select coalesce(array_agg(m.repository_id), '{}') into v_members
  from public.workspace_repositories m where m.workspace_id = aggregate_workspace_metrics.workspace_id;
  -- Older days than today's windows need may have been deleted.
  v_read := metrics.refresh_repositories(v_members, v_as_of - 179, full_recompute or v_as_of < v_today);

  with measured as materialized (
    select m.* from metrics.measure_workspace(aggregate_workspace_metrics.workspace_id, v_as_of) m
  ), daily as (
    insert into public.workspace_daily_metrics as known
    select row.* from measured m cross join lateral jsonb_populate_record(
      null::public.workspace_daily_metrics,
      m.numbers || jsonb_build_object('workspace_id', workspace_id, 'day', m.last_day, 'computed_at', clock_timestamp())) as row
    where m.width = 1
    on conflict on constraint workspace_daily_metrics_pkey do update set
      pull_requests = excluded.pull_requests, open = excluded.open, opened = excluded.opened, merged = excluded.merged,
      closed = excluded.closed, average_merge_seconds = excluded.average_merge_seconds,
      median_merge_seconds = excluded.median_merge_seconds, active_contributors = excluded.active_contributors,
      reviews = excluded.reviews, reviewers = excluded.reviewers,
      average_first_review_seconds = excluded.average_first_review_seconds,
      median_first_review_seconds = excluded.median_first_review_seconds,
      merged_with_review = excluded.merged_with_review, review_coverage = excluded.review_coverage,
      comments = excluded.comments, computed_at = excluded.computed_at
  ), compared as (
    select m.width, m.numbers || jsonb_build_object(
      'workspace_id', workspace_id, 'window_days', m.width, 'first_day', m.first_day, 'last_day', m.last_day,
      'previous', b.numbers, 'trend', metrics.trend(m.numbers, b.numbers), 'computed_at', clock_timestamp()) as fields,
      m.numbers
    from measured m join measured b on b.width = m.width and b.age = 1
    where m.width > 1 and m.age = 0
  ), windows as (
    insert into public.workspace_metrics as known
    select row.* from compared c
    cross join lateral jsonb_populate_record(null::public.workspace_metrics, c.fields) as row
    on conflict on constraint workspace_metrics_pkey do update set
      first_day = excluded.first_day, last_day = excluded.last_day,
      pull_requests = excluded.pull_requests, open = excluded.open, opened = excluded.opened, merged = excluded.merged,
      closed = excluded.closed, average_merge_seconds = excluded.average_merge_seconds,
      median_merge_seconds = excluded.median_merge_seconds, active_contributors = excluded.active_contributors,
      reviews = excluded.reviews, reviewers = excluded.reviewers,
      average_first_review_seconds = excluded.average_first_review_seconds,
      median_first_review_seconds = excluded.median_first_review_seconds,
      merged_with_review = excluded.merged_with_review, review_coverage = excluded.review_coverage,
      comments = excluded.comments, previous = excluded.previous, trend = excluded.trend,
      computed_at = excluded.computed_at
  )
  select jsonb_object_agg(c.width, c.numbers) into v_windows from compared c;
  return jsonb_build_object(
    'as_of', v_as_of, 'repositories', cardinality(v_members), 'repositories_read', v_read, 'windows', v_windows);
end
$$;

create or replace function public.prune_background_jobs(older_than interval, max_rows integer) returns integer
language plpgsql security definer
set search_path = '' set enable_seqscan = off set jit = off
as $$
declare
  v_before timestamptz;
  v_pruned integer;
begin
  perform job_queue.require_max('max_rows', max_rows);
  if older_than is null or older_than not between interval '7 days' and interval '100 years' then
    raise exception using errcode = 'PT400', message = format(
      'older_than: expected at least 7 days, for so long idempotency keys live, and at most 100 years, got %s', coalesce(older_than::text, 'nothing'));
  end if;
  v_before := clock_timestamp() - older_than;
  delete from public.background_jobs j where j.id = any (array(
    select p.id from public.background_jobs p
    -- Ids are ordered by time: the scan begins at the oldest row and ends at the first that is too young.
    where p.id < job_queue.first_uuid_at(v_before) and p.status in ('completed', 'failed', 'cancelled')
      and greatest(p.created_at, p.completed_at, p.failed_at, p.started_at) < v_before
    order by p.id limit max_rows for update skip locked));
  get diagnostics v_pruned = row_count;
  return v_pruned;
end
$$;
