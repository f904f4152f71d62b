import type { Lane } from '../jobs/define-job.ts';
import type { ClaimedJob, JobQueue } from '../queue/job-queue.ts';
import { type ClaimedRow, toClaimedJob } from '../queue/queue-rows.ts';
import type { Logger } from '../runtime/logger.ts';

/** A job whose lease counts from its hand-over longer ago than this, in milliseconds, is fetched before it begins. */
const freshMs = 2_000;

/** A connection that listens. */
export interface ListeningSession {
  /** Of the offer, which holds as long as this session does, and of the channel that it listens on. */
  name: string;
  /** Calls on this connection, which has just woken for the notification: no other process need wake up. */
  queue: Pick<JobQueue, 'offerWorker' | 'withdrawOffer'>;
  close: () => Promise<void>;
}

/** The lane that runs what is handed over. */
export interface OfferTaker {
  /** Whether there is room for one job more than those that run or are reserved. */
  hasRoom(): boolean;
  /** A job that was handed over has come; each comes once. Its lease counts from `leasedAt`. */
  onJob(job: ClaimedJob, leasedAt: Date): void;
}

/**
 * A worker's word to enqueues that it waits for a job of a lane: the next one is written as claimed by it, without waiting in
 * line. It holds on one listening connection; each connection makes a new one.
 */
export interface Offer {
  /** To be called once, before offers are made. */
  serve(taker: OfferTaker): void;
  /** The connection listens: from here on offers may be made. One that does not answer is closed. */
  listening(session: ListeningSession): void;
  /** The connection is gone. What was handed over meanwhile is fetched by another one. */
  lost(): void;
  /** A notification came for the named offer, with the job that was handed over, or empty when that is too large. */
  heard(name: string, copy: string): void;
  /** Makes the offer; of one that stands it is looked now and then whether its notification was lost. Never throws. */
  make(): Promise<void>;
  /** After it nothing is handed over; what was, under this connection or one that was lost, has come. Never throws. */
  withdraw(): Promise<void>;
  /** Jobs that may come without the offer being renewed: they need room. */
  reserved(): number;
}

/**
 * @param options.queue - to be used when the listening connection is gone
 * @param options.checkMs - so often it is looked whether a notification was lost, in milliseconds
 */
export function createOffer(options: {
  queue: JobQueue;
  lane: Lane;
  worker: string;
  leaseSeconds: number;
  checkMs: number;
  log: Logger;
  now: () => Date;
}): Offer {
  const { lane, worker, leaseSeconds, checkMs, log, now } = options;
  let session: ListeningSession | null = null;
  let stands = false;
  /** It stands, and nothing has come under it yet. */
  let isOpen = false;
  let checkedAt = -Infinity;
  /** When a call was sent that has been answered: what was handed over before is here. */
  let knownAt = -Infinity;
  /** Lease token of the last job that came. It may come twice, in a notification and as an answer. */
  let lastCame: string | null = null;
  let taker: OfferTaker | null = null;
  /** Answers that are still to come, and their end. */
  let asked = 0;
  let answered: Promise<void> = Promise.resolve();

  function keep(call: Promise<ClaimedJob | null>, onFailure?: () => Promise<void>): Promise<void> {
    asked += 1;
    const sentAt = now();
    const cameBefore = lastCame;
    return call.then(
      (job) => {
        asked -= 1;
        knownAt = Math.max(knownAt, sentAt.getTime());
        if (job && job.leaseToken !== cameBefore) add(job, sentAt);
      },
      (error: unknown) => {
        asked -= 1;
        log.warn({ lane, error: String(error) }, 'could not ask for what was handed over');
        return onFailure?.();
      },
    );
  }

  function add(job: ClaimedJob, leasedAt: Date): void {
    if (job.leaseToken === lastCame) return;
    lastCame = job.leaseToken;
    taker?.onJob(job, leasedAt);
  }

  function fetch(call: Promise<ClaimedJob | null>, onFailure?: () => Promise<void>): Promise<void> {
    const before = answered;
    // Not Promise.all: each of its results would hold the one before, for as long as the worker lives.
    return (answered = keep(call, onFailure).then(() => before));
  }

  async function renew(): Promise<void> {
    if (!session) return;
    const { close, queue, name: offer } = session;
    stands = true;
    isOpen = true;
    checkedAt = now().getTime();
    await fetch(queue.offerWorker({ offer, lane, worker, leaseSeconds }), close);
  }

  async function withdraw(): Promise<void> {
    if (session && stands) {
      stands = false;
      isOpen = false;
      void fetch(session.queue.withdrawOffer(session.name), session.close);
    }
    await answered;
  }

  return {
    serve: (whose) => void (taker = whose),
    listening: (begun) => void (session = begun),
    lost() {
      if (session && stands) void fetch(options.queue.withdrawOffer(session.name));
      session = null;
      stands = false;
      isOpen = false;
    },
    heard(name, copy) {
      if (name !== session?.name) return;
      const heardAt = now();
      if (copy !== '' && heardAt.getTime() - knownAt <= freshMs) {
        isOpen = false;
        add(toClaimedJob(JSON.parse(copy) as ClaimedRow), heardAt);
      }
      // The job begins first: a call takes longer than that.
      setImmediate(() => void (taker?.hasRoom() ? renew() : withdraw()));
    },
    async make() {
      if (!stands || now().getTime() - checkedAt >= checkMs) await renew();
    },
    withdraw,
    reserved: () => asked + (isOpen ? 1 : 0),
  };
}
