import type { JobDefinition } from '../jobs/define-job.ts';
import type { FollowUpJob } from '../jobs/job-context.ts';
import { NonRetryableError, SnoozeError } from '../jobs/outcomes.ts';
import { type Attempt, explainStop, startAttempt } from './attempt.ts';
import { type AttemptContext, type AttemptTraces, createAttemptContext } from './attempt-context.ts';
import type { Writing } from './completions.ts';
import { toNewJob } from './follow-up.ts';
import type { ClaimedJob } from './job-queue.ts';
import {
  addCompletion,
  completeAgain,
  type Completed,
  completed,
  type Outcome,
  type Verdict,
  verdictOn,
  writeVerdict,
} from './outcome.ts';
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
export function perform(job: ClaimedJob, host: PerformHost, options: PerformOptions = {}): Promise<Outcome> {
  return new Promise((resolve) => startPerforming(job, host, options, resolve));
}

/** {@link perform}, for whoever runs thousands: calls back instead of making a promise for each. */
export function startPerforming(
  job: ClaimedJob,
  host: PerformHost,
  options: PerformOptions,
  onOutcome: (outcome: Outcome) => void,
): void {
  new JobPerformance(job, host, options, onOutcome).begin();
}

type RunEnd =
  { how: 'returned'; value: unknown } | { how: 'threw'; error: unknown } | { how: 'ignored its signal' };

/**
 * One job from its start to its outcome. It waits only for what is not there yet: async functions inside each other
 * made more objects than the jobs.
 */
class JobPerformance implements Writing {
  readonly #attempt: Attempt;
  readonly #host: PerformHost;
  readonly #options: PerformOptions;
  readonly #startedAt: Date;
  readonly #onOutcome: (outcome: Outcome) => void;
  /** While it runs. */
  #context: AttemptContext | undefined;
  #grace: ReturnType<typeof setTimeout> | undefined;
  /** While it is being written. */
  #completion: Completed | undefined;

  constructor(
    job: ClaimedJob,
    host: PerformHost,
    options: PerformOptions,
    onOutcome: (outcome: Outcome) => void,
  ) {
    this.#host = host;
    this.#options = options;
    this.#onOutcome = onOutcome;
    this.#startedAt = host.now();
    this.#attempt = startAttempt(job, host, options.claimedAt ?? this.#startedAt, this.#startedAt);
  }

  begin(): void {
    const { shutdown, stopStepsAt, deadline, definitionOf } = this.#host;
    const { job } = this.#attempt;
    const until = this.#startedAt;
    // Told to go before it began: that must not cost the job a retry.
    if (shutdown.aborted || until.getTime() >= Math.min(stopStepsAt.getTime(), deadline.getTime()))
      return this.#conclude({
        kind: 'snooze',
        until,
        reason: 'the host had no time left before the job began',
      });
    const definition = definitionOf(job.type);
    let payload: unknown;
    try {
      if (!definition)
        throw new NonRetryableError(`job ${job.type}: unknown job type, nothing here can run it`);
      payload = parsePayload(definition, job.payload);
    } catch (error) {
      return this.#conclude(verdictOn(error));
    }
    if (payload instanceof Promise)
      payload.then(
        (parsed) => this.#run(definition, parsed),
        (error: unknown) => this.#conclude(verdictOn(error)),
      );
    else this.#run(definition, payload);
  }

  /** Ends with the run, or a grace period after the attempt was stopped: what the run does later is ignored. */
  #run(definition: JobDefinition, payload: unknown): void {
    const attempt = this.#attempt;
    this.#context = createAttemptContext(attempt, this.#host, payload);
    attempt.whenStopped(() => {
      // Every attempt is stopped in the end, most of them by their own.
      if (this.#context)
        this.#grace = setTimeout(() => this.#end({ how: 'ignored its signal' }), this.#host.graceMs);
    });
    const threw = (error: unknown): void => this.#end({ how: 'threw', error });
    try {
      // Whatever it returns: types say that it is a promise, and nothing else does.
      Promise.resolve(definition.run(this.#context.context)).then(
        (value) => this.#end({ how: 'returned', value }),
        threw,
      );
    } catch (error) {
      // A run that throws before its first await has failed like any other.
      threw(error);
    }
  }

  #end(end: RunEnd): void {
    const context = this.#context;
    if (!context) return;
    this.#context = undefined;
    if (this.#grace !== undefined) clearTimeout(this.#grace);
    const closing = context.close();
    if (closing) void closing.then(() => this.#judge(end, context));
    else this.#judge(end, context);
  }

  #judge(end: RunEnd, traces: AttemptTraces): void {
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = judge(end, this.#attempt, traces, this.#host);
    } catch (error) {
      verdict = verdictOn(error);
    }
    if (verdict instanceof Promise) void verdict.catch(verdictOn).then((late) => this.#conclude(late));
    else this.#conclude(verdict);
  }

  #conclude(verdict: Verdict): void {
    const attempt = this.#attempt;
    attempt.runEnded();
    this.#options.onRunEnd?.();
    if (verdict.kind === 'complete') {
      this.#completion = verdict;
      addCompletion(verdict, attempt, this.#host, this);
    } else void writeVerdict(verdict, attempt, this.#host).then((outcome) => this.#close(outcome));
  }

  written(accepted: boolean): void {
    this.#close(completed(this.#completion!, accepted));
  }

  failed(error: unknown): void {
    const again = completeAgain(error, this.#completion!, this.#attempt, this.#host);
    void again.then((outcome) => this.#close(outcome));
  }

  #close(outcome: Outcome): void {
    logOutcome(outcome, this.#attempt, this.#host, this.#startedAt);
    this.#attempt.end();
    this.#onOutcome(outcome);
  }
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
