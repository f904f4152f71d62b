import { setAlarm } from './alarm.ts';
import type { HeldLease } from './heartbeats.ts';
import type { ClaimedJob } from './job-queue.ts';
import type { PerformHost } from './perform-host.ts';

/** Why a running attempt was told to stop. `ended`: it has its outcome, whatever still runs is too late. */
export type StopReason = 'timeout' | 'cancel' | 'lost' | 'hand-off' | 'ended';

const explanations: Record<StopReason, (job: ClaimedJob) => string> = {
  timeout: (job) => `timed out after ${job.timeoutSeconds} s`,
  cancel: () => 'cancelled on request',
  lost: () => 'the lease is lost, another attempt may be running',
  'hand-off': () => "the host's time is up, the job continues from its last saved step",
  ended: () => 'the attempt has ended',
};

export function explainStop(job: ClaimedJob, reason: StopReason): string {
  return `job ${job.type}: ${explanations[reason](job)}`;
}

/** The reason of a job's `signal`. */
export class AttemptStopped extends Error {
  override readonly name = 'AttemptStopped';
  constructor(job: ClaimedJob, reason: StopReason) {
    super(explainStop(job, reason));
  }
}

/** One run of one claimed job: its lease, its clock, and its one way of being stopped. */
export interface Attempt {
  readonly job: ClaimedJob;
  readonly lease: HeldLease;
  readonly signal: AbortSignal;
  readonly deadline: Date;
  /** Null while nobody has stopped it. */
  stopReason(): StopReason | null;
  /** Resolves when it is stopped. */
  readonly stopped: Promise<void>;
  /** The first reason wins, except that a lost lease overrides all: nothing can be written then. */
  stop(reason: StopReason): void;
  /** Silences the clock; the lease stays, for the outcome is still to be written. */
  stopClock(): void;
  end(): void;
}

/**
 * Starts the clock of an attempt.
 * @param claimedAt - when the claim was sent
 */
export function startAttempt(job: ClaimedJob, host: PerformHost, claimedAt: Date): Attempt {
  /** Made for the first who asks: most jobs never do. */
  let controller: AbortController | undefined;
  const stopped = Promise.withResolvers<void>();
  let reason: StopReason | null = null;

  function stop(why: StopReason): void {
    if (reason === null || why === 'lost') reason = why;
    controller?.abort(new AttemptStopped(job, why));
    stopped.resolve();
  }

  const { now } = host;
  const lease = host.heartbeats.hold({ jobId: job.id, leaseToken: job.leaseToken }, claimedAt, stop);
  const timesOutAt = new Date(now().getTime() + job.timeoutSeconds * 1000);
  const isTimeoutFirst = timesOutAt <= host.deadline;
  const deadline = isTimeoutFirst ? timesOutAt : host.deadline;
  const silence = [
    setAlarm(deadline, now, () => stop(isTimeoutFirst ? 'timeout' : 'hand-off')),
    host.onShutdown(() => stop('hand-off')),
  ];
  const stopClock = (): void => silence.forEach((quiet) => quiet());

  return {
    job,
    lease,
    get signal() {
      if (!controller) {
        controller = new AbortController();
        if (reason !== null) controller.abort(new AttemptStopped(job, reason));
      }
      return controller.signal;
    },
    deadline,
    stopReason: () => reason,
    stopped: stopped.promise,
    stop,
    stopClock,
    end() {
      stopClock();
      lease.release();
      stop('ended');
    },
  };
}
