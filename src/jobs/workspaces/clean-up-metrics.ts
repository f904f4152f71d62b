import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';

const payload = z.object({
  /** Daily metrics of so many days are kept, today's included. Default and least: 90, the longest window. */
  keepDays: z.int().min(90).max(3650).default(90),
  /** Rows that one statement deletes: it holds no lock for long. Default: 5,000. */
  portion: z.int().positive().max(100_000).default(5000),
  /** Portions of one run; the next run goes on. Default: 200. */
  maxPortions: z.int().positive().max(10_000).default(200),
});

type Context = JobContext<z.output<typeof payload>>;

interface DeletedMetrics {
  deleted: number;
  /** True: `maxPortions` left some to the next run. */
  truncated: boolean;
}

/**
 * Deletes daily metrics of workspaces that are older than 90 days, and what they were computed from when no window reaches
 * it any more, in portions, each a checkpoint.
 */
export const cleanUpMetrics = defineJob({
  type: 'workspace.metrics.cleanup',
  aliases: ['cleanup/workspace-metrics'],
  functionId: 'cleanup-workspace-metrics-data',
  title: 'Delete old metrics of workspaces',
  lane: 'inline',
  cron: ['0 3 * * *'],
  payload,
  timeoutSeconds: 60,
  run: cleanUp,
});

async function cleanUp(ctx: Context): Promise<DeletedMetrics> {
  const { rpc, signal } = ctx;
  const { keepDays: keep_days, portion: max_rows, maxPortions } = ctx.payload;
  let deleted = 0;
  for (let n = 1; n <= maxPortions; n += 1) {
    const rows = await ctx.step(`portion ${n}`, () =>
      rpc<number>('delete_old_workspace_metrics', { keep_days, max_rows }, { signal }),
    );
    deleted += rows;
    if (rows < max_rows) return { deleted, truncated: false };
  }
  return { deleted, truncated: true };
}
