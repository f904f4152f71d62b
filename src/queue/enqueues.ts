import { afterThisTurn } from './alarm.ts';
import type { EnqueuedJob, NewJob } from './job-queue.ts';
import { mayBeOfOne } from './persist.ts';
import { inPortions } from './portions.ts';

/** A job never waits longer than this for the call that is under way, in milliseconds. */
const longestWaitMs = 10;
/** Of one call. */
const limits = { items: 500, bytes: 1_000_000 };
/** Of a payload's JSON. A larger one is better off in a call of its own. */
const longestShared = 100_000;

/**
 * Enqueues one job, in a call that it may share with others.
 * @returns the job's row, in an array as a call answers it
 */
export type Enqueue = (job: NewJob) => Promise<EnqueuedJob[]>;

interface Waiting {
  job: NewJob;
  bytes: number;
  answered: (rows: EnqueuedJob[]) => void;
  failed: (error: unknown) => void;
}

/**
 * Lets jobs that are enqueued one by one side by side share calls. A job is sent at once when no call is under way; those that come
 * meanwhile wait until it has ended, and share the next one. Each is answered when it is committed, and refused for
 * itself only.
 * @param send - one call for all these jobs
 */
export function createEnqueues(send: (jobs: readonly NewJob[]) => Promise<EnqueuedJob[]>): Enqueue {
  let waiting: Waiting[] = [];
  let underWay = 0;
  let alarm: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    clearTimeout(alarm);
    alarm = undefined;
    const all = waiting;
    waiting = [];
    for (const portion of inPortions(all, limits)) void write(portion);
  }

  async function write(portion: readonly Waiting[]): Promise<void> {
    underWay += 1;
    await answer(portion);
    // Who was answered and enqueues the next job at once shares the next call.
    afterThisTurn(() => {
      underWay -= 1;
      if (underWay === 0 && waiting.length > 0) flush();
    });
  }

  async function answer(portion: readonly Waiting[]): Promise<void> {
    try {
      const rows = await send(portion.map(({ job }) => job));
      for (const [position, one] of portion.entries()) one.answered(rows.slice(position, position + 1));
    } catch (error) {
      if (portion.length > 1 && mayBeOfOne(error)) for (const one of portion) await answer([one]);
      else for (const one of portion) one.failed(error);
    }
  }

  return async (job) => {
    const bytes = bytesOf(job.payload);
    if (bytes > longestShared) return await send([job]);
    return await new Promise((answered, failed) => {
      waiting.push({ job, bytes, answered, failed });
      if (underWay === 0) flush();
      else alarm ??= setTimeout(flush, longestWaitMs);
    });
  };
}

/** Infinity for what JSON cannot hold: its own call says so. */
function bytesOf(payload: unknown): number {
  try {
    return JSON.stringify(payload ?? null).length;
  } catch {
    return Infinity;
  }
}
