import type { Logger } from '../runtime/logger.ts';
import type { JobQueue, Lease, LeaseState } from './job-queue.ts';

/** A lease that is renewed until it is released, lost, or over by our own clock. */
export interface HeldLease extends Lease {
  /** True while the database may still accept a write under this lease. */
  mayHold(): boolean;
  release(): void;
}

type OnTrouble = (state: 'cancel' | 'lost') => void;

/** Renews the leases of all running jobs with one call. */
export interface Heartbeats {
  /**
   * @param claimedAt - when the claim was sent: the lease cannot end earlier than `leaseSeconds` after it
   * @param onTrouble - called at most once with `cancel` and at most once with `lost`
   */
  hold(lease: Lease, claimedAt: Date, onTrouble: OnTrouble): HeldLease;
}

interface HeartbeatsOptions {
  queue: Pick<JobQueue, 'heartbeat'>;
  leaseSeconds: number;
  log: Logger;
  now: () => Date;
}

/**
 * Heartbeats every third of the lease, so that two may fail before the lease is over; after a failure every
 * fifteenth. The timer runs only while a lease is held.
 */
export function createHeartbeats({ queue, leaseSeconds, log, now }: HeartbeatsOptions): Heartbeats {
  const leaseMs = leaseSeconds * 1000;
  const held = new Set<Holding>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function schedule(delay: number): void {
    clearTimeout(timer);
    timer = undefined;
    if (held.size === 0) return;
    let firstEnd = Infinity;
    for (const { endsAt } of held) firstEnd = Math.min(firstEnd, endsAt);
    timer = setTimeout(beat, Math.max(0, Math.min(delay, firstEnd - now().getTime())));
  }

  function beat(): void {
    for (const holding of held) if (holding.endsAt <= now().getTime()) lose(holding, 'over by our own clock');
    schedule(leaseMs / 3);
    if (held.size > 0) void send([...held], now().getTime());
  }

  async function send(holdings: Holding[], sentAt: number): Promise<void> {
    try {
      const leases = holdings.map(({ jobId, leaseToken }) => ({ jobId, leaseToken }));
      const states = await queue.heartbeat(leases, leaseSeconds);
      for (const holding of holdings) apply(holding, states.get(holding.jobId) ?? 'lost', sentAt);
    } catch (error) {
      log.warn({ error: String(error), leases: holdings.length }, 'heartbeat failed, trying again');
      schedule(leaseMs / 15);
    }
  }

  function apply(holding: Holding, state: LeaseState, sentAt: number): void {
    if (!held.has(holding)) return;
    if (state === 'lost') return lose(holding, 'the database says so');
    holding.endsAt = Math.max(holding.endsAt, sentAt + leaseMs);
    if (state === 'continue' || holding.cancelled) return;
    holding.cancelled = true;
    holding.onTrouble('cancel');
  }

  function lose(holding: Holding, reason: string): void {
    held.delete(holding);
    log.warn({ jobId: holding.jobId, reason }, 'lease lost');
    holding.onTrouble('lost');
  }

  const keeper: Keeper = {
    holds: (holding) => held.has(holding) && now().getTime() < holding.endsAt,
    release(holding) {
      held.delete(holding);
      if (held.size === 0) schedule(0);
    },
  };

  return {
    hold(lease, claimedAt, onTrouble) {
      const holding = new Holding(lease, claimedAt.getTime() + leaseMs, onTrouble, keeper);
      held.add(holding);
      // A slow claim has used up the time of the first heartbeat.
      const due = holding.endsAt - now().getTime() < (leaseMs * 2) / 3;
      if (due || timer === undefined) schedule(due ? 0 : leaseMs / 3);
      return holding;
    },
  };
}

interface Keeper {
  holds(holding: Holding): boolean;
  release(holding: Holding): void;
}

/** A class, like the others that every job makes: a closure for each method would cost more than what they do. */
class Holding implements HeldLease {
  readonly jobId: string;
  readonly leaseToken: string;
  /** Epoch milliseconds by our own clock. */
  endsAt: number;
  cancelled = false;
  readonly onTrouble: OnTrouble;
  readonly #keeper: Keeper;

  constructor({ jobId, leaseToken }: Lease, endsAt: number, onTrouble: OnTrouble, keeper: Keeper) {
    this.jobId = jobId;
    this.leaseToken = leaseToken;
    this.endsAt = endsAt;
    this.onTrouble = onTrouble;
    this.#keeper = keeper;
  }

  mayHold(): boolean {
    return this.#keeper.holds(this);
  }

  release(): void {
    this.#keeper.release(this);
  }
}
