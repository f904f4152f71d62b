import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import { refreshRepositories } from './refresh-repositories.ts';
import {
  type AggregatedMetrics,
  metricsOf,
  type WorkspaceContext,
  type WorkspaceMetrics,
  workspacePayload,
} from './workspace-reference.ts';

const payload = workspacePayload.and(
  z.object({
    /** Read all repositories, not only those with changes: mends what a missed change spoilt. Default: true. */
    full: z.boolean().default(true),
  }),
);

/**
 * Computes `workspace_daily_metrics` (90 days) and `workspace_metrics` (the last 7, 30 and 90 days, and the trend against
 * as many days before) of one workspace from captured rows, in SQL and without GitHub: the repositories in portions, each
 * a checkpoint, then the workspace in one statement. The formulas stand in the comments on the tables' columns.
 */
export const aggregateMetrics = defineJob({
  type: 'workspace.metrics.aggregate',
  aliases: ['aggregate/workspace-metrics'],
  functionId: 'aggregate-workspace-metrics',
  title: 'Compute the metrics of a workspace',
  lane: 'edge',
  payload,
  timeoutSeconds: 120,
  concurrency: { key: ({ workspaceId }) => `metrics of workspace ${workspaceId}`, limit: 1 },
  run: aggregate,
});

async function aggregate(ctx: WorkspaceContext<{ full: boolean }>): Promise<WorkspaceMetrics> {
  const { rpc, signal, payload } = ctx;
  const read = await refreshRepositories(ctx, payload.full);
  const metrics = await rpc<AggregatedMetrics | null>(
    'aggregate_workspace_metrics',
    // What changed since it was read is read again; the rest is known.
    { workspace_id: payload.workspaceId, full_recompute: false },
    { signal },
  );
  return metricsOf(payload.workspaceId, metrics, read);
}
