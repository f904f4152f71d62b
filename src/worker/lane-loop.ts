import { pause } from '../queue/alarm.ts';
import { type Drain, startDrain } from '../queue/drain.ts';
import type { ClaimedJob, ClaimRequest } from '../queue/job-queue.ts';
import type { PerformHost } from '../queue/perform-host.ts';
import type { IdleSign } from './idle-sign.ts';
import type { Offer } from './offer.ts';

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
  offer: Offer;
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
  const { host, lane, stopClaiming, idle, offer } = options;
  let bell = new AbortController();
  let draining: Drain | null = null;
  /** A look is due, whatever was handed over. */
  let rung = true;
  let looking = false;

  function wake(): void {
    draining?.wake();
    bell.abort();
  }

  function ring(): void {
    rung = true;
    wake();
  }

  const running = (): number => draining?.running() ?? 0;
  offer.serve({
    // While a claim is under way it may take all the room that is left.
    hasRoom: () => !looking && idle.isUp() && options.concurrency - running() > offer.reserved(),
    onJob: wake,
  });

  /** A failed claim brings nothing. It must not end the drain, whose end is that of its longest job. */
  async function claim(request: ClaimRequest): Promise<ClaimedJob[]> {
    try {
      return await host.queue.claim(request);
    } catch (error) {
      host.log.warn({ lane, error: String(error) }, 'could not claim, trying again');
      return [];
    }
  }

  /** A place is kept for what an offer may bring; a claim that needs that place ends the offer first. */
  async function claimBesideOffer(request: ClaimRequest): Promise<ClaimedJob[]> {
    const reserved = offer.reserved();
    if (reserved === 0) return await claim(request);
    const most = request.maxJobs - reserved;
    const jobs = most > 0 ? await claim({ ...request, maxJobs: most }) : [];
    if (jobs.length < most) return jobs;
    await offer.withdraw();
    jobs.push(...offer.take(request.maxJobs - jobs.length));
    const left = request.maxJobs - jobs.length;
    return left > 0 ? [...jobs, ...(await claim({ ...request, maxJobs: left }))] : jobs;
  }

  /** What was handed over starts without a look at the line, unless one is due. */
  async function look(request: ClaimRequest): Promise<ClaimedJob[]> {
    const handed = offer.take(request.maxJobs);
    const room = request.maxJobs - handed.length;
    if (handed.length > 0 && (!rung || room === 0)) return handed;
    rung = false;
    looking = true;
    const jobs = await claimBesideOffer({ ...request, maxJobs: room });
    looking = false;
    if (jobs.length === room) rung = true;
    else if (jobs.length === 0 && idle.isUp() && offer.reserved() < room) void offer.make();
    return [...handed, ...jobs];
  }

  async function drainOnce(): Promise<void> {
    draining = startDrain({
      ...options,
      host: { ...host, queue: { ...host.queue, claim: look } },
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
    await offer.withdraw();
    await Promise.all(offer.take(Infinity).map(giveBack));
  }

  /** It has not begun: that costs no retry. */
  async function giveBack({ id: jobId, leaseToken }: ClaimedJob): Promise<void> {
    try {
      await host.queue.snooze({ jobId, leaseToken }, host.now(), 'the worker stopped before the job began');
    } catch (error) {
      host.log.warn({ lane, jobId, error: String(error) }, 'could not give a job back, its lease will end');
    }
  }

  return { ring, running, done: run() };
}
