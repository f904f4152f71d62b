import type { JobQueue } from './job-queue.ts';

/**
 * Wakes as many isolates of `process-job` as the jobs that may run now are worth, less those that are draining or were
 * woken within the last second.
 *
 * @param options.wake - calls `process-job` so many times
 * @param leaving - a worker that will claim no more
 * @throws {RpcError} the database refused
 * @throws {DatabaseUnreachableError} the database does not answer
 */
export async function wakeMissing(
  options: { queue: Pick<JobQueue, 'takeWakes'>; wake: (isolates: number) => Promise<unknown> },
  leaving?: string,
): Promise<void> {
  const isolates = await options.queue.takeWakes(leaving);
  if (isolates > 0) await options.wake(isolates);
}
