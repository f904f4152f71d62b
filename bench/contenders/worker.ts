import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { processCpuMs } from '../cpu.ts';
import type { Contender } from './contender.ts';

const entry = fileURLToPath(new URL('./worker-process.ts', import.meta.url));

/** What a worker process says that its handlers did since it last said so. */
export interface WorkerReport {
  ran: number;
  /** Of the jobs' numbers: equal counts with equal sums mean that each job ran once. */
  sum: number;
  /** Number of a job, and when its handler started, in milliseconds of the machine's monotonic clock. */
  starts: [n: number, at: number][];
}

/** Workers of one contender, each in its own process. */
export interface Workers {
  /** Since the start or the last `forget`. */
  ran(): number;
  sum(): number;
  /** The start of job `n`, if it has been told; see {@link WorkerReport}. */
  startOf(n: number): number | undefined;
  forget(): void;
  /** Called at each report. */
  onReport(act: () => void): void;
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
  /** Leaves what they hold as it is. */
  kill(): Promise<void>;
}

/** Time for a worker to find that the queue is empty, and to say so where its queue wants to know, in milliseconds. */
const settleMs = 500;

/**
 * Starts `count` workers and waits until they are idle.
 * @param times - tell when each handler started; takes CPU time of the worker
 * @throws {Error} a worker did not start, or ended by itself
 */
export async function startWorkers(
  contender: Contender,
  databaseUrl: string,
  { count = 1, times = false }: { count?: number; times?: boolean } = {},
): Promise<Workers> {
  const state = { ran: 0, sum: 0, starts: new Map<number, number>(), act: (): void => {} };
  const children = Array.from({ length: count }, () =>
    fork(entry, [contender.name, databaseUrl, times ? 'times' : 'counts'], { stdio: 'inherit' }),
  );
  await Promise.all(children.map((child) => firstReport(contender, child)));
  for (const child of children)
    child.on('message', ({ ran, sum, starts }: WorkerReport) => {
      state.ran += ran;
      state.sum += sum;
      for (const [n, at] of starts) state.starts.set(n, at);
      state.act();
    });
  await sleep(settleMs);
  return {
    ran: () => state.ran,
    sum: () => state.sum,
    startOf: (n) => state.starts.get(n),
    forget: () => Object.assign(state, { ran: 0, sum: 0, starts: new Map() }),
    onReport: (act) => void (state.act = act),
    async cpuMs() {
      const all = await Promise.all(children.map(({ pid }) => processCpuMs(pid ?? NaN)));
      return all.reduce((sum, one) => sum + one, 0);
    },
    async stop() {
      await Promise.all(children.map((child) => end(contender, child)));
    },
    async kill() {
      const exits = children.map((child) => once(child, 'exit'));
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(exits);
    },
  };
}

async function firstReport(contender: Contender, child: ChildProcess): Promise<void> {
  const died = once(child, 'exit').then(([code]) => {
    throw new Error(`${contender.name}: its worker ended with code ${code}`);
  });
  await Promise.race([once(child, 'message'), died]);
  // From here on an early end shows as jobs that never run.
  died.catch(() => {});
}

async function end(contender: Contender, child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.send('stop');
  const [code] = (await exit) as [number | null];
  if (code !== 0) throw new Error(`${contender.name}: its worker ended with code ${code}`);
}
