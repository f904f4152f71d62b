import { pause, setAlarm } from '../queue/alarm.ts';
import { type Drain, type DrainSummary, startDrain } from '../queue/drain.ts';
import type { ClaimedJob } from '../queue/job-queue.ts';
import type { Outcome } from '../queue/outcome.ts';
import { perform } from '../queue/perform.ts';
import { createPerformHost, type PerformHost, type PerformHostOptions } from '../queue/perform-host.ts';
import { wakeMissing } from '../queue/wake-missing.ts';
import { type Budget, budgetOf } from './budget.ts';

export interface IsolateOptions extends Pick<
  PerformHostOptions,
  | 'queue'
  | 'definitionOf'
  | 'leaseSeconds'
  | 'github'
  | 'openai'
  | 'secrets'
  | 'rpc'
  | 'http'
  | 'inngestEvents'
  | 'log'
  | 'now'
> {
  /** Name of this isolate, for people. */
  worker: string;
  /** Jobs that run at the same time in a drain. */
  concurrency: number;
  /** When the host started this isolate. */
  startedAt: Date;
  /** How long the host lets it live. */
  wallSeconds: number;
  /** Keeps the isolate alive until the promise is settled. */
  waitUntil(promise: Promise<unknown>): void;
  /** Wakes other isolates, so many (default: 1); never rejects. */
  wake(isolates?: number): Promise<{ woken: boolean }>;
}

/** The work of one isolate within its budget of time: at most one drain, and jobs that were named. */
export interface Isolate {
  /**
   * Drains the queue in the background.
   * @returns the first jobs, or null when a drain was under way: it looks again. Rejects when the claim fails.
   */
  drain(): Promise<ClaimedJob[] | null>;
  /** False when the isolate is about to end and takes no job any more. */
  takesJobs(): boolean;
  /** Runs a claimed job, in this isolate's budget or, if sooner, within `limitSeconds`. */
  run(job: ClaimedJob, claimedAt: Date, limitSeconds?: number): Promise<Outcome>;
  /** The host is about to end: hands off everything that runs, and wakes another isolate. */
  release(): Promise<void>;
}

interface Life {
  budget: Budget;
  host: PerformHost;
}

export function createIsolate(options: IsolateOptions): Isolate {
  const { queue, log, now } = options;
  const shutdown = new AbortController();
  const atWork = new Set<Promise<unknown>>();
  let life = begin(options.startedAt);
  let active: Drain | null = null;
  let successorDue = false;

  function begin(startedAt: Date): Life {
    const budget = budgetOf(startedAt, options.wallSeconds);
    return { budget, host: createPerformHost({ ...options, ...budget, shutdown: shutdown.signal }) };
  }

  /** Who lives beyond the wall time has a host that does not enforce it, and starts over. */
  function current(): Life {
    if (now() >= life.budget.wallEnd) life = begin(now());
    return life;
  }

  function keepAlive<T>(work: Promise<T>): Promise<T> {
    atWork.add(work);
    const forget = (): void => void atWork.delete(work);
    work.then(forget, forget);
    options.waitUntil(
      work.catch((error: unknown) => log.error({ error: String(error) }, 'background work failed')),
    );
    return work;
  }

  async function drain(): Promise<ClaimedJob[] | null> {
    const { budget } = current();
    if (active?.wake()) {
      await active.firstBatch;
      return null;
    }
    if (shutdown.signal.aborted || now() >= budget.stopClaimingAt) {
      wakeSuccessorSoon();
      return null;
    }
    return await begunDrain().firstBatch;
  }

  function begunDrain(): Drain {
    const { host, budget } = current();
    const begun = startDrain({ ...options, ...budget, host, lane: 'edge' });
    active = begun;
    const dismiss = setAlarm(budget.stopClaimingAt, now, () => void keepAlive(wakeIfWorkIsLeft()));
    const ending = begun.done.finally(dismiss).then((summary) => ended(summary, budget));
    void keepAlive(ending).catch(() => undefined);
    return begun;
  }

  async function ended(summary: DrainSummary, budget: Budget): Promise<void> {
    log.info({ ...summary }, 'drain ended');
    if (shutdown.signal.aborted || now() < budget.fitFrom) return;
    // Jobs may be left that did not fit into the time left: they are for the next isolate.
    if (await isWorkLeft()) {
      await pause(budget.stopClaimingAt.getTime() - now().getTime(), shutdown.signal);
      await wakeMissing(options, options.worker);
    }
  }

  async function wakeIfWorkIsLeft(): Promise<void> {
    if (await isWorkLeft()) await wakeMissing(options, options.worker);
  }

  async function isWorkLeft(): Promise<boolean> {
    const lanes = await queue.sweep();
    return lanes.some(({ lane, claimable }) => lane === 'edge' && claimable > 0);
  }

  /** A wake that arrives too late here belongs to the next isolate; the host may need a moment to start one. */
  function wakeSuccessorSoon(): void {
    if (successorDue) return;
    successorDue = true;
    const wake = pause(1_000, shutdown.signal).then(async () => {
      successorDue = false;
      await options.wake();
    });
    void keepAlive(wake);
  }

  async function run(job: ClaimedJob, claimedAt: Date, limitSeconds = Infinity): Promise<Outcome> {
    const { host } = current();
    const within = (share: number, time: Date): Date =>
      new Date(Math.min(time.getTime(), claimedAt.getTime() + limitSeconds * 1000 * share));
    const limited = {
      ...host,
      stopStepsAt: within(0.75, host.stopStepsAt),
      deadline: within(0.85, host.deadline),
    };
    const outcome = await keepAlive(perform(job, limited, { claimedAt }));
    const leftWork = outcome.kind === 'hand-off' || (outcome.kind === 'complete' && outcome.followUps > 0);
    if (leftWork) void keepAlive(drain().then(() => undefined)).catch(() => undefined);
    return outcome;
  }

  async function release(): Promise<void> {
    const busy = atWork.size > 0;
    shutdown.abort();
    await Promise.allSettled(atWork);
    if (busy) await options.wake();
  }

  return {
    drain,
    takesJobs: () => !shutdown.signal.aborted && now() < current().budget.stopStepsAt,
    run,
    release: () => keepAlive(release()),
  };
}
