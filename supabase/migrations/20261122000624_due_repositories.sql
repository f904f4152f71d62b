-- Which tracked repositories are due for a refresh.

-- Never synced first, then the longest ago.
create index repositories_pull_requests_synced_at_idx
  on public.repositories (coalesce(pull_requests_synced_at, '-infinity'));

create function public.find_due_repositories(every_minutes jsonb, max_repositories integer) returns jsonb
language plpgsql security definer stable
set search_path = '' set enable_seqscan = off set jit = off
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_high interval := capture.refresh_interval(every_minutes, 'high');
  v_medium interval := capture.refresh_interval(every_minutes, 'medium');
  v_low interval := capture.refresh_interval(every_minutes, 'low');
  v_latest timestamptz := v_now - least(v_high, v_medium, v_low);
begin
  if coalesce(max_repositories, 0) < 1 then
    raise exception using errcode = 'PT400',
      message = format('max_repositories: expected a whole number from 1, got %s', coalesce(max_repositories::text, 'null'));
  end if;
  return (
    with stale as (
      select r.id, r.github_id, r.owner, r.name, r.size_class, r.pull_requests_synced_at as synced_at,
             t.priority, t.created_at as tracked_at,
             case t.priority when 'high' then v_high when 'medium' then v_medium else v_low end as every
      from public.repositories r join public.tracked_repositories t on t.repository_id = r.id
      where coalesce(r.pull_requests_synced_at, '-infinity') <= v_latest
        and t.enabled and (r.unavailable_at is null or r.unavailable_at < r.last_synced_at)
    ), late as (
      select s.*,
             case when s.synced_at is null then format('first sync of %s', s.id)
                  else format('sync of %s after %s', s.id, extract(epoch from s.synced_at)) end as what,
             -- Intervals since the last sync, or since it is tracked where there was none.
             floor(extract(epoch from v_now - coalesce(s.synced_at, s.tracked_at)) / extract(epoch from s.every))::bigint
               as period
      from stale s
      where s.synced_at is null or s.synced_at + s.every <= v_now
    ), keyed as materialized (
      select l.*, array(
        select format('%s, period %s', l.what, p.period)
        -- A job waits no longer than a day, and an interval is seldom shorter than an hour.
        from generate_series(l.period, greatest(0, l.period - 24), -1) as p(period)) as keys
      from late l
    ), due as (
      select k.*, row_number() over (order by k.synced_at + k.every nulls first, k.tracked_at, k.id) as n
      from keyed k
      where not exists (
        select from public.background_jobs j
        where j.idempotency_key = any (k.keys)
          and (j.idempotency_key = k.keys[1] or j.status in ('queued', 'processing')))
    )
    select jsonb_build_object(
      'repositories', coalesce(jsonb_agg(jsonb_build_object(
          'github_id', d.github_id, 'owner', d.owner, 'name', d.name, 'priority', d.priority,
          'size_class', d.size_class, 'never_synced', d.synced_at is null, 'idempotency_key', d.keys[1])
        order by d.n) filter (where d.n <= max_repositories), '[]'),
      'left', count(*) filter (where d.n > max_repositories))
    from due d);
end
$$;
comment on function public.find_due_repositories(jsonb, integer) is
  'Tracked, enabled and available repositories whose pull requests were last synced longer ago than every_minutes {high, medium, low} allows their priority, the longest due first: {repositories: [{github_id, owner, name, priority, size_class, never_synced, idempotency_key}], left: how many more are due}. The key is the same within one interval since the last sync; a repository with a job of this interval, or with an earlier one that has not ended, is not due, so that a sync which failed is due again in the next interval. Refuses (PT400) an interval or a maximum below 1.';

create function capture.refresh_interval(every_minutes jsonb, priority text) returns interval
language plpgsql immutable
set search_path = ''
as $$
declare
  v_minutes jsonb := every_minutes -> priority;
begin
  if jsonb_typeof(v_minutes) is distinct from 'number' or v_minutes::numeric not between 1 and 525600 then
    raise exception using errcode = 'PT400',
      message = format('every_minutes.%s: expected minutes from 1 to 525600, got %s', priority, coalesce(v_minutes::text, 'nothing'));
  end if;
  return v_minutes::numeric * interval '1 minute';
end
$$;
comment on function capture.refresh_interval(jsonb, text) is
  'The interval of a priority; refuses (PT400) less than a minute and more than a year.';

revoke all on function public.find_due_repositories(jsonb, integer) from public, anon, authenticated;
grant execute on function public.find_due_repositories(jsonb, integer) to service_role;
revoke all on function capture.refresh_interval(jsonb, text) from public, anon, authenticated;
