import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import { signal } from '../system/signal.ts';

/** Longer than a lease of the matrix, and than the sweep after it. */
const pauseMs = 8_000;

/** Somebody else has the jobs when a stopped process goes on with them. */
export const paused: Fault = {
  name: 'paused',
  what: `SIGSTOP of a worker and of Deno for ${pauseMs / 1000} s, longer than their leases; then they go on`,
  strikes: { full: 5, quick: 1 },
  async strike({ workers, isolates }, random) {
    const pids = [random.pick(workers).pid(), ...isolates()].filter((pid) => pid !== undefined);
    pids.forEach((pid) => signal(pid, 'SIGSTOP'));
    await sleep(pauseMs);
    pids.forEach((pid) => signal(pid, 'SIGCONT'));
  },
};
