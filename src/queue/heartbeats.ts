import type { Logger } from '../runtime/logger.ts';
import type { JobQueue, Lease, LeaseState } from './job-queue.ts';

/** A lease that is renewed until it is released, lost, or over by our own clock. */
export interface HeldLease extends Lease {
  /** True while the database may still accept a write under this lease. */
  mayHold(): boolean;
  release(): void;
}

/** Renews the leases of all running jobs with one call. */
export interface Heartbeats {
  /**
   * @param claimedAt - when the claim was sent: the lease cannot end earlier than `leaseSeconds` after it
   * @param onTrouble - called at most once with `cancel` and at most once with `lost`
   */
  hold(lease: Lease, claimedAt: Date, onTrouble: (state: 'cancel' | 'lost') => void): HeldLease;
}

interface Holding {
  lease: Lease;
  /** Epoch milliseconds by our own clock. */
  endsAt: number;
  cancelled: boolean;
  onTrouble(state: 'cancel' | 'lost'): void;
}

/**
 * Heartbeats every third of the lease, so that two may fail before the lease is over; after a failure every
 * fifteenth. The timer runs only while a lease is held.
 */
export function createHeartbeats(options: {
  queue: Pick<JobQueue, 'heartbeat'>;
  leaseSeconds: number;
  log: Logger;
  now: () => Date;
}): Heartbeats {
  const { queue, leaseSeconds, log, now } = options;
  const leaseMs = leaseSeconds * 1000;
  const held = new Set<Holding>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function schedule(delay: number): void {
    clearTimeout(timer);
    timer = undefined;
    if (held.size === 0) return;
    const firstEnd = Math.min(...Array.from(held, (holding) => holding.endsAt));
    timer = setTimeout(beat, Math.max(0, Math.min(delay, firstEnd - now().getTime())));
  }

  function beat(): void {
    for (const holding of held) if (holding.endsAt <= now().getTime()) lose(holding, 'over by our own clock');
    schedule(leaseMs / 3);
    if (held.size > 0) void send([...held], now().getTime());
  }

  async function send(holdings: Holding[], sentAt: number): Promise<void> {
    try {
      const leases = holdings.map((holding) => holding.lease);
      const states = await queue.heartbeat(leases, leaseSeconds);
      for (const holding of holdings) apply(holding, states.get(holding.lease.jobId) ?? 'lost', sentAt);
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
    log.warn({ jobId: holding.lease.jobId, reason }, 'lease lost');
    holding.onTrouble('lost');
  }

  return {
    hold(lease, claimedAt, onTrouble) {
      const holding = { lease, endsAt: claimedAt.getTime() + leaseMs, cancelled: false, onTrouble };
      held.add(holding);
      // A slow claim has used up the time of the first heartbeat.
      const due = holding.endsAt - now().getTime() < (leaseMs * 2) / 3;
      if (due || timer === undefined) schedule(due ? 0 : leaseMs / 3);
      return {
        ...lease,
        mayHold: () => held.has(holding) && now().getTime() < holding.endsAt,
        release() {
          held.delete(holding);
          if (held.size === 0) schedule(0);
        },
      };
    },
  };
}
