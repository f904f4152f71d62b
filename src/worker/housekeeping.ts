import { type LogLevel, Logger as GraphileLogger, type Runner, run as runGraphile } from 'graphile-worker';
import type pg from 'pg';
import { pause } from '../queue/alarm.ts';
import type { Logger } from '../runtime/logger.ts';
import { crontab, type TaskOptions, taskList } from './housekeeping-tasks.ts';

/** Pruning may take long, and must not hold up the schedules. */
const concurrency = 2;

/** A runner that ended by itself is started again after so many milliseconds. */
const restartMs = 5_000;

/** What has to be done now and then, by one worker, whichever. */
export interface Housekeeping {
  stop(): Promise<void>;
}

export interface HousekeepingOptions extends TaskOptions {
  /** Direct or session connections: graphile-worker listens. */
  pool: pg.Pool;
  /** Starts the runner. Default: graphile-worker's own. */
  run?: typeof runGraphile;
}

/**
 * Runs the crontab of the queue's own upkeep with graphile-worker, which sees to it that each turn is taken once however
 * many workers there are, and that pruning missed while none was running is made up for. Schedules make up for what they
 * missed by their own rules.
 *
 * @throws {Error} the database cannot be reached, or lets us not make the schema graphile_worker
 */
export async function startHousekeeping(options: HousekeepingOptions): Promise<Housekeeping> {
  const { log } = options;
  const stopping = new AbortController();
  let runner = await start(options, stopping.signal);

  /** graphile-worker ends, mostly without an error, when its connections fail in a way that it did not foresee. */
  async function keepRunning(): Promise<void> {
    for (;;) {
      const reason = await runner.promise.then(() => 'it stopped by itself', String);
      if (stopping.signal.aborted) return;
      log.warn({ reason }, 'housekeeping ended, starting it again');
      const next = await startAgain();
      if (!next) return;
      runner = next;
    }
  }

  async function startAgain(): Promise<Runner | null> {
    for (;;) {
      await pause(restartMs, stopping.signal);
      if (stopping.signal.aborted) return null;
      try {
        const next = await start(options, stopping.signal);
        if (!stopping.signal.aborted) return next;
        await next.stop();
      } catch (error) {
        log.warn({ error: String(error) }, 'housekeeping cannot be started, trying again');
      }
    }
  }

  const kept = keepRunning();
  return {
    async stop() {
      stopping.abort();
      // It refuses when it has stopped by itself.
      await runner
        .stop()
        .catch((error: unknown) => log.debug({ error: String(error) }, 'housekeeping had ended'));
      await kept;
    },
  };
}

async function start(options: HousekeepingOptions, stopping: AbortSignal): Promise<Runner> {
  const { run = runGraphile, pool } = options;
  return await run({
    pgPool: pool,
    concurrency,
    noHandleSignals: true,
    logger: new GraphileLogger(() => (level, message) => write(options.log, level, message)),
    taskList: taskList(options, stopping),
    parsedCronItems: crontab(),
  });
}

function write(log: Logger, level: `${LogLevel}`, message: string): void {
  if (level === 'error') log.error({}, message);
  else if (level === 'warning') log.warn({}, message);
  else log.debug({}, message);
}
