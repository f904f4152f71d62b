import type { JobDefinition, Lane } from '../jobs/define-job.ts';
import { NonRetryableError } from '../jobs/outcomes.ts';
import type { JobStatus, NewJob } from '../queue/job-queue.ts';
import { fromNewJob } from '../queue/queue-rows.ts';
import { type JobEvent, toNewJob } from './event.ts';
import type { JobReceipt } from './receipt.ts';
import type { RouterOptions } from './router-options.ts';

/** A run that Inngest gave up: its attempts are spent, or it was told that another would fail in the same way. */
export interface FailedDelivery {
  event: JobEvent;
  runId: string;
  error: { name: string; message: string };
}

/**
 * Leaves a failed row for an event that has none, and hands an unfinished inline row to the edge lane. A row that has
 * ended, or that somebody else works on, stays as it is.
 */
export async function recordFailedDelivery(
  { event, runId, error }: FailedDelivery,
  definition: JobDefinition,
  { rpc, wake, laneOf }: RouterOptions,
): Promise<JobReceipt> {
  const job = await undelivered(event, definition, await laneOf(definition), runId);
  const [row] = await rpc<{ id: string; status: JobStatus; lane: Lane }[]>('record_failed_delivery', {
    job: fromNewJob(job),
    error: { name: error.name, message: error.message },
  });
  if (!row) throw new Error(`record_failed_delivery answered no row for event ${event.name}`);
  if (row.lane === 'edge' && row.status === 'queued') await wake();
  return { jobId: row.id, lane: row.lane, status: row.status };
}

/** The event may have failed because its payload fits no row. Its row then says so in the payload's place. */
async function undelivered(
  event: JobEvent,
  definition: JobDefinition,
  lane: Lane,
  runId: string,
): Promise<NewJob> {
  try {
    return await toNewJob(event, definition, lane, runId);
  } catch (error) {
    if (!(error instanceof NonRetryableError)) throw error;
    return await toNewJob({ ...event, data: { unstorable: error.message } }, definition, lane, runId);
  }
}
