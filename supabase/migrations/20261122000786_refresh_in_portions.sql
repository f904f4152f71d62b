-- Reading all repositories of a large workspace takes longer than one statement may take (8 s for the API's roles on
-- Supabase by default): the jobs do it in portions, and each portion is a statement and a checkpoint.

create function public.refresh_workspace_repositories(
  workspace_id uuid, full_recompute boolean, max_repositories integer, after uuid default null
) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_from date := (now() at time zone 'UTC')::date - 179;
  v_stale uuid[];
  v_portion uuid[];
begin
  if coalesce(max_repositories, 0) < 1 then
    raise exception using errcode = 'PT400', message = format(
      'max_repositories: expected a whole number from 1, got %s', coalesce(max_repositories::text, 'null'));
  elsif full_recompute is null then
    raise exception using errcode = 'PT400', message = 'full_recompute: expected true or false, got null';
  end if;
  if not exists (select from public.workspaces w where w.id = refresh_workspace_repositories.workspace_id) then
    return null;
  end if;
  select coalesce(array_agg(w.repository_id order by w.repository_id), '{}') into v_stale
  from public.workspace_repositories w
  left join public.repository_metrics m on m.repository_id = w.repository_id
  where w.workspace_id = refresh_workspace_repositories.workspace_id and (after is null or w.repository_id > after)
    and (full_recompute or m.from_day is null or m.from_day > v_from
      or exists (select from public.repository_changes c where c.repository_id = w.repository_id));
  v_portion := v_stale[1 : max_repositories];
  perform metrics.refresh_repositories(v_portion, v_from, true);
  return jsonb_build_object(
    'refreshed', cardinality(v_portion), 'left', cardinality(v_stale) - cardinality(v_portion),
    'last', v_portion[cardinality(v_portion)]);
end
$$;
comment on function public.refresh_workspace_repositories(uuid, boolean, integer, uuid) is
  'Computes the daily metrics of the next repositories of the workspace, in the order of their ids, after a given one: with full_recompute of all, without of those that it got or that changed since they were last read. aggregate_workspace_metrics without full_recompute then has little to read. Returns {refreshed, left: how many follow, last: where to go on}; null when there is no such workspace. Refuses (PT400) null for full_recompute and a maximum below 1.';

revoke all on function public.refresh_workspace_repositories(uuid, boolean, integer, uuid) from public, anon, authenticated;
grant execute on function public.refresh_workspace_repositories(uuid, boolean, integer, uuid) to service_role;
