import type { AttemptClock, Timed } from './attempt-clock.ts';
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
  /** Aborted once nothing that the run still asks can count: the lease is lost, or the attempt has its outcome. */
  readonly over: AbortSignal;
  readonly deadline: Date;
  /** Null while nobody has stopped it. */
  readonly stopReason: StopReason | null;
  /** Calls `act` once it is stopped, at once when it is. */
  whenStopped(act: () => void): void;
  /** The first reason wins, except that a lost lease overrides all: nothing can be written then. */
  stop(reason: StopReason): void;
  /** Silences the clock and forgets the run; the lease stays, for the outcome is still to be written. */
  runEnded(): void;
  /** After `runEnded`: the outcome is written, or never will be. */
  end(): void;
}

/**
 * Starts the clock of an attempt.
 * @param claimedAt - when the claim was sent
 * @param startedAt - now
 */
export function startAttempt(job: ClaimedJob, host: PerformHost, claimedAt: Date, startedAt: Date): Attempt {
  return new RunningAttempt(job, host, claimedAt, startedAt);
}

class RunningAttempt implements Attempt, Timed {
  readonly job: ClaimedJob;
  readonly lease: HeldLease;
  readonly endsAt: number;
  stopReason: StopReason | null = null;
  readonly #clock: AttemptClock;
  readonly #isTimeoutFirst: boolean;
  /** Made for the first who asks: most jobs never do. */
  #controller: AbortController | undefined;
  #over: AbortController | undefined;
  #overFor: 'lost' | 'ended' | undefined;
  #acts: (() => void)[] | undefined;

  constructor(job: ClaimedJob, host: PerformHost, claimedAt: Date, startedAt: Date) {
    this.job = job;
    this.#clock = host.clock;
    const timesOutAt = startedAt.getTime() + job.timeoutSeconds * 1000;
    this.#isTimeoutFirst = timesOutAt <= host.deadline.getTime();
    this.endsAt = this.#isTimeoutFirst ? timesOutAt : host.deadline.getTime();
    this.lease = host.heartbeats.hold({ jobId: job.id, leaseToken: job.leaseToken }, claimedAt, (why) =>
      this.stop(why),
    );
    this.#clock.watch(this);
  }

  get deadline(): Date {
    return new Date(this.endsAt);
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.stopReason !== null) this.#controller.abort(new AttemptStopped(this.job, this.stopReason));
    }
    return this.#controller.signal;
  }

  get over(): AbortSignal {
    if (!this.#over) {
      this.#over = new AbortController();
      if (this.#overFor) this.#over.abort(new AttemptStopped(this.job, this.#overFor));
    }
    return this.#over.signal;
  }

  whenStopped(act: () => void): void {
    if (this.stopReason !== null) act();
    else if (this.#acts) this.#acts.push(act);
    else this.#acts = [act];
  }

  stop(why: StopReason): void {
    if (this.stopReason === null || why === 'lost') this.stopReason = why;
    this.#controller?.abort(new AttemptStopped(this.job, why));
    if (why === 'lost' || why === 'ended') {
      this.#overFor ??= why;
      this.#over?.abort(new AttemptStopped(this.job, why));
    }
    const acts = this.#acts;
    this.#acts = undefined;
    if (acts) for (const act of acts) act();
  }

  outOfTime(): void {
    this.stop(this.#isTimeoutFirst ? 'timeout' : 'hand-off');
  }

  handOff(): void {
    this.stop('hand-off');
  }

  runEnded(): void {
    this.#clock.forget(this);
    // They hold all that the run held, which need not outlive it.
    this.#acts = undefined;
  }

  end(): void {
    this.lease.release();
    this.stop('ended');
  }
}
