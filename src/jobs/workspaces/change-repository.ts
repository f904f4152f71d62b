import type { RepositoryReference } from '../capture/payload/repository-reference.ts';
import { repositoryPayload } from '../capture/payload/repository-reference.ts';
import { defineJob } from '../define-job.ts';
import { refreshRepositories } from './refresh-repositories.ts';
import {
  type AggregatedMetrics,
  metricsOf,
  type WorkspaceContext,
  type WorkspaceMetrics,
  workspacePayload,
} from './workspace-reference.ts';

interface ChangedWorkspace extends WorkspaceMetrics {
  /** Whether the workspace has the repository now. */
  isMember: boolean;
  /** It was not kept up to date before, and is from now on. */
  newlyTracked: boolean;
}

interface Change extends AggregatedMetrics {
  is_member: boolean;
  newly_tracked: boolean;
}

/**
 * Brings a workspace's metrics up to date after a repository came or left. Only repositories that are new or that changed
 * since they were last read are read; the result is that of a full recompute. The table `workspace_repositories` says
 * whether the repository came or left, not the event, so that late and repeated events do no harm.
 */
export const changeRepository = defineJob({
  type: 'workspace.repository.changed',
  aliases: ['workspace/repository-change'],
  functionId: 'handle-workspace-repository-change',
  title: 'Update the metrics of a workspace after a repository came or left',
  lane: 'inline',
  payload: workspacePayload.and(repositoryPayload),
  timeoutSeconds: 60,
  run: update,
});

async function update(ctx: WorkspaceContext<{ repository: RepositoryReference }>): Promise<ChangedWorkspace> {
  const { workspaceId, repository } = ctx.payload;
  const { id, githubId: github_id, owner, name } = repository;
  const read = await refreshRepositories(ctx, false);
  const change = await ctx.rpc<Change | null>(
    'update_workspace_repository',
    { workspace_id: workspaceId, repository: { id, github_id, owner, name } },
    { signal: ctx.signal },
  );
  return {
    ...metricsOf(workspaceId, change, read),
    isMember: change?.is_member ?? false,
    newlyTracked: change?.newly_tracked ?? false,
  };
}
