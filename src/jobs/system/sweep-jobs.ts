import { z } from 'zod';
import { defineJob, type Lane } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';

interface SweptLane {
  lane: Lane;
  claimable: number;
  rescued: number;
  expired: number;
}

interface SweepJobResult {
  lanes: SweptLane[];
  /** Isolates of `process-job` that were woken; 0 when calling them failed. */
  wakes: number;
}

/**
 * The sweep as a job, for deployments where neither pg_cron nor a worker sweeps. It has no schedule of its own: one run a
 * minute is 43,200 Inngest runs a month, so that an endpoint gives it one only when told to (`JOBS_SWEEP=inngest`).
 * No retries: the next one comes in a minute.
 */
export const sweepJobs = defineJob({
  type: 'system/jobs.sweep',
  functionId: 'sweep-jobs',
  title: 'Rescue jobs whose process died, and wake process-job',
  lane: 'inline',
  payload: z.record(z.string(), z.unknown()),
  timeoutSeconds: 10,
  maxRetries: 0,
  run: (ctx) => sweep(ctx),
});

async function sweep(ctx: JobContext<unknown>): Promise<SweepJobResult> {
  const { rpc, signal } = ctx;
  const lanes = await rpc<SweptLane[]>('sweep_background_jobs', {}, { signal });
  const wakes = await rpc<number>('take_wakes', {}, { signal });
  const woken = wakes > 0 && (await ctx.wake(wakes));
  return { lanes, wakes: woken ? wakes : 0 };
}
