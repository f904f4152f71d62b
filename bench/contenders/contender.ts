import type pg from 'pg';

/** A job queue that is measured: ours, or a peer at the settings that its own documentation calls fastest. */
export interface Contender {
  readonly name: string;
  /** What differs from its defaults; for the result file. */
  readonly settings: Record<string, unknown>;
  /** Makes its tables in an empty database. */
  install(databaseUrl: string): Promise<void>;
  openProducer(pool: pg.Pool): Promise<Producer>;
  /**
   * Starts one worker in this process.
   * @param started - to be called as the first thing of each job's handler, which does nothing else
   */
  startWorker(databaseUrl: string, started: (payload: Payload) => void): Promise<{ stop(): Promise<void> }>;
}

/** The calls of a sender and of who looks on, on the connections of the pool that it was opened with. */
export interface Producer {
  /** Through the peer's call for many jobs, all in one call. */
  enqueueMany(payloads: readonly Payload[]): Promise<void>;
  enqueueOne(payload: Payload): Promise<void>;
  /** In a call of its own. Absent where `enqueueOne` never makes one call for several jobs. */
  enqueueOneApart?(payload: Payload): Promise<void>;
  /** Claims one waiting job. @returns completes it. Absent where the contender has no public call for it. */
  claimOne?(): Promise<() => Promise<void>>;
  /** Jobs that wait or run. */
  unfinished(): Promise<number>;
  /** Takes every job away, finished ones too. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** About 110 bytes of JSON. */
export interface Payload {
  repository: string;
  prNumber: number;
  reason: string;
  n: number;
  /** Of jobs with the same key only one may run at a time. */
  key?: string;
}

/** @param n - number of the job within its round, to recognise it by */
export function payloadOf(n: number): Payload {
  return {
    repository: 'octo-org/hello-hybrid',
    prNumber: n % 1000,
    reason: 'a benchmark with about 110 bytes of payload',
    n,
  };
}

/** The one job type, in each queue's words. */
export const jobType = 'bench/job';
