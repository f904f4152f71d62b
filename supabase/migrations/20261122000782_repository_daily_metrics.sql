-- What a repository adds to the metrics of its workspaces, day by day, in a form that can be merged without loss: counts,
-- all merge and review times (a median of medians is no median), and sets of people (who works in two repositories is one
-- person). docs/decisions/0016-workspace-metrics.md says more.

create table public.repository_metrics (
  repository_id uuid not null,
  pull_requests integer not null default 0,
  open integer not null default 0,
  from_day date,
  computed_at timestamptz,
  -- One row for a repository, so its key is the index of the foreign key, too.
  constraint repository_metrics_pkey primary key (repository_id),
  constraint repository_metrics_repository_id_fkey
    foreign key (repository_id) references public.repositories (id) on delete cascade
);

comment on table public.repository_metrics is
  'Repositories whose daily metrics were computed. The row is locked while that is being done.';
comment on column public.repository_metrics.pull_requests is 'All its captured pull requests.';
comment on column public.repository_metrics.open is 'Those that are open.';
comment on column public.repository_metrics.from_day is 'The first day of which repository_daily_metrics knows; null: never computed.';

create table public.repository_daily_metrics (
  repository_id uuid not null,
  day date not null,
  opened integer not null,
  merged integer not null,
  closed integer not null,
  merged_with_review integer not null,
  merge_seconds bigint[] not null,
  first_review_seconds bigint[] not null,
  reviews integer not null,
  comments integer not null,
  contributor_ids uuid[] not null,
  reviewer_ids uuid[] not null,
  constraint repository_daily_metrics_pkey primary key (repository_id, day),
  constraint repository_daily_metrics_repository_id_fkey
    foreign key (repository_id) references public.repositories (id) on delete cascade
);

create index repository_daily_metrics_day_idx on public.repository_daily_metrics (day);

comment on table public.repository_daily_metrics is
  'What happened in a repository on a day (UTC), computed from its captured rows; a day on which nothing happened has no row. A workspace''s metrics are sums and unions of these rows.';
comment on column public.repository_daily_metrics.opened is 'Pull requests created on the day, whoever wrote them, bots too.';
comment on column public.repository_daily_metrics.merged is 'Pull requests merged on the day.';
comment on column public.repository_daily_metrics.closed is 'Pull requests closed on the day without being merged.';
comment on column public.repository_daily_metrics.merged_with_review is
  'Of merged: those with a submitted review, of whatever verdict and whenever, by somebody who is neither their author nor a bot.';
comment on column public.repository_daily_metrics.merge_seconds is
  'Of each merged one: whole seconds from created_at to merged_at, never below 0.';
comment on column public.repository_daily_metrics.first_review_seconds is
  'Of each pull request whose first review by somebody else (no bot) was submitted on the day: whole seconds from created_at to it, never below 0.';
comment on column public.repository_daily_metrics.reviews is
  'Reviews submitted on the day by others than the pull request''s author, without bots.';
comment on column public.repository_daily_metrics.comments is
  'Comments on code and in the conversation of pull requests written on the day, without bots.';
comment on column public.repository_daily_metrics.contributor_ids is
  'Accounts that opened a pull request, reviewed or commented on the day, each once; without bots and deleted accounts.';
comment on column public.repository_daily_metrics.reviewer_ids is 'Those among them that reviewed.';

do $$
declare
  computed text;
begin
  foreach computed in array array['repository_metrics', 'repository_daily_metrics'] loop
    execute format('alter table public.%I enable row level security', computed);
    execute format('revoke all on table public.%I from public, anon, authenticated, service_role', computed);
    execute format('grant select on table public.%I to service_role', computed);
  end loop;
end
$$;

-- Its open pull requests are counted each time; there are few of them.
create index pull_requests_open_idx on public.pull_requests (repository_id) where state = 'open';

create function metrics.refresh_repositories(repository_ids uuid[], from_day date, full_recompute boolean) returns integer
language plpgsql
set search_path = '' set enable_seqscan = off set jit = off
as $$
declare
  v_stale uuid[];
  -- So many at a time that what is sorted stays in memory: a third less time for 100 repositories of 10,000 pull requests.
  v_portion constant integer := 20;
begin
  -- One order for all callers: two of them with common repositories wait for each other instead of deadlocking.
  insert into public.repository_metrics (repository_id)
  select r.id from public.repositories r where r.id = any (repository_ids) order by r.id
  on conflict on constraint repository_metrics_pkey do nothing;
  perform from public.repository_metrics m where m.repository_id = any (repository_ids) order by m.repository_id for update;

  select coalesce(array_agg(m.repository_id), '{}') into v_stale
  from public.repository_metrics m
  where m.repository_id = any (repository_ids)
    and (full_recompute or m.from_day is null or m.from_day > refresh_repositories.from_day
      or exists (select from public.repository_changes c where c.repository_id = m.repository_id));

  -- Before anything is read: a note that comes later belongs to rows that may be missed below, and must stay.
  delete from public.repository_changes c where c.repository_id = any (v_stale);
  delete from public.repository_daily_metrics d where d.repository_id = any (v_stale);
  for n in 1 .. cardinality(v_stale) by v_portion loop
    perform metrics.insert_repository_days(v_stale[n : n + v_portion - 1], refresh_repositories.from_day);
  end loop;

  update public.repository_metrics m
  set pull_requests = (select count(*) from public.pull_requests p where p.repository_id = m.repository_id),
      open = (select count(*) from public.pull_requests p where p.repository_id = m.repository_id and p.state = 'open'),
      from_day = refresh_repositories.from_day,
      computed_at = clock_timestamp()
  where m.repository_id = any (v_stale);
  return cardinality(v_stale);
end
$$;
comment on function metrics.refresh_repositories(uuid[], date, boolean) is
  'Computes the daily metrics from a day on of those of the repositories that changed since they were computed, or of all of them. Returns how many these are.';

create function metrics.insert_repository_days(repository_ids uuid[], from_day date) returns void
language plpgsql
set search_path = '' set enable_seqscan = off set jit = off set work_mem = '32MB'
as $$
declare
  v_from timestamptz := from_day::timestamp at time zone 'UTC';
begin
  insert into public.repository_daily_metrics (
    repository_id, day, opened, merged, closed, merged_with_review, merge_seconds, first_review_seconds, reviews,
    comments, contributor_ids, reviewer_ids)
  with pull as materialized (
    -- GitHub moves updated_at whenever something happens to a pull request, so that the older ones need not be read.
    select p.id, p.repository_id, p.author_id, p.created_at, p.merged_at,
           case when p.merged_at is null then p.closed_at end as closed_at
    from public.pull_requests p
    where p.repository_id = any (repository_ids) and p.updated_at >= v_from
  ), review as materialized (
    select p.id as pull_request_id, p.repository_id, r.reviewer_id, r.submitted_at
    from pull p
    -- `offset 0` makes it one look into the index per pull request; the planner prefers to read the whole table otherwise,
    -- whatever other repositories have in it.
    cross join lateral (
      select v.reviewer_id, v.submitted_at from public.reviews v
      where v.pull_request_id = p.id and v.state <> 'PENDING' and v.submitted_at is not null offset 0) r
    left join public.contributors c on c.id = r.reviewer_id
    where not coalesce(c.is_bot, false)
      -- A deleted account is not the author, unless the author's is deleted as well: then nobody can tell.
      and r.reviewer_id is distinct from p.author_id
  ), first_review as materialized (
    select r.pull_request_id, min(r.submitted_at) as at from review r group by r.pull_request_id
  ), turn (repository_id, at, kind, seconds, has_review) as (
    select p.repository_id, p.created_at, 'opened', null::bigint, null::boolean from pull p where p.created_at >= v_from
    union all
    select p.repository_id, p.merged_at, 'merged', metrics.seconds_between(p.created_at, p.merged_at), f.at is not null
    from pull p left join first_review f on f.pull_request_id = p.id
    where p.merged_at >= v_from
    union all
    select p.repository_id, p.closed_at, 'closed', null, null from pull p where p.closed_at >= v_from
    union all
    select p.repository_id, f.at, 'first review', metrics.seconds_between(p.created_at, f.at), null
    from first_review f join pull p on p.id = f.pull_request_id
    where f.at >= v_from
  ), turns as (
    select t.repository_id, (t.at at time zone 'UTC')::date as day,
           count(*) filter (where t.kind = 'opened') as opened,
           count(*) filter (where t.kind = 'merged') as merged,
           count(*) filter (where t.kind = 'closed') as closed,
           count(*) filter (where t.has_review) as merged_with_review,
           array_agg(t.seconds) filter (where t.kind = 'merged') as merge_seconds,
           array_agg(t.seconds) filter (where t.kind = 'first review') as first_review_seconds
    from turn t group by t.repository_id, (t.at at time zone 'UTC')::date
  ), act (repository_id, at, kind, account_id) as (
    select p.repository_id, p.created_at, 'opened', c.id
    from pull p join public.contributors c on c.id = p.author_id
    where p.created_at >= v_from and not c.is_bot
    union all
    select r.repository_id, r.submitted_at, 'review', r.reviewer_id from review r where r.submitted_at >= v_from
    union all
    select p.repository_id, m.created_at, 'comment', m.commenter_id
    from pull p
    cross join lateral (
      select k.commenter_id, k.created_at from public.comments k
      where k.pull_request_id = p.id and k.created_at >= v_from offset 0) m
    left join public.contributors c on c.id = m.commenter_id
    where not coalesce(c.is_bot, false)
  ), acts as (
    -- Each account once per day, so that the sets below need no sorting.
    select a.repository_id, (a.at at time zone 'UTC')::date as day, a.account_id,
           count(*) filter (where a.kind = 'review') as reviews, count(*) filter (where a.kind = 'comment') as comments
    from act a group by a.repository_id, (a.at at time zone 'UTC')::date, a.account_id
  ), people as (
    select a.repository_id, a.day, sum(a.reviews) as reviews, sum(a.comments) as comments,
           array_agg(a.account_id) filter (where a.account_id is not null) as contributor_ids,
           array_agg(a.account_id) filter (where a.account_id is not null and a.reviews > 0) as reviewer_ids
    from acts a group by a.repository_id, a.day
  )
  select repository_id, day, coalesce(t.opened, 0), coalesce(t.merged, 0), coalesce(t.closed, 0),
         coalesce(t.merged_with_review, 0), coalesce(t.merge_seconds, '{}'), coalesce(t.first_review_seconds, '{}'),
         coalesce(p.reviews, 0), coalesce(p.comments, 0), coalesce(p.contributor_ids, '{}'), coalesce(p.reviewer_ids, '{}')
  from turns t full join people p using (repository_id, day);
end
$$;
comment on function metrics.insert_repository_days(uuid[], date) is
  'Computes the daily metrics of the repositories from a day on, in one statement; they must have none.';

create function metrics.seconds_between(since timestamptz, until timestamptz) returns bigint
language sql immutable parallel safe
as $$ select greatest(0, floor(extract(epoch from until - since)))::bigint $$;
comment on function metrics.seconds_between(timestamptz, timestamptz) is 'Whole seconds, never below 0.';

revoke all on function metrics.refresh_repositories(uuid[], date, boolean), metrics.insert_repository_days(uuid[], date),
  metrics.seconds_between(timestamptz, timestamptz) from public, anon, authenticated;
