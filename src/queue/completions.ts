import type { Completion, JobQueue } from './job-queue.ts';
import { mayBeOfOne } from './persist.ts';
import { inPortions } from './portions.ts';

/** So many of one lease make a call of their own, which is cheaper; fewer share one with others. */
const ownCallFrom = 8;
/** Of one call, which stays well under the request limits of the HTTP driver. */
const limits = { items: 2_000, bytes: 4_000_000 };

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
      // The others must not suffer.
      if (batch.length > 1 && mayBeOfOne(error)) for (const one of batch) await write([one]);
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

/** In calls of few enough jobs and bytes, those of a lease that has many together. */
function batchesOf(waiting: readonly Waiting[]): Waiting[][] {
  const batches: Waiting[][] = [];
  const mixed: Waiting[] = [];
  for (const ofLease of Map.groupBy(waiting, ({ completion }) => completion.leaseToken).values())
    if (ofLease.length >= ownCallFrom) batches.push(...inPortions(ofLease, limits));
    else mixed.push(...ofLease);
  batches.push(...inPortions(mixed, limits));
  return batches;
}
