-- The metrics of workspaces, merged from the daily metrics of their repositories.

create table public.workspace_daily_metrics (
  workspace_id uuid not null,
  day date not null,
  pull_requests integer not null,
  open integer not null,
  opened integer not null,
  merged integer not null,
  closed integer not null,
  average_merge_seconds bigint,
  median_merge_seconds bigint,
  active_contributors integer not null,
  reviews integer not null,
  reviewers integer not null,
  average_first_review_seconds bigint,
  median_first_review_seconds bigint,
  merged_with_review integer not null,
  review_coverage numeric,
  comments integer not null,
  computed_at timestamptz not null,
  constraint workspace_daily_metrics_pkey primary key (workspace_id, day),
  constraint workspace_daily_metrics_workspace_id_fkey
    foreign key (workspace_id) references public.workspaces (id) on delete cascade
);

create index workspace_daily_metrics_day_idx on public.workspace_daily_metrics (day);

create table public.workspace_metrics (
  workspace_id uuid not null,
  window_days integer not null,
  first_day date not null,
  last_day date not null,
  pull_requests integer not null,
  open integer not null,
  opened integer not null,
  merged integer not null,
  closed integer not null,
  average_merge_seconds bigint,
  median_merge_seconds bigint,
  active_contributors integer not null,
  reviews integer not null,
  reviewers integer not null,
  average_first_review_seconds bigint,
  median_first_review_seconds bigint,
  merged_with_review integer not null,
  review_coverage numeric,
  comments integer not null,
  previous jsonb not null,
  trend jsonb not null,
  computed_at timestamptz not null,
  constraint workspace_metrics_pkey primary key (workspace_id, window_days),
  constraint workspace_metrics_workspace_id_fkey
    foreign key (workspace_id) references public.workspaces (id) on delete cascade,
  constraint workspace_metrics_window_days_check check (window_days in (7, 30, 90))
);

comment on table public.workspace_daily_metrics is
  'Metrics of a workspace per day (UTC), of the repositories that it has now: days before one was added count it, too. Kept for 90 days. The columns are those of workspace_metrics, for a window of one day.';
comment on table public.workspace_metrics is
  'Metrics of a workspace over the last 7, 30 and 90 days (UTC, the current day included), of the repositories that it has now. Pull requests count whoever opened them; reviews, comments and people are without bots.';
comment on column public.workspace_metrics.pull_requests is 'All pull requests that existed at the end of last_day.';
comment on column public.workspace_metrics.open is 'Those that were open at the end of last_day.';
comment on column public.workspace_metrics.opened is 'Pull requests created in the window.';
comment on column public.workspace_metrics.merged is 'Pull requests merged in the window, whenever they were opened.';
comment on column public.workspace_metrics.closed is 'Pull requests closed in the window without being merged.';
comment on column public.workspace_metrics.average_merge_seconds is
  'Mean of merged_at - created_at of the merged ones, in whole seconds; null: none was merged.';
comment on column public.workspace_metrics.median_merge_seconds is
  'Median of the same (percentile_cont), in whole seconds. One pull request that lay for a year moves the mean, not this.';
comment on column public.workspace_metrics.active_contributors is
  'Distinct accounts that opened a pull request, reviewed one of somebody else, or commented on one.';
comment on column public.workspace_metrics.reviews is 'Submitted reviews by others than the pull request''s author.';
comment on column public.workspace_metrics.reviewers is 'Distinct accounts that wrote them.';
comment on column public.workspace_metrics.average_first_review_seconds is
  'Mean time from the creation of a pull request to its first review by somebody else, of those whose first review was in the window.';
comment on column public.workspace_metrics.median_first_review_seconds is 'Median of the same.';
comment on column public.workspace_metrics.merged_with_review is 'Of merged: those that somebody else has reviewed.';
comment on column public.workspace_metrics.review_coverage is 'merged_with_review / merged, from 0 to 1; null: none was merged.';
comment on column public.workspace_metrics.comments is 'Comments on code and in conversations of pull requests.';
comment on column public.workspace_metrics.previous is 'The same numbers of the window before: as many days, up to the day before first_day.';
comment on column public.workspace_metrics.trend is
  'Against previous, by number: {change: now - before, ratio: change / before}; null where one of them is null, ratio null also where there was 0 before.';

do $$
declare
  computed text;
begin
  foreach computed in array array['workspace_daily_metrics', 'workspace_metrics'] loop
    execute format('alter table public.%I enable row level security', computed);
    execute format('revoke all on table public.%I from public, anon, authenticated, service_role', computed);
    execute format('grant select, insert, update, delete on table public.%I to service_role', computed);
    execute format('grant select on table public.%I to authenticated', computed);
    execute format(
      'create policy %I on public.%I for select to authenticated using (exists (select from public.workspaces w where w.id = workspace_id))',
      computed || '_read', computed
    );
  end loop;
end
$$;

create function metrics.measure_workspace(workspace_id uuid, as_of date)
returns table (width integer, age integer, first_day date, last_day date, numbers jsonb)
language plpgsql stable
set search_path = '' set enable_seqscan = off set jit = off
as $$
begin
  return query
  with period as materialized (
    select w.width, a.age, as_of - w.width * (a.age + 1) + 1 as first_day, as_of - w.width * a.age as last_day
    from (values (1, 89), (7, 1), (30, 1), (90, 1)) as w(width, oldest)
    cross join lateral generate_series(0, w.oldest) as a(age)
  ), period_day as materialized (
    -- Joined by equality: comparing each row with the bounds of 96 periods takes most of the time otherwise.
    select p.width, p.age, p.first_day + n as day
    from period p cross join lateral generate_series(0, p.last_day - p.first_day) as n
  ), member as materialized (
    select m.repository_id from public.workspace_repositories m where m.workspace_id = measure_workspace.workspace_id
  ), fact as materialized (
    select d.* from member m join public.repository_daily_metrics d on d.repository_id = m.repository_id
    where d.day > as_of - 180
  ), today as (
    select coalesce(sum(r.pull_requests), 0) as pull_requests, coalesce(sum(r.open), 0) as open
    from member m join public.repository_metrics r on r.repository_id = m.repository_id
  ), per_day as materialized (
    select f.day, sum(f.opened) as opened, sum(f.merged) as merged, sum(f.closed) as closed,
           sum(f.merged_with_review) as merged_with_review, sum(f.reviews) as reviews, sum(f.comments) as comments
    from fact f group by f.day
  ), counted as (
    select p.width, p.age,
           coalesce(sum(d.opened) filter (where d.day <= p.last_day), 0) as opened,
           coalesce(sum(d.merged) filter (where d.day <= p.last_day), 0) as merged,
           coalesce(sum(d.closed) filter (where d.day <= p.last_day), 0) as closed,
           coalesce(sum(d.merged_with_review) filter (where d.day <= p.last_day), 0) as merged_with_review,
           coalesce(sum(d.reviews) filter (where d.day <= p.last_day), 0) as reviews,
           coalesce(sum(d.comments) filter (where d.day <= p.last_day), 0) as comments,
           coalesce(sum(d.opened) filter (where d.day > p.last_day), 0) as opened_since,
           coalesce(sum(d.merged + d.closed) filter (where d.day > p.last_day), 0) as ended_since
    from period p left join per_day d on d.day >= p.first_day
    group by p.width, p.age
  ), merging as (
    select p.width, p.age, round(avg(s.seconds))::bigint as average,
           round((percentile_cont(0.5) within group (order by s.seconds))::numeric)::bigint as median
    from period_day p
    join fact f on f.day = p.day
    cross join lateral unnest(f.merge_seconds) as s(seconds)
    group by p.width, p.age
  ), reviewing as (
    select p.width, p.age, round(avg(s.seconds))::bigint as average,
           round((percentile_cont(0.5) within group (order by s.seconds))::numeric)::bigint as median
    from period_day p
    join fact f on f.day = p.day
    cross join lateral unnest(f.first_review_seconds) as s(seconds)
    group by p.width, p.age
  ), person as materialized (
    select f.day, a.id, bool_or(a.id = any (f.reviewer_ids)) as has_reviewed
    from fact f cross join lateral unnest(f.contributor_ids) as a(id)
    group by f.day, a.id
  ), people as (
    select p.width, p.age, count(distinct a.id) as contributors,
           count(distinct a.id) filter (where a.has_reviewed) as reviewers
    from period_day p join person a on a.day = p.day
    group by p.width, p.age
  )
  select p.width, p.age, p.first_day, p.last_day, jsonb_build_object(
    'pull_requests', t.pull_requests - c.opened_since,
    'open', t.open + c.ended_since - c.opened_since,
    'opened', c.opened,
    'merged', c.merged,
    'closed', c.closed,
    'average_merge_seconds', m.average,
    'median_merge_seconds', m.median,
    'active_contributors', coalesce(a.contributors, 0),
    'reviews', c.reviews,
    'reviewers', coalesce(a.reviewers, 0),
    'average_first_review_seconds', r.average,
    'median_first_review_seconds', r.median,
    'merged_with_review', c.merged_with_review,
    'review_coverage', round(c.merged_with_review::numeric / nullif(c.merged, 0), 4),
    'comments', c.comments)
  from period p
  cross join today t
  join counted c on c.width = p.width and c.age = p.age
  left join merging m on m.width = p.width and m.age = p.age
  left join reviewing r on r.width = p.width and r.age = p.age
  left join people a on a.width = p.width and a.age = p.age;
end
$$;
comment on function metrics.measure_workspace(uuid, date) is
  'The numbers of a workspace, in one statement: of the last 90 days (width 1), of the last 7, 30 and 90 days (age 0), and of as many days before each of them (age 1). They are named as the columns of workspace_metrics.';

create function metrics.trend(now_numbers jsonb, before_numbers jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  return (
    select jsonb_object_agg(n.key, case when n.change is null then null else jsonb_build_object(
      'change', n.change, 'ratio', round(n.change / nullif(n.before, 0), 4)) end)
    from (
      select now.key, (before_numbers ->> now.key)::numeric as before,
             now.value::numeric - (before_numbers ->> now.key)::numeric as change
      from jsonb_each_text(now_numbers) as now) n);
end
$$;
comment on function metrics.trend(jsonb, jsonb) is 'By number: {change, ratio}, as the comment on workspace_metrics.trend says.';

create function public.aggregate_workspace_metrics(
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
  elsif v_as_of > v_today then
    raise exception using errcode = 'PT400', message = format('as_of: expected a day up to today (UTC), got %s', as_of);
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
comment on function public.aggregate_workspace_metrics(uuid, boolean, date) is
  'Computes workspace_daily_metrics of the last 90 days and workspace_metrics of the workspace, as of the end of a day (default: today, UTC). With full_recompute (default) all its repositories are read; without, those that it got or that changed since they were last read, with the same result. Returns {as_of, repositories, repositories_read, windows: {"7", "30", "90": numbers}}; null when there is no such workspace. Refuses (PT400) null and a day to come.';

revoke all on function metrics.measure_workspace(uuid, date), metrics.trend(jsonb, jsonb) from public, anon, authenticated;
revoke all on function public.aggregate_workspace_metrics(uuid, boolean, date) from public, anon, authenticated;
grant execute on function public.aggregate_workspace_metrics(uuid, boolean, date) to service_role;
