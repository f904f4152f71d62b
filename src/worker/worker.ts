import type { Rpc } from '../database/rpc.ts';
import { requireSchema } from '../database/schema-check.ts';
import type { GitHub } from '../github/github.ts';
import type { JobDefinition } from '../jobs/define-job.ts';
import type { OpenEmbedder } from '../jobs/embeddings/text-embedder.ts';
import type { EventApi, OutsideHttp } from '../jobs/job-context.ts';
import type { OpenAi } from '../openai/openai.ts';
import { setAlarm } from '../queue/alarm.ts';
import { indexDefinitions } from '../queue/find-definition.ts';
import { createJobQueue } from '../queue/job-queue.ts';
import { createPerformHost } from '../queue/perform-host.ts';
import { startSweepLoop } from '../queue/sweep-loop.ts';
import { wakeMissing } from '../queue/wake-missing.ts';
import type { Scheduler } from '../runtime/config.ts';
import type { Logger } from '../runtime/logger.ts';
import type { SecretBox } from '../secrets/secret-box.ts';
import { openConnections } from './connections.ts';
import { openDoorbell } from './doorbell.ts';
import type { WorkerHealth } from './health.ts';
import { startHousekeeping } from './housekeeping.ts';
import { createIdleSign } from './idle-sign.ts';
import { type LaneLoop, startLaneLoop } from './lane-loop.ts';
import { createOffer, type Offer } from './offer.ts';
import { createPresence } from './presence.ts';
import { evaluateSchedules, type ScheduleOptions, syncSchedules } from './schedules.ts';

/** A lane whose jobs wait in the queue. */
export type QueuedLane = 'edge' | 'worker';

export interface WorkerOptions {
  /** Direct or in session mode. */
  databaseUrl: string;
  /** Unique among all workers; for people, too. */
  worker: string;
  lanes: readonly QueuedLane[];
  /** Jobs that run at the same time on each lane. */
  concurrency: number;
  leaseSeconds: number;
  /** How long running jobs may go on after `stop`, in seconds; then they hand off at their last saved step. */
  drainSeconds: number;
  /** Finished jobs are deleted after so many days. */
  keepDays: number;
  /** Who starts jobs at the cron times of their definitions. Other schedules are always the worker's. */
  scheduler: Scheduler;
  catalog: readonly JobDefinition[];
  github: (rpc: Rpc, log: Logger) => (jobLog: Logger) => GitHub;
  openai: (rpc: Rpc, log: Logger) => OpenAi;
  /** Default: one without a key, which opens nothing. */
  secrets?: SecretBox;
  /** Calls `process-job` so many times; never rejects. Default: there is none to call. */
  wake?: (isolates: number) => Promise<{ woken: boolean }>;
  http: OutsideHttp;
  /** Default: none is known. */
  inngestEvents?: EventApi | null;
  /** Default: there is no local model. */
  openEmbedder?: OpenEmbedder;
  log: Logger;
  now: () => Date;
  /** How often a lane is looked at without the bell, in milliseconds. Default: 1,000. */
  pollMs?: number;
  /** How often crashed jobs are looked for, in seconds. Default: 3. */
  sweepSeconds?: number;
}

/** The always-on process: claims jobs of its lanes and runs them, and keeps the queue's house. */
export interface Worker {
  health(): WorkerHealth;
  /** Takes no more jobs, lets the running ones end or hand off, and signs off. */
  stop(): Promise<void>;
}

/** The end of time, as a Date has it: no host ends this process at a fixed moment. */
const never = new Date(8.64e15);

/**
 * Starts a worker. Any number of them, on any number of machines, share the work.
 * @throws {Error} the database cannot be reached
 * @throws {SchemaOutdatedError} it is not migrated as far as this code needs
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { worker, lanes, catalog, log, now } = options;
  const connections = openConnections(options.databaseUrl, worker, log);
  const { pool, rpc, jobRpc } = connections;
  const queue = createJobQueue(rpc);
  const stopClaiming = new AbortController();
  const handOff = new AbortController();
  const loops: LaneLoop[] = [];

  const signs = lanes.map((_, index) =>
    createIdleSign({ now, show: () => presence.report(), lookAgain: () => loops[index]?.ring() }),
  );
  const isIdle = (): boolean => signs.some((sign) => sign.isUp());
  const presence = createPresence({ rpc, worker, lanes, isIdle, log, now });
  const ring = (): void => loops.forEach((loop) => loop.ring());

  const scheduling: ScheduleOptions = { rpc, catalog, withDefinitions: options.scheduler === 'worker', log };

  async function begin() {
    await requireSchema(rpc);
    await queue.syncJobTypes(catalog);
    await queue.syncPayloadSchemas(catalog);
    await syncSchedules(scheduling);
    await presence.report();
    const started = await startHousekeeping({ ...scheduling, pool, keepDays: options.keepDays });
    await evaluateSchedules(scheduling).catch((error: unknown) =>
      log.warn({ error: String(error) }, 'could not look at the schedules, the next minute does'),
    );
    return started;
  }

  const housekeeping = await begin().catch(async (error: unknown) => {
    await presence.end();
    await connections.close();
    throw error;
  });
  const github = options.github(jobRpc, log);
  const openai = options.openai(jobRpc, log);
  const definitionOf = indexDefinitions(catalog);
  const offers: Offer[] = [];
  for (const [index, lane] of lanes.entries()) {
    const host = createPerformHost({
      ...{
        queue,
        rpc: jobRpc,
        http: options.http,
        github,
        openai,
        log,
        now,
        leaseSeconds: options.leaseSeconds,
      },
      ...(options.wake ? { wake: options.wake } : {}),
      ...(options.secrets ? { secrets: options.secrets } : {}),
      inngestEvents: options.inngestEvents ?? null,
      ...(options.openEmbedder ? { openEmbedder: options.openEmbedder } : {}),
      definitionOf,
      stopStepsAt: never,
      deadline: never,
      shutdown: handOff.signal,
    });
    const { concurrency, pollMs = 1_000 } = options;
    const idle = signs[index]!;
    const offer = createOffer({
      queue,
      lane,
      worker,
      leaseSeconds: options.leaseSeconds,
      // So that each look finds it due.
      checkMs: pollMs / 2,
      log,
      now,
    });
    offers.push(offer);
    loops.push(
      startLaneLoop({
        host,
        lane,
        worker,
        concurrency,
        pollMs,
        stopClaiming: stopClaiming.signal,
        idle,
        offer,
      }),
    );
  }
  const doorbell = openDoorbell({ connection: connections.config, ring, offers, log });
  const sweep = startSweepLoop({
    queue,
    async onClaimable(claimable) {
      ring();
      const { wake } = options;
      if (wake && claimable.includes('edge') && !lanes.includes('edge')) await wakeMissing({ queue, wake });
    },
    log,
    intervalSeconds: options.sweepSeconds ?? 3,
  });
  log.info({ worker, lanes, concurrency: options.concurrency }, 'worker started');

  async function stop(): Promise<void> {
    stopClaiming.abort();
    const outOfTime = new Date(now().getTime() + options.drainSeconds * 1000);
    const cancelAlarm = setAlarm(outOfTime, now, () => handOff.abort());
    await Promise.all(loops.map(({ done }) => done));
    cancelAlarm();
    await Promise.all([doorbell.close(), sweep.stop(), housekeeping.stop()]);
    await presence.end();
    await connections.close();
    log.info({ worker }, 'worker stopped');
  }

  let stopped: Promise<void> | null = null;
  return {
    health: () => ({
      ...{ worker, lanes },
      running: loops.reduce((sum, loop) => sum + loop.running(), 0),
      idle: isIdle(),
      lastHeartbeat: presence.lastReportedAt()?.toISOString() ?? null,
      stopping: stopClaiming.signal.aborted,
    }),
    stop: () => (stopped ??= stop()),
  };
}
