-- A repository came to a workspace, or left it.

create function public.update_workspace_repository(workspace_id uuid, repository jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_repository_id uuid := (public.get_capture_state(repository) #>> '{repository,id}')::uuid;
  v_is_member boolean;
  v_metrics jsonb;
begin
  v_is_member := exists (
    select from public.workspace_repositories m
    where m.workspace_id = update_workspace_repository.workspace_id and m.repository_id = v_repository_id);
  v_metrics := public.aggregate_workspace_metrics(workspace_id, full_recompute => false);
  if v_metrics is null then
    return null;
  end if;
  return v_metrics || jsonb_build_object(
    'is_member', v_is_member,
    'newly_tracked', v_is_member and public.track_repository(v_repository_id));
end
$$;
comment on function public.update_workspace_repository(uuid, jsonb) is
  'Brings the metrics of a workspace up to date after the repository, named by {id}, {github_id} or {owner, name}, was added to workspace_repositories or deleted there, and begins to track one that was added. That table alone says which: an event that is late or comes twice does no harm. Returns what aggregate_workspace_metrics without full_recompute returns, and {is_member, newly_tracked}; null when there is no such workspace. Refuses (PT400) a workspace or a repository without a name.';

revoke all on function public.update_workspace_repository(uuid, jsonb) from public, anon, authenticated;
grant execute on function public.update_workspace_repository(uuid, jsonb) to service_role;
