import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { aggregateMetrics } from './aggregate-metrics.ts';

const payload = z.object({
  /** The aggregations start within so many minutes, each workspace at its own place in them. Default: 30. */
  spreadMinutes: z.int().nonnegative().max(360).default(30),
  /** Workspaces that one run starts; a job that follows it goes on with the others. Default: 500. */
  maxWorkspaces: z.int().positive().max(5000).default(500),
  /** Go on after this workspace. Default: from the first. */
  after: z.guid().nullish(),
});

type Context = JobContext<z.output<typeof payload>>;

interface StartedAggregations {
  /** Workspaces whose aggregation was started. */
  enqueued: number;
  /** Whether a job that follows goes on with others. */
  more: boolean;
}

interface Page {
  workspaces: { id: string; run_at: string }[];
  more: boolean;
}

const type = 'workspace.metrics.schedule';

/**
 * Starts `workspace.metrics.aggregate` for every active workspace. The jobs become visible with this one's completion, all
 * or none, and a tick that reaches two endpoints makes one row: each workspace is aggregated once per tick.
 */
export const scheduleAggregation = defineJob({
  type,
  functionId: 'scheduled-workspace-aggregation',
  title: 'Start the aggregation of all active workspaces',
  lane: 'inline',
  cron: ['0 6,18 * * *'],
  payload,
  timeoutSeconds: 60,
  run: start,
});

async function start(ctx: Context): Promise<StartedAggregations> {
  const { jobId, signal, payload } = ctx;
  const { workspaces, more } = await ctx.rpc<Page>(
    'find_active_workspaces',
    {
      max_workspaces: payload.maxWorkspaces,
      spread_seconds: payload.spreadMinutes * 60,
      after: payload.after ?? null,
    },
    { signal },
  );
  for (const { id, run_at } of workspaces)
    ctx.enqueue({
      type: aggregateMetrics.type,
      payload: { workspaceId: id },
      runAt: new Date(run_at),
      idempotencyKey: `${aggregateMetrics.type} of ${id}, started by ${jobId}`,
    });
  const after = workspaces.at(-1)?.id;
  if (more && after !== undefined)
    ctx.enqueue({ type, payload: { ...payload, after }, idempotencyKey: `${type} goes on after ${jobId}` });
  return { enqueued: workspaces.length, more };
}
