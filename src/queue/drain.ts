import type { Lane } from '../jobs/define-job.ts';
import { pause } from './alarm.ts';
import type { ClaimedJob, ClaimRequest } from './job-queue.ts';
import type { Outcome } from './outcome.ts';
import { type PerformOptions, startPerforming } from './perform.ts';
import type { PerformHost } from './perform-host.ts';

/** While jobs run, the queue is looked at this often: jobs become due without anybody ringing. */
const defaultPollMs = 1_000;

export interface DrainOptions {
  host: PerformHost;
  lane: Lane;
  /** Name of this process, for people. */
  worker: string;
  /** Jobs that run at the same time. */
  concurrency: number;
  /** From here on nothing is claimed; running jobs go on until the host's deadline. */
  stopClaimingAt: Date;
  /** From here on only types are claimed that usually fit into the time left. Default: never. */
  fitFrom?: Date;
  /** Only these types. Default: all. */
  types?: readonly string[];
  /** In milliseconds. Default: 1,000. */
  pollMs?: number;
  /** When the queue is empty it goes on, and looks so often, in milliseconds. Default: it ends. */
  emptyPollMs?: () => number;
  /** From its abort on nothing is claimed. Default: never. */
  stopClaiming?: AbortSignal;
  /** Called after each claim with the number of jobs that it brought, and for how many there was room. */
  onClaim?: (jobs: number, room: number) => void;
}

export interface DrainSummary {
  claimed: number;
  completed: number;
  retried: number;
  failed: number;
  snoozed: number;
  handedOff: number;
  cancelled: number;
  lost: number;
  /** True when the last look found nothing to claim; false when time ran out first. */
  emptied: boolean;
}

export interface Drain {
  /** What the first claim brought. Rejects with the claim's error. */
  readonly firstBatch: Promise<ClaimedJob[]>;
  /** Makes it look at the queue again. False when it will not any more: it found the queue empty or its time is up. */
  wake(): boolean;
  /** Runs a job that it has not claimed itself, in a place that no claim under way has asked for. Its lease counts from `leasedAt`. */
  start(job: ClaimedJob, leasedAt: Date): void;
  /** Jobs whose run has not ended. */
  running(): number;
  /** Resolves when every claimed job has its outcome. Rejects then, too, when a claim failed. */
  readonly done: Promise<DrainSummary>;
}

const counters = {
  complete: 'completed',
  retry: 'retried',
  failed: 'failed',
  snooze: 'snoozed',
  'hand-off': 'handedOff',
  cancelled: 'cancelled',
  lost: 'lost',
} satisfies Record<Outcome['kind'], keyof DrainSummary>;

/**
 * Claims jobs in batches and runs them side by side until the queue is empty or the time to claim is over. A slot is
 * free again when its run has ended: the outcome is written while the next batch is being claimed.
 */
export function startDrain(options: DrainOptions): Drain {
  const { host, concurrency } = options;
  const firstBatch = Promise.withResolvers<ClaimedJob[]>();
  const summary = emptySummary();
  /** Claimed jobs without an outcome. */
  let unfinished = 0;
  let slotsTaken = 0;
  /** Jobs that were started and not claimed. */
  let startedBeside = 0;
  /** The last claim brought less than there was room for. */
  let foundLess = false;
  let claiming = true;
  let bell = new AbortController();
  // With a reason given, abort() makes no DOMException with a stack: it rings for every job.
  const ring = (): void => bell.abort('rung');

  function onRunEnd(): void {
    slotsTaken -= 1;
    if (!foundLess) ring();
  }

  function onOutcome(outcome: Outcome): void {
    summary[counters[outcome.kind]] += 1;
    unfinished -= 1;
    // Its follow-ups, or the jobs that waited for its concurrency key, may be claimable now.
    ring();
  }

  function start(job: ClaimedJob, performing: PerformOptions): void {
    summary.claimed += 1;
    slotsTaken += 1;
    unfinished += 1;
    startPerforming(job, host, performing, onOutcome);
  }

  async function claim(room: number): Promise<void> {
    const claimedAt = host.now();
    const before = startedBeside;
    const jobs = await host.queue.claim(claimRequest(options, room));
    foundLess = jobs.length + startedBeside - before < room;
    const performing = { claimedAt, onRunEnd };
    for (const job of jobs) start(job, performing);
    firstBatch.resolve(jobs);
    options.onClaim?.(jobs.length, room);
  }

  /** Writing may lag behind running by one set of slots. */
  const room = (): number => Math.min(concurrency - slotsTaken, 2 * concurrency - unfinished);
  const ends = [host.shutdown, ...(options.stopClaiming ? [options.stopClaiming] : [])];
  const mayClaim = (): boolean =>
    !ends.some((signal) => signal.aborted) && host.now() < options.stopClaimingAt;

  async function claimUntilEmpty(): Promise<void> {
    while (mayClaim()) {
      bell = new AbortController();
      const free = room();
      if (free > 0) await claim(free);
      summary.emptied = free > 0 && foundLess && unfinished === 0 && !bell.signal.aborted;
      if (summary.emptied && !options.emptyPollMs) break;
      if (free > 0 && !foundLess && room() > 0) continue;
      const { pollMs = defaultPollMs, emptyPollMs } = options;
      await pause(summary.emptied && emptyPollMs ? emptyPollMs() : pollMs, bell.signal);
      // Jobs that end in the same turn of the event loop free their slots for one claim.
      if (!summary.emptied) await pause(0);
    }
    claiming = false;
  }

  async function untilAllEnded(): Promise<void> {
    while (unfinished > 0) {
      bell = new AbortController();
      await pause(defaultPollMs, bell.signal);
    }
  }

  async function run(): Promise<DrainSummary> {
    for (const signal of ends) signal.addEventListener('abort', ring);
    try {
      await claimUntilEmpty();
      firstBatch.resolve([]);
    } catch (error) {
      firstBatch.reject(error);
      throw error;
    } finally {
      claiming = false;
      for (const signal of ends) signal.removeEventListener('abort', ring);
      await untilAllEnded();
    }
    return summary;
  }

  // Who only waits for the end gets the same error there.
  firstBatch.promise.catch(() => undefined);
  const wake = (): boolean => {
    ring();
    return claiming && mayClaim();
  };
  return {
    firstBatch: firstBatch.promise,
    wake,
    start(job, leasedAt) {
      startedBeside += 1;
      start(job, { claimedAt: leasedAt, onRunEnd });
    },
    running: () => slotsTaken,
    done: run(),
  };
}

function emptySummary(): DrainSummary {
  return {
    claimed: 0,
    completed: 0,
    retried: 0,
    failed: 0,
    snoozed: 0,
    handedOff: 0,
    cancelled: 0,
    lost: 0,
    emptied: false,
  };
}

/** {@link startDrain}, for whoever only wants its end. */
export function drain(options: DrainOptions): Promise<DrainSummary> {
  return startDrain(options).done;
}

function claimRequest(options: DrainOptions, maxJobs: number): ClaimRequest {
  const { host, lane, worker, types, fitFrom } = options;
  const secondsLeft = Math.floor((host.deadline.getTime() - host.now().getTime()) / 1000);
  const fit = fitFrom !== undefined && host.now() >= fitFrom;
  return {
    lane,
    worker,
    maxJobs,
    leaseSeconds: host.leaseSeconds,
    ...(types ? { types } : {}),
    ...(fit ? { fitSeconds: Math.max(0, secondsLeft) } : {}),
  };
}
