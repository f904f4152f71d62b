-- Which workspaces are aggregated by schedule, and what is deleted afterwards.

create function public.find_active_workspaces(
  max_workspaces integer, spread_seconds integer, after uuid default null
) returns jsonb
language plpgsql security definer stable
set search_path = ''
as $$
declare
  v_found jsonb;
begin
  if coalesce(max_workspaces, 0) < 1 then
    raise exception using errcode = 'PT400',
      message = format('max_workspaces: expected a whole number from 1, got %s', coalesce(max_workspaces::text, 'null'));
  elsif coalesce(spread_seconds, -1) < 0 then
    raise exception using errcode = 'PT400',
      message = format('spread_seconds: expected a whole number from 0, got %s', coalesce(spread_seconds::text, 'null'));
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
comment on function public.find_active_workspaces(integer, integer, uuid) is
  'Active workspaces in the order of their ids, those after a given one: {workspaces: [{id, run_at}], more: whether there are further ones}. run_at is from now to spread_seconds later, for each workspace its own place in between. Refuses (PT400) a maximum below 1 and a negative spread.';

create function public.delete_old_workspace_metrics(keep_days integer, max_rows integer) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_today date := (now() at time zone 'UTC')::date;
  v_left integer := max_rows;
  v_deleted integer;
begin
  if coalesce(keep_days, 0) < 90 then
    raise exception using errcode = 'PT400',
      message = format('keep_days: expected a whole number from 90, got %s', coalesce(keep_days::text, 'null'));
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
comment on function public.delete_old_workspace_metrics(integer, integer) is
  'Deletes, up to a number of rows, the daily metrics of workspaces but for the last keep_days, those of repositories but for twice the longest window (or keep_days), and all of repositories that no workspace has any more. Returns how many rows were deleted; fewer than max_rows: there are no more. Refuses (PT400) fewer than 90 days and a maximum below 1.';

create function metrics.forget_repositories(max_rows integer) returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_unused uuid[];
  v_deleted integer;
begin
  -- The row stays: who waits for its lock finds that there is everything to compute.
  select array_agg(u.repository_id) into v_unused
  from (
    select m.repository_id from public.repository_metrics m
    where m.from_day is not null
      and not exists (select from public.workspace_repositories w where w.repository_id = m.repository_id)
    order by m.repository_id
    limit ceil(max_rows / 180.0)
    for update skip locked) u;
  delete from public.repository_daily_metrics d
  where d.ctid = any (array(
    select o.ctid from public.repository_daily_metrics o where o.repository_id = any (v_unused) limit max_rows));
  get diagnostics v_deleted = row_count;
  update public.repository_metrics m set from_day = null, computed_at = null
  where m.repository_id = any (v_unused)
    and not exists (select from public.repository_daily_metrics d where d.repository_id = m.repository_id);
  return v_deleted;
end
$$;
comment on function metrics.forget_repositories(integer) is
  'Deletes, up to a number of rows, the daily metrics of repositories that are in no workspace. Returns how many.';

revoke all on function public.find_active_workspaces(integer, integer, uuid),
  public.delete_old_workspace_metrics(integer, integer), metrics.forget_repositories(integer)
  from public, anon, authenticated;
grant execute on function public.find_active_workspaces(integer, integer, uuid),
  public.delete_old_workspace_metrics(integer, integer) to service_role;
