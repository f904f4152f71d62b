import { RpcError } from '../database/rpc.ts';
import { mayPass } from './persist.ts';
import type { Completion, JobQueue } from './job-queue.ts';

/** So many of one lease make a call of their own, which is cheaper; fewer share one with others. */
const ownCallFrom = 8;
/** Completions of one call; the rest waits for the next. */
const largestBatch = 2_000;
/** A call stays well under the request limits of the HTTP driver. */
const largestBatchBytes = 4_000_000;

export interface Completions {
  /**
   * Joins the next call of `complete`. At most one call is under way, so the more the database is busy, the larger
   * the batches become.
   * @param bytes - size of the completion's JSON
   */
  add(completion: Completion, bytes: number, writing: Writing): void;
}

/** Who waits for a completion; one of both is called, once. Not a promise: there is one for each job. */
export interface Writing {
  /** False when the lease is lost. */
  written(accepted: boolean): void;
  failed(error: unknown): void;
}

interface Waiting {
  completion: Completion;
  bytes: number;
  writing: Writing;
}

/** Collects completions and writes them in batches. */
export function createCompletions(queue: Pick<JobQueue, 'complete'>): Completions {
  let waiting: Waiting[] = [];
  let flushing = false;

  async function flush(): Promise<void> {
    // Everything that ends in the same turn of the event loop shares a call.
    await new Promise((resolve) => setTimeout(resolve, 0));
    try {
      while (waiting.length > 0) {
        const all = waiting;
        waiting = [];
        for (const batch of batchesOf(all)) await write(batch);
      }
    } finally {
      flushing = false;
    }
  }

  async function write(batch: Waiting[]): Promise<void> {
    let accepted: Map<string, boolean>;
    try {
      accepted = await queue.complete(batch.map(({ completion }) => completion));
    } catch (error) {
      // One refused completion refuses the whole call, and one row in somebody's open transaction blocks it: the others
      // must not suffer.
      if (batch.length > 1 && (!mayPass(error) || isLockTimeout(error)))
        for (const one of batch) await write([one]);
      else for (const { writing } of batch) writing.failed(error);
      return;
    }
    for (const { completion, writing } of batch) writing.written(accepted.get(completion.jobId) ?? false);
  }

  return {
    add(completion, bytes, writing) {
      waiting.push({ completion, bytes, writing });
      if (flushing) return;
      flushing = true;
      void flush();
    },
  };
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof RpcError && error.code === '55P03';
}

/** In calls of few enough jobs and bytes, those of a lease that has many together. */
function batchesOf(waiting: readonly Waiting[]): Waiting[][] {
  const batches: Waiting[][] = [];
  const mixed: Waiting[] = [];
  for (const ofLease of Map.groupBy(waiting, ({ completion }) => completion.leaseToken).values())
    if (ofLease.length >= ownCallFrom) addPortions(batches, ofLease);
    else mixed.push(...ofLease);
  addPortions(batches, mixed);
  return batches;
}

function addPortions(batches: Waiting[][], waiting: readonly Waiting[]): void {
  let portion: Waiting[] = [];
  let bytes = Infinity;
  for (const one of waiting) {
    bytes += one.bytes;
    if (portion.length === largestBatch || bytes > largestBatchBytes) {
      portion = [];
      batches.push(portion);
      bytes = one.bytes;
    }
    portion.push(one);
  }
}
