import type { JobDefinition } from '../jobs/define-job.ts';
import type { FollowUpJob, JobContext } from '../jobs/job-context.ts';
import { NonRetryableError, SnoozeError } from '../jobs/outcomes.ts';
import { type Attempt, explainStop, startAttempt } from './attempt.ts';
import { type AttemptTraces, createAttemptContext } from './attempt-context.ts';
import { toNewJob } from './follow-up.ts';
import type { ClaimedJob } from './job-queue.ts';
import { type Outcome, type Verdict, verdictOn, writeVerdict } from './outcome.ts';
import { parsePayload } from './parse-payload.ts';
import type { PerformHost } from './perform-host.ts';
import { toShownJson } from './storable-json.ts';

/** Largest result of a job: it lives in the row that operators read. */
const resultLimitBytes = 1_048_576;

export interface PerformOptions {
  /** When the claim was sent: the lease counts from there. Default: now. */
  claimedAt?: Date;
  /** Called when the run has ended and only its outcome is still to be written. */
  onRunEnd?: () => void;
}

/**
 * Runs one claimed job to exactly one outcome, and writes it. Never throws: what the job throws, and what the
 * database refuses, is an outcome.
 */
export async function perform(
  job: ClaimedJob,
  host: PerformHost,
  options: PerformOptions = {},
): Promise<Outcome> {
  const startedAt = host.now();
  const attempt = startAttempt(job, host, options.claimedAt ?? startedAt, startedAt);
  try {
    const verdict = await reachVerdict(attempt, host, startedAt);
    attempt.runEnded();
    options.onRunEnd?.();
    const outcome = await writeVerdict(verdict, attempt, host);
    logOutcome(outcome, attempt, host, startedAt);
    return outcome;
  } finally {
    attempt.end();
  }
}

/** Runs the job and judges how it ended; does not write. */
async function reachVerdict(attempt: Attempt, host: PerformHost, startedAt: Date): Promise<Verdict> {
  const { job } = attempt;
  // Told to go before it began: that must not cost the job a retry.
  const outOfTime = startedAt.getTime() >= Math.min(host.stopStepsAt.getTime(), host.deadline.getTime());
  if (host.shutdown.aborted || outOfTime)
    return { kind: 'snooze', until: startedAt, reason: 'the host had no time left before the job began' };
  try {
    const definition = host.definitionOf(job.type);
    if (!definition)
      throw new NonRetryableError(`job ${job.type}: unknown job type, nothing here can run it`);
    const parsed = parsePayload(definition, job.payload);
    // To wait for what is there already would cost every job some objects.
    const payload: unknown = parsed instanceof Promise ? await parsed : parsed;
    const { context, traces } = createAttemptContext(attempt, host, payload);
    const end = await runUntilStopped(definition, context, attempt, host.graceMs);
    if (traces.refusedStep) await traces.stepsSettled();
    const closing = traces.close();
    if (closing) await closing;
    const verdict = judge(end, attempt, traces, host);
    return verdict instanceof Promise ? await verdict : verdict;
  } catch (error) {
    return verdictOn(error);
  }
}

type RunEnd =
  { how: 'returned'; value: unknown } | { how: 'threw'; error: unknown } | { how: 'ignored its signal' };

/** Ends with the run, or a grace period after the attempt was stopped: what the run does later is ignored. */
function runUntilStopped(
  definition: JobDefinition,
  context: JobContext<unknown>,
  attempt: Attempt,
  graceMs: number,
): Promise<RunEnd> {
  return new Promise((resolve) => {
    let grace: ReturnType<typeof setTimeout> | undefined;
    let isSettled = false;
    const settle = (end: RunEnd): void => {
      isSettled = true;
      clearTimeout(grace);
      resolve(end);
    };
    attempt.whenStopped(() => {
      // Every attempt is stopped in the end, most of them by their own.
      if (!isSettled) grace = setTimeout(settle, graceMs, { how: 'ignored its signal' });
    });
    const threw = (error: unknown): void => settle({ how: 'threw', error });
    try {
      // Whatever it returns: types say that it is a promise, and nothing else does.
      Promise.resolve(definition.run(context)).then((value) => settle({ how: 'returned', value }), threw);
    } catch (error) {
      // A run that throws before its first await has failed like any other.
      threw(error);
    }
  });
}

/**
 * What the end of a run means. A lost lease and a cancel request win over all; work that was finished although time
 * was up is kept; what the job says deliberately (snooze, non-retryable) is believed.
 */
function judge(
  end: RunEnd,
  attempt: Attempt,
  traces: AttemptTraces,
  host: PerformHost,
): Verdict | Promise<Verdict> {
  const reason = attempt.stopReason;
  if (reason === 'lost') return { kind: 'lost' };
  if (reason === 'cancel') return verdictOn(new NonRetryableError(explainStop(attempt.job, reason)));
  const thrown = end.how === 'threw' ? end.error : undefined;
  if (thrown instanceof SnoozeError || thrown instanceof NonRetryableError) return verdictOn(thrown);
  if (traces.refusedStep) return { kind: 'hand-off' };
  if (end.how === 'returned') return completion(end.value, attempt.job.type, traces.followUps, host);
  if (reason === 'hand-off') return { kind: 'hand-off' };
  if (reason === 'timeout') return verdictOn(timeOut(attempt, thrown));
  return verdictOn(thrown);
}

function timeOut(attempt: Attempt, cause: unknown): Error {
  const error = new Error(explainStop(attempt.job, 'timeout'), { cause });
  error.name = 'TimeoutError';
  return error;
}

function completion(
  returned: unknown,
  type: string,
  followUps: readonly FollowUpJob[],
  host: PerformHost,
): Verdict | Promise<Verdict> {
  const { value: result, bytes } = toShownJson(`job ${type}: result`, returned, resultLimitBytes);
  if (followUps.length === 0) return { kind: 'complete', result, bytes, enqueue: [] };
  const newJobs = followUps.map((followUp) => toNewJob(followUp, host.definitionOf));
  return Promise.all(newJobs).then((enqueue) => ({ kind: 'complete', result, bytes, enqueue }));
}

function logOutcome(outcome: Outcome, attempt: Attempt, host: PerformHost, startedAt: Date): void {
  const { id, type, retryCount } = attempt.job;
  const durationMs = host.now().getTime() - startedAt.getTime();
  const fields = { jobId: id, type, retryCount, durationMs, outcome: outcome.kind };
  if ('error' in outcome) host.log.warn({ ...fields, error: outcome.error.message }, 'job attempt failed');
  else if (outcome.kind === 'lost') host.log.warn(fields, 'job attempt lost');
  // A line for each job would cost more than the job where the queue is long; the row says it all.
  else host.log.debug(fields, 'job attempt ended');
}
