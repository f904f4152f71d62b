import { RpcError } from '../database/rpc.ts';
import { NonRetryableError, SnoozeError } from '../jobs/outcomes.ts';
import type { Attempt } from './attempt.ts';
import type { Writing } from './completions.ts';
import { describeError, type JobErrorRecord, retryAfterSeconds } from './error-record.ts';
import type { JobStatus, NewJob } from './job-queue.ts';
import type { PerformHost } from './perform-host.ts';
import { blamesData, persist, persistAfter } from './persist.ts';

/** How an attempt ended, as its row says it. `lost`: nothing was written, the job is or will be somebody else's. */
export type Outcome =
  | { kind: 'complete'; result: unknown; followUps: number }
  | { kind: 'retry' | 'failed'; error: JobErrorRecord; retryAfterSeconds?: number }
  | { kind: 'snooze'; until: Date; reason: string }
  | { kind: 'hand-off' | 'cancelled' | 'lost' };

/** What is to be written; the database may answer with something else, such as `cancelled`. */
export type Verdict =
  | { kind: 'complete'; result: unknown; bytes: number; enqueue: NewJob[] }
  | { kind: 'fail'; error: JobErrorRecord; retryable: boolean; retryAfterSeconds?: number }
  | { kind: 'snooze'; until: Date; reason: string }
  | { kind: 'hand-off' }
  | { kind: 'lost' };

export type Completed = Extract<Verdict, { kind: 'complete' }>;

/** The verdict on what a job threw. */
export function verdictOn(thrown: unknown): Exclude<Verdict, Completed> {
  const { message, ...error } = describeError(thrown);
  if (thrown instanceof SnoozeError && !Number.isNaN(thrown.until.getTime()))
    return { kind: 'snooze', until: thrown.until, reason: message };
  return {
    kind: 'fail',
    error: { ...error, message },
    retryable: !(thrown instanceof NonRetryableError),
    retryAfterSeconds: retryAfterSeconds(thrown),
  };
}

/** Joins the next call of `complete`. By far most jobs end so, and nearly all at once: no promise is made for it. */
export function addCompletion(
  { result, bytes, enqueue }: Completed,
  { lease }: Attempt,
  { completions }: PerformHost,
  writing: Writing,
): void {
  const { jobId, leaseToken } = lease;
  completions.add({ jobId, leaseToken, result, enqueue }, bytes, writing);
}

/** @param accepted - false or null: the lease is lost */
export function completed({ result, enqueue }: Completed, accepted: boolean | null): Outcome {
  return accepted ? { kind: 'complete', result, followUps: enqueue.length } : { kind: 'lost' };
}

/** After a completion that failed with `failure`. Never throws, like {@link writeVerdict}. */
export async function completeAgain(
  failure: unknown,
  verdict: Completed,
  attempt: Attempt,
  host: PerformHost,
): Promise<Outcome> {
  const add = () =>
    new Promise<boolean>((written, failed) => addCompletion(verdict, attempt, host, { written, failed }));
  try {
    return completed(verdict, await persistAfter(failure, 'complete', attempt.lease, host.log, add));
  } catch (refusal) {
    return await writeRefusal(refusal, verdict, attempt, host);
  }
}

/**
 * Writes a verdict, again and again while the database is away and the lease may hold.
 * Never throws: a write that the database refuses fails the job, and when that is refused too, the lease runs out.
 */
export async function writeVerdict(
  verdict: Exclude<Verdict, Completed>,
  attempt: Attempt,
  host: PerformHost,
): Promise<Outcome> {
  try {
    return await write(verdict, attempt, host);
  } catch (refusal) {
    return await writeRefusal(refusal, verdict, attempt, host);
  }
}

async function writeRefusal(
  refusal: unknown,
  verdict: Verdict,
  attempt: Attempt,
  host: PerformHost,
): Promise<Outcome> {
  host.log.error({ jobId: attempt.job.id, verdict: verdict.kind, error: String(refusal) }, 'outcome refused');
  if (verdict.kind === 'fail' || verdict.kind === 'lost') return { kind: 'lost' };
  return await writeVerdict(verdictOn(refusedError(verdict, refusal, attempt)), attempt, host);
}

/** What the database refuses for what it is, it refuses tomorrow too; the rest is worth another attempt. */
function refusedError(verdict: Verdict, refusal: unknown, attempt: Attempt): Error {
  const what = verdict.kind === 'complete' ? 'result' : verdict.kind;
  const why = verdict.kind === 'snooze' ? ` (${verdict.reason})` : '';
  const message = `job ${attempt.job.type}: its ${what}${why} was refused: ${describeError(refusal).message}`;
  const mendable = refusal instanceof RpcError && !blamesData(refusal);
  return mendable ? new Error(message) : new NonRetryableError(message);
}

async function write(
  verdict: Exclude<Verdict, Completed>,
  attempt: Attempt,
  host: PerformHost,
): Promise<Outcome> {
  const { lease } = attempt;
  const { queue } = host;
  const persistently = <T>(call: () => Promise<T>): Promise<T | null> =>
    persist(verdict.kind, lease, host.log, call);
  switch (verdict.kind) {
    case 'fail': {
      const { error, retryable, retryAfterSeconds } = verdict;
      const status = await persistently(() => queue.fail(lease, error, retryable, retryAfterSeconds));
      return ended(status, { kind: 'retry', error, retryAfterSeconds }, error);
    }
    case 'snooze': {
      const status = await persistently(() => queue.snooze(lease, verdict.until, verdict.reason));
      return ended(status, verdict, { name: 'Expired', message: `expired while waiting: ${verdict.reason}` });
    }
    case 'hand-off': {
      const status = await persistently(() => queue.handOff(lease));
      return ended(status, verdict, {
        name: 'TimeoutError',
        message: 'no step was saved before the time limit',
      });
    }
    case 'lost':
      return verdict;
  }
}

/** Reads the row's new status: the database has the last word. */
function ended(status: JobStatus | null, queued: Outcome, error: JobErrorRecord): Outcome {
  if (status === 'queued') return queued;
  if (status === 'cancelled') return { kind: 'cancelled' };
  return status === null ? { kind: 'lost' } : { kind: 'failed', error };
}
