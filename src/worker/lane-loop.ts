import { startDrain } from '../queue/drain.ts';
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

/** One drain that goes on while the lane is empty: it waits for the bell, or for the time of the next look, which is soon while nobody rings. */
export function startLaneLoop(options: LaneLoopOptions): LaneLoop {
  const { host, lane, stopClaiming, idle, offer } = options;
  const givenBack: Promise<void>[] = [];
  let handedOver = 0;
  let looking = false;

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
    const before = handedOver;
    const most = request.maxJobs - reserved;
    const jobs = most > 0 ? await claim({ ...request, maxJobs: most }) : [];
    if (jobs.length < most) return jobs;
    await offer.withdraw();
    const left = request.maxJobs - jobs.length - (handedOver - before);
    return left > 0 ? [...jobs, ...(await claim({ ...request, maxJobs: left }))] : jobs;
  }

  async function look(request: ClaimRequest): Promise<ClaimedJob[]> {
    looking = true;
    const jobs = await claimBesideOffer(request);
    looking = false;
    if (jobs.length === 0 && hasRoom()) void offer.make();
    return jobs;
  }

  const draining = startDrain({
    ...options,
    host: { ...host, queue: { ...host.queue, claim: look } },
    stopClaimingAt: host.deadline,
    emptyPollMs: () => (idle.isUp() ? options.pollMs : restlessPollMs),
    onClaim: (jobs, room) => idle.claimed(jobs, room),
  });

  const running = (): number => draining.running();
  // While a claim is under way it may take all the room that is left.
  const hasRoom = (): boolean =>
    !looking && !stopClaiming.aborted && idle.isUp() && options.concurrency - running() > offer.reserved();

  function onJob(job: ClaimedJob, leasedAt: Date): void {
    handedOver += 1;
    if (stopClaiming.aborted) return void givenBack.push(giveBack(job));
    idle.claimed(1, options.concurrency - running());
    draining.start(job, leasedAt);
  }

  /** It has not begun: that costs no retry. */
  async function giveBack({ id: jobId, leaseToken }: ClaimedJob): Promise<void> {
    try {
      await host.queue.snooze({ jobId, leaseToken }, host.now(), 'the worker stopped before the job began');
    } catch (error) {
      host.log.warn({ lane, jobId, error: String(error) }, 'could not give a job back, its lease will end');
    }
  }

  async function untilStopped(): Promise<void> {
    const summary = await draining.done;
    idle.end();
    await offer.withdraw();
    await Promise.all(givenBack);
    host.log.debug({ lane, ...summary }, 'lane stopped');
  }

  offer.serve({ hasRoom, onJob });
  stopClaiming.addEventListener('abort', () => void offer.withdraw(), { once: true });
  return { ring: () => void draining.wake(), running, done: untilStopped() };
}
