import type { Lane } from '../jobs/define-job.ts';
import type { BegunJob, JobStatus } from '../queue/job-queue.ts';
import type { Outcome } from '../queue/outcome.ts';

/** Where a routed job is. */
export interface JobReceipt {
  jobId: string;
  lane: Lane;
  status: JobStatus;
  /** Of a completed job: an inline one, or one that was awaited. */
  result?: unknown;
  /** Why an inline attempt, or an awaited job, failed. */
  error?: string;
}

/** The receipt of a job that begin did not let us run: somebody else has or had it, or it waits on another lane. */
export function receiptOfBegun(begun: BegunJob): JobReceipt {
  const receipt = { jobId: begun.id, lane: begun.lane, status: begun.status };
  return begun.status === 'completed' ? { ...receipt, result: begun.result } : receipt;
}

/** The receipt of an inline attempt. A snoozed and a handed-off job go on in the edge lane. */
export function receiptOfOutcome(jobId: string, outcome: Outcome): JobReceipt {
  switch (outcome.kind) {
    case 'complete':
      return { jobId, lane: 'inline', status: 'completed', result: outcome.result };
    case 'retry':
      return { jobId, lane: 'inline', status: 'queued', error: outcome.error.message };
    case 'failed':
      return { jobId, lane: 'inline', status: 'failed', error: outcome.error.message };
    case 'cancelled':
      return { jobId, lane: 'inline', status: 'cancelled' };
    case 'snooze':
    case 'hand-off':
      return { jobId, lane: 'edge', status: 'queued' };
    case 'lost':
      return { jobId, lane: 'inline', status: 'processing' };
  }
}

/** Whether the edge lane has work now that it may not know of: a snoozed job is not due yet. */
export function waitsOnEdge(begun: BegunJob, outcome: Outcome | null): boolean {
  if (!outcome) return begun.lane === 'edge' && begun.status === 'queued';
  return outcome.kind === 'hand-off' || (outcome.kind === 'complete' && outcome.followUps > 0);
}
