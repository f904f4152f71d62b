import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';

const payload = z.object({
  jobId: z.guid(),
  type: z.string().min(1),
  status: z.enum(['completed', 'failed', 'cancelled']),
});

type Context = JobContext<z.output<typeof payload>>;

/** Answers below 500 that are worth another attempt. */
const passing = [408, 425, 429];

/**
 * Sends the event `jobs/finished` to Inngest, where a run may wait for it. Enqueued in SQL by the transaction that ends a
 * job whose type awaits its completion, once each time it ends.
 */
export const jobFinished = defineJob({
  type: 'system/job.finished',
  functionId: 'job-finished',
  title: 'Tell Inngest that a job has ended',
  payload,
  timeoutSeconds: 30,
  maxRetries: 5,
  run: tellInngest,
});

async function tellInngest(ctx: Context): Promise<{ event: string } | { skipped: string }> {
  if (!ctx.inngestEvents) return { skipped: 'no Inngest event key here: the waiting run looks by itself' };
  const { status } = await post(ctx, ctx.inngestEvents);
  if (status >= 200 && status < 300) return { event: ctx.jobId };
  const problem = `job ${ctx.type}: Inngest's Event API answered ${status}`;
  if (status >= 500 || passing.includes(status)) throw new Error(problem);
  throw new NonRetryableError(problem);
}

/** The event has this job's id, so that Inngest takes it once however often it is sent. */
async function post(
  ctx: Context,
  { url, headers }: NonNullable<Context['inngestEvents']>,
): Promise<Response> {
  const event = { id: ctx.jobId, name: 'jobs/finished', data: ctx.payload };
  const request = ctx.http.fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify([event]),
    redirect: 'manual',
    signal: ctx.signal,
  });
  const response = await request.catch(() => {
    // Without the cause, which may name the URL, and with it the key.
    throw new Error(`job ${ctx.type}: Inngest's Event API could not be reached`);
  });
  // Nobody reads the answer's body; that it broke off does not change the answer.
  await response.body?.cancel().catch(() => undefined);
  return response;
}
