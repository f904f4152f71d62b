import { pause } from '../queue/alarm.ts';
import { type Drain, startDrain } from '../queue/drain.ts';
import type { ClaimedJob, ClaimRequest } from '../queue/job-queue.ts';
import type { PerformHost } from '../queue/perform-host.ts';
import type { IdleSign } from './idle-sign.ts';

/** Until the bell would be rung for it, a lane that was busy a moment ago is looked at this often, in milliseconds. */
const restlessPollMs = 20;

export interface LaneLoopOptions {
  host: PerformHost;
  lane: 'edge' | 'worker';
  /** Name of this process, for people. */
  worker: string;
  /** Jobs that run at the same time. */
  concurrency: number;
  /** The lane is looked at this often without the bell, in milliseconds. */
  pollMs: number;
  /** From its abort on nothing is claimed; running jobs go on until the host's shutdown. */
  stopClaiming: AbortSignal;
  idle: IdleSign;
}

/** Works on one lane until it is told to stop. */
export interface LaneLoop {
  /** There may be work. */
  ring(): void;
  /** Jobs whose run has not ended. */
  running(): number;
  /** Resolves when the loop was told to stop and every claimed job has its outcome. */
  readonly done: Promise<void>;
}

/** A drain after the other; between them it waits for the bell, or for the time of the next look, which is soon while nobody rings. */
export function startLaneLoop(options: LaneLoopOptions): LaneLoop {
  const { host, lane, stopClaiming, idle } = options;
  let bell = new AbortController();
  let draining: Drain | null = null;

  function ring(): void {
    draining?.wake();
    bell.abort();
  }

  /** A failed claim brings nothing. It must not end the drain, whose end is that of its longest job. */
  async function claim(request: ClaimRequest): Promise<ClaimedJob[]> {
    try {
      return await host.queue.claim(request);
    } catch (error) {
      host.log.warn({ lane, error: String(error) }, 'could not claim, trying again');
      return [];
    }
  }

  async function drainOnce(): Promise<void> {
    draining = startDrain({
      ...options,
      host: { ...host, queue: { ...host.queue, claim } },
      stopClaimingAt: host.deadline,
      onClaim: (jobs, room) => idle.claimed(jobs, room),
    });
    const { claimed, ...counts } = await draining.done;
    draining = null;
    if (claimed > 0) host.log.debug({ lane, claimed, ...counts }, 'drain ended');
  }

  async function run(): Promise<void> {
    stopClaiming.addEventListener('abort', ring);
    while (!stopClaiming.aborted) {
      bell = new AbortController();
      await drainOnce();
      if (!stopClaiming.aborted) await pause(idle.isUp() ? options.pollMs : restlessPollMs, bell.signal);
    }
    stopClaiming.removeEventListener('abort', ring);
    idle.end();
  }

  return { ring, running: () => draining?.running() ?? 0, done: run() };
}
