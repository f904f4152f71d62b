import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';

const id = z.string().min(1).max(900).nullish();
const originalEvent = z.object({ id }).nullish();

const payload = z.object({
  /** Only `user_requested` cancels. Inngest's own event has none: it tells of a run that it cancelled already. */
  reason: z.string().nullish(),
  jobId: id,
  job_id: id,
  eventId: id,
  event_id: id,
  runId: id,
  /** The names from here on are those of `inngest/function.cancelled`. */
  run_id: id,
  function_id: id,
  event: originalEvent,
});

type Payload = z.output<typeof payload>;

interface CancelledJob {
  id: string;
  type: string;
  /** `processing`: the attempt is asked to stop, and does at its next heartbeat. */
  status: 'cancelled' | 'processing';
}

interface CancelResult {
  cancelled: CancelledJob[];
  /** Why nothing was looked for. */
  ignored?: string;
}

/**
 * Cancels the job that belongs to an event, a run or a job id. The Inngest run that enqueued it has long ended, so that
 * Inngest's own cancellation does not reach it.
 */
export const cancelJobs = defineJob({
  type: 'system/jobs.cancel',
  aliases: ['cancel/function', 'inngest/function.cancelled'],
  functionId: 'cancel-jobs',
  title: 'Cancel the jobs of an event, a run or a job id',
  lane: 'inline',
  payload,
  timeoutSeconds: 10,
  run: (ctx: JobContext<Payload>) => cancel(ctx),
});

async function cancel({ payload, rpc, signal }: JobContext<Payload>): Promise<CancelResult> {
  const ignored = reasonToIgnore(payload);
  if (ignored !== null) return { cancelled: [], ignored };
  const names = isInngests(payload) ? namesOfRun(payload) : namesByPerson(payload);
  if (Object.values(names).every((name) => name === null))
    return { cancelled: [], ignored: 'expected eventId, runId, or jobId (uuid), got none of them' };
  const reason = payload.reason ?? 'cancelled in Inngest';
  const cancelled = await rpc<CancelledJob[]>('cancel_background_jobs_of', { ...names, reason }, { signal });
  return { cancelled };
}

interface Names {
  event_id: string | null;
  run_id: string | null;
  job_id: string | null;
}

/** Both together: the event may have started functions of other apps, whose runs are no concern of ours. */
function namesOfRun({ event, run_id }: Payload): Names {
  return { event_id: event?.id ?? null, run_id: run_id ?? null, job_id: null };
}

/** A person means the job, whichever endpoint's run brought it: the run counts where nothing else is named. */
function namesByPerson({ eventId, event_id, runId, run_id, jobId, job_id }: Payload): Names {
  const event = eventId ?? event_id ?? null;
  // Senders have job ids of their own, too.
  const job = z.guid().safeParse(jobId ?? job_id).data ?? null;
  return {
    event_id: event,
    run_id: event === null && job === null ? (runId ?? run_id ?? null) : null,
    job_id: job,
  };
}

/** `inngest/function.cancelled`, which Inngest sends itself. */
function isInngests({ reason, function_id, run_id }: Payload): boolean {
  return function_id != null && run_id != null && reason == null;
}

function reasonToIgnore(payload: Payload): string | null {
  const { reason } = payload;
  if (isInngests(payload) || reason === 'user_requested') return null;
  return `expected reason "user_requested", got ${reason == null ? 'none' : JSON.stringify(reason.slice(0, 100))}`;
}
