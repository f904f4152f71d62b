import type pg from 'pg';
import { createSessionRpc } from '../database/pg-rpc.ts';
import type { Lane } from '../jobs/define-job.ts';
import { type ClaimedJob, createJobQueue, type JobQueue } from '../queue/job-queue.ts';
import type { Logger } from '../runtime/logger.ts';

/** The lane that runs what is handed over. */
export interface OfferTaker {
  /** Whether there is room for one job more than those that run, were handed over, or may be. */
  hasRoom(): boolean;
  /** A job has come, to be fetched by `take`. */
  onJob(): void;
}

/**
 * A worker's word to enqueues that it waits for a job of a lane: the next one is written as claimed by it, without waiting in
 * line. It holds on one listening connection; each connection makes a new one.
 */
export interface Offer {
  /** Whose room counts. To be called once. */
  serve(taker: OfferTaker): void;
  /** The connection listens: from here on offers may be made. */
  listening(client: pg.ClientBase): Promise<void>;
  /** The connection is gone. What was handed over meanwhile is fetched by another one. */
  lost(): void;
  /** A notification came for the named offer. */
  heard(name: string): void;
  /** True while a job may be handed over: it needs room. */
  stands(): boolean;
  /** Makes the offer; of one that stands it is looked now and then whether its notification was lost. Never throws. */
  make(): Promise<void>;
  /** After it nothing is handed over; what was is there to be taken. Never throws. */
  withdraw(): Promise<void>;
  /** Jobs that were handed over, each once. */
  take(): ClaimedJob[];
  pending(): number;
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
  /** Calls on the connection that has just woken for the notification: no other process need wake up. */
  let session: { queue: JobQueue; name: string } | null = null;
  let stands = false;
  let checkedAt = -Infinity;
  let taker: OfferTaker | null = null;
  const jobs: ClaimedJob[] = [];

  async function fetch(call: Promise<ClaimedJob | null>): Promise<void> {
    try {
      const job = await call;
      if (!job) return;
      jobs.push(job);
      taker?.onJob();
    } catch (error) {
      log.warn(
        { lane, error: String(error) },
        'could not fetch what was handed over, the sweep takes it back',
      );
    }
  }

  async function renew(): Promise<void> {
    if (!session) return;
    stands = true;
    checkedAt = now().getTime();
    await fetch(session.queue.offerWorker({ offer: session.name, lane, worker, leaseSeconds }));
  }

  async function withdraw(): Promise<void> {
    if (!session || !stands) return;
    stands = false;
    await fetch(session.queue.withdrawOffer(session.name));
  }

  return {
    serve: (whose) => void (taker = whose),
    async listening(client) {
      const name = crypto.randomUUID();
      await client.query(`select pg_advisory_lock(hashtextextended('background_job_offers:' || $1, 0))`, [
        name,
      ]);
      session = { queue: createJobQueue(createSessionRpc(client)), name };
    },
    lost() {
      if (session && stands) void fetch(options.queue.withdrawOffer(session.name));
      session = null;
      stands = false;
    },
    heard(name) {
      if (name === session?.name) void (taker?.hasRoom() ? renew() : withdraw());
    },
    stands: () => stands,
    async make() {
      if (!stands || now().getTime() - checkedAt >= checkMs) await renew();
    },
    withdraw,
    take: () => jobs.splice(0),
    pending: () => jobs.length,
  };
}
