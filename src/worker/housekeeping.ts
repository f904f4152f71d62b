import { type LogLevel, Logger as GraphileLogger, parseCronItems, run, type TaskList } from 'graphile-worker';
import type pg from 'pg';
import type { UncheckedRpc } from '../database/rpc.ts';
import type { Logger } from '../runtime/logger.ts';

/** Rows deleted by one statement: short enough to hold up nobody. */
const pruneRows = 5_000;

const day = 86_400_000;

/** What has to be done now and then, by one worker, whichever. */
export interface Housekeeping {
  stop(): Promise<void>;
}

export interface HousekeepingOptions {
  /** Direct or session connections: graphile-worker listens. */
  pool: pg.Pool;
  rpc: UncheckedRpc;
  keepDays: number;
  log: Logger;
}

/**
 * Runs the crontab of the queue's own upkeep with graphile-worker, which sees to it that each turn is taken once however
 * many workers there are, and that a turn missed while none was running is made up for.
 *
 * @throws {Error} the database cannot be reached, or lets us not make the schema graphile_worker
 */
export async function startHousekeeping(options: HousekeepingOptions): Promise<Housekeeping> {
  const { log } = options;
  const runner = await run({
    pgPool: options.pool,
    concurrency: 1,
    noHandleSignals: true,
    logger: new GraphileLogger(() => (level, message) => write(log, level, message)),
    taskList: tasks(options),
    parsedCronItems: parseCronItems([
      {
        task: 'prune_background_jobs',
        match: '17 3 * * *',
        identifier: 'prune',
        options: { backfillPeriod: day },
      },
    ]),
  });
  // It ends with an error when its connection is gone for good; the worker itself lives on its own claims.
  runner.promise.catch((error: unknown) => log.error({ error: String(error) }, 'housekeeping ended'));
  return { stop: () => runner.stop() };
}

function tasks({ rpc, keepDays, log }: HousekeepingOptions): TaskList {
  return {
    async prune_background_jobs() {
      let total = 0;
      for (;;) {
        const pruned = await rpc<number>('prune_background_jobs', {
          older_than: `${keepDays} days`,
          max_rows: pruneRows,
        });
        total += pruned;
        if (pruned < pruneRows) break;
      }
      log.info({ pruned: total, keepDays }, 'finished jobs pruned');
    },
  };
}

function write(log: Logger, level: `${LogLevel}`, message: string): void {
  if (level === 'error') log.error({}, message);
  else if (level === 'warning') log.warn({}, message);
  else log.debug({}, message);
}
