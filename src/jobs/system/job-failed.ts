import { z } from 'zod';
import { defineJob, type JobDefinition } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';

const payload = z.object({
  jobId: z.guid(),
  type: z.string().min(1),
  error: z.string().nullable(),
  reason: z.string().nullable(),
  retryCount: z.number().int(),
  failedAt: z.iso.datetime(),
});

/**
 * Calls the `onFailure` of a failed job's definition. Enqueued in SQL, by the transaction in which the job fails, once
 * each time it does.
 * @param definitions - those whose `onFailure` it can call
 */
export function jobFailed(definitions: readonly JobDefinition[]): JobDefinition {
  return defineJob({
    type: 'system/job.failed',
    functionId: 'job-failed',
    title: 'Tell a job kind that one of its jobs failed',
    payload,
    async run(ctx: JobContext<z.output<typeof payload>>) {
      const failed = ctx.payload;
      const onFailure = definitions.find(({ type }) => type === failed.type)?.onFailure;
      if (!onFailure) throw new NonRetryableError(`job ${ctx.type}: ${failed.type} has no onFailure here`);
      const original = await ctx.rpc<unknown>(
        'get_job_payload',
        { job_id: failed.jobId },
        { signal: ctx.signal },
      );
      return await onFailure(ctx, { ...failed, payload: original, failedAt: new Date(failed.failedAt) });
    },
  });
}
