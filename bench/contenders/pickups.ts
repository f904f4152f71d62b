import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs, percentile } from '../measure.ts';
import type { Entrant } from './arena.ts';
import { payloadOf } from './contender.ts';
import type { Workers } from './worker.ts';

/** A pickup that takes longer counts as lost, in milliseconds. */
const longestMs = 30_000;

/** The first ones find cold caches and are not counted: of 60, the first ten took a tenth longer than the next, on every database. */
const warmUp = 10;

/**
 * From the moment before a job is enqueued to the start of its handler, one job after the other.
 * @param workers - started with `times`
 * @param pauseMs - how long the queue lies idle before the next one, in milliseconds
 * @returns milliseconds of each
 */
export async function pickups(
  { contender, producer }: Entrant,
  workers: Workers,
  { count, pauseMs }: { count: number; pauseMs: () => number },
): Promise<number[]> {
  workers.forget();
  const times: number[] = [];
  for (let n = 1; n <= count + warmUp; n += 1) {
    await sleep(pauseMs());
    const sentAt = monotonicMs();
    await producer.enqueueOne(payloadOf(n));
    times.push((await startOf(contender.name, workers, n)) - sentAt);
  }
  return times.slice(warmUp);
}

/** Long enough for every contender to have found its queue empty and to wait for a notification. */
export const idleMs = 400;

export function p50AndP95(times: readonly number[]): [number, number] {
  return [percentile(times, 0.5), percentile(times, 0.95)];
}

async function startOf(name: string, workers: Workers, n: number): Promise<number> {
  const told = Promise.withResolvers<number>();
  const look = (): void => {
    const at = workers.startOf(n);
    if (at !== undefined) told.resolve(at);
  };
  const alarm = setTimeout(
    () => told.reject(new Error(`${name}: job ${n} did not start within ${longestMs} ms`)),
    longestMs,
  );
  workers.onReport(look);
  look();
  return await told.promise.finally(() => clearTimeout(alarm));
}
