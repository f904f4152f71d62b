import { NonRetryableError, SnoozeError } from '../jobs/outcomes.ts';
import { pause } from './alarm.ts';
import { type Attempt, explainStop, startAttempt } from './attempt.ts';
import { type AttemptContext, createAttemptContext } from './attempt-context.ts';
import { findDefinition } from './find-definition.ts';
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
  const attempt = startAttempt(job, host, options.claimedAt ?? startedAt);
  try {
    const verdict = await reachVerdict(attempt, host);
    attempt.stopClock();
    options.onRunEnd?.();
    const outcome = await writeVerdict(verdict, attempt, host);
    logOutcome(outcome, attempt, host, startedAt);
    return outcome;
  } finally {
    attempt.end();
  }
}

/** Runs the job and judges how it ended; does not write. */
async function reachVerdict(attempt: Attempt, host: PerformHost): Promise<Verdict> {
  const { job } = attempt;
  // Told to go before it began: that must not cost the job a retry.
  const outOfTime = host.now() >= host.stopStepsAt || host.now() >= host.deadline;
  if (host.shutdown.aborted || outOfTime)
    return { kind: 'snooze', until: host.now(), reason: 'the host had no time left before the job began' };
  try {
    const definition = findDefinition(host.catalog, job.type);
    if (!definition)
      throw new NonRetryableError(`job ${job.type}: unknown job type, nothing here can run it`);
    const payload = await parsePayload(definition, job.payload);
    const running = createAttemptContext(attempt, host, payload);
    const end = await runUntilStopped(() => definition.run(running.context), attempt, host.graceMs);
    if (running.steps.refused()) await running.steps.settled();
    await running.close();
    return await judge(end, attempt, running, host);
  } catch (error) {
    return verdictOn(error);
  }
}

type RunEnd = { returned: unknown } | { thrown: unknown } | 'ignored its signal';

/** Ends with the run, or a grace period after the attempt was stopped: what the run does later is ignored. */
async function runUntilStopped(
  run: () => Promise<unknown>,
  attempt: Attempt,
  graceMs: number,
): Promise<RunEnd> {
  let isSettled = false;
  const ran = new Promise((resolve) => resolve(run()))
    .then(
      (returned): RunEnd => ({ returned }),
      (thrown: unknown): RunEnd => ({ thrown }),
    )
    .finally(() => (isSettled = true));
  // Every attempt is stopped in the end, most of them by their own: those need no timer.
  const left = attempt.stopped.then(() => (isSettled ? ran : endWithinGrace(ran, graceMs)));
  return await Promise.race([ran, left]);
}

async function endWithinGrace(ran: Promise<RunEnd>, graceMs: number): Promise<RunEnd> {
  const settled = new AbortController();
  const waited = pause(graceMs, settled.signal).then((): RunEnd => 'ignored its signal');
  try {
    return await Promise.race([ran, waited]);
  } finally {
    settled.abort('settled');
  }
}

/**
 * What the end of a run means. A lost lease and a cancel request win over all; work that was finished although time
 * was up is kept; what the job says deliberately (snooze, non-retryable) is believed.
 */
async function judge(
  end: RunEnd,
  attempt: Attempt,
  running: AttemptContext,
  host: PerformHost,
): Promise<Verdict> {
  const reason = attempt.stopReason();
  if (reason === 'lost') return { kind: 'lost' };
  if (reason === 'cancel') return verdictOn(new NonRetryableError(explainStop(attempt.job, reason)));
  const thrown = typeof end === 'object' && 'thrown' in end ? end.thrown : undefined;
  if (thrown instanceof SnoozeError || thrown instanceof NonRetryableError) return verdictOn(thrown);
  if (running.steps.refused()) return { kind: 'hand-off' };
  if (typeof end === 'object' && 'returned' in end) return await completion(end.returned, running, host);
  if (reason === 'hand-off') return { kind: 'hand-off' };
  if (reason === 'timeout') return verdictOn(timeOut(attempt, thrown));
  return verdictOn(thrown);
}

function timeOut(attempt: Attempt, cause: unknown): Error {
  const error = new Error(explainStop(attempt.job, 'timeout'), { cause });
  error.name = 'TimeoutError';
  return error;
}

async function completion(returned: unknown, running: AttemptContext, host: PerformHost): Promise<Verdict> {
  const { type } = running.context;
  const { value, bytes } = toShownJson(`job ${type}: result`, returned, resultLimitBytes);
  const enqueue = await Promise.all(running.followUps.map((followUp) => toNewJob(followUp, host.catalog)));
  return { kind: 'complete', result: value, bytes, enqueue };
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
