import { type Context, NonRetriableError } from 'inngest';
import type { JobQueue, JobRow } from '../queue/job-queue.ts';
import type { JobReceipt } from './receipt.ts';

/** How long each wait lasts at most, in seconds; the last one is repeated. */
const waitSeconds = [10, 30, 60, 300, 900, 3600] as const;

/** Seven days, with less than half of the 1,000 steps that Inngest allows a run. */
const mostWaits = 173;

/** The awaited job's row is gone. */
class DeletedJobError extends NonRetriableError {
  override readonly name = 'DeletedJobError';
}

/** Whether a run failed because its job was deleted. By name, which is what Inngest keeps of an error. */
export function saysThatJobWasDeleted(error: Error): boolean {
  return error.name === 'DeletedJobError';
}

/**
 * Waits in an Inngest run until the job has ended. The row says so; the event `jobs/finished` only says when to look.
 * One that was sent before a wait began, or got lost, delays the run to the end of that wait.
 * @returns the receipt of the completed job, with its result
 * @throws {NonRetriableError} the job failed or was cancelled, or has not ended after seven days
 * @throws {DeletedJobError} there is no such job any more
 */
export async function awaitJobEnd(
  { step }: Context.Any,
  jobId: string,
  queue: Pick<JobQueue, 'get'>,
): Promise<JobReceipt> {
  for (let waits = 0; ; waits += 1) {
    const seen = await step.run(`look ${waits}`, () => look(jobId, queue));
    if (!seen) throw new DeletedJobError(`job ${jobId} was deleted`);
    if (seen.status === 'completed') return { ...seen, result: seen.result };
    if (seen.status === 'failed') throw new NonRetriableError(seen.error ?? `job ${jobId} has failed`);
    if (seen.status === 'cancelled') throw new NonRetriableError(`job ${jobId} was cancelled`);
    if (waits === mostWaits)
      throw new NonRetriableError(`job ${jobId} is still ${seen.status} after seven days: nobody waits on`);
    await step.waitForEvent(`finished ${waits + 1}`, {
      event: 'jobs/finished',
      timeout: (waitSeconds[waits] ?? 3600) * 1000,
      if: `async.data.jobId == "${jobId}"`,
    });
  }
}

/** What Inngest remembers of a look: the result, which may be large, only of the last one. */
async function look(jobId: string, queue: Pick<JobQueue, 'get'>): Promise<JobReceipt | null> {
  const row = await queue.get(jobId);
  return row && { jobId, lane: row.lane, status: row.status, ...outcomeOf(row) };
}

function outcomeOf({ status, result, error }: JobRow): Pick<JobReceipt, 'result' | 'error'> {
  if (status === 'completed') return { result };
  return status === 'failed' && error !== null ? { error } : {};
}
