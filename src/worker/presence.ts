import type { Rpc } from '../database/rpc.ts';
import type { Logger } from '../runtime/logger.ts';

/** The row of a living worker is renewed this often, in milliseconds; after a minute without it counts as gone. */
const renewMs = 10_000;

/** The worker's own row, by which operators and enqueues see it. */
export interface Presence {
  /** Writes the row now. Never throws. */
  report(): Promise<void>;
  /** When the database last took the row; null: never. */
  lastReportedAt(): Date | null;
  /** Removes the row, if there is one. Never throws. */
  end(): Promise<void>;
}

export function createPresence(options: {
  rpc: Rpc;
  worker: string;
  lanes: readonly string[];
  isIdle: () => boolean;
  log: Logger;
  now: () => Date;
}): Presence {
  const { rpc, worker, lanes, isIdle, log, now } = options;
  let reportedAt: Date | null = null;
  let turn = Promise.resolve();
  /** A write that has not begun yet: it will tell what holds then. */
  let waiting: Promise<void> | null = null;

  async function write(): Promise<void> {
    waiting = null;
    try {
      await rpc('report_worker', { worker, lanes, idle: isIdle() });
      reportedAt = now();
    } catch (error) {
      log.warn({ error: String(error) }, 'could not report that this worker lives');
    }
  }

  /** One after the other, so that the last one is what holds. */
  const report = (): Promise<void> => (waiting ??= turn = turn.then(write));
  const timer = setInterval(() => void report(), renewMs);

  return {
    report,
    lastReportedAt: () => reportedAt,
    async end() {
      clearInterval(timer);
      await turn;
      if (reportedAt === null) return;
      try {
        await rpc('remove_worker', { worker });
      } catch (error) {
        log.warn({ error: String(error) }, 'could not sign off, the sweep does it in a minute');
      }
    },
  };
}
