import type { Lane } from '../jobs/define-job.ts';
import type { JobQueue } from './job-queue.ts';
import type { Logger } from '../runtime/logger.ts';

export interface SweepLoop {
  /** Resolves when no sweep is under way any more. */
  stop(): Promise<void>;
}

/**
 * What pg_cron does on hosted Supabase: every `intervalSeconds` rescues crashed jobs, and says on which lanes something is
 * claimable. A database that is away is tried again at the next turn.
 *
 * @param options.onClaimable - called when there is such a lane
 */
export function startSweepLoop(options: {
  queue: Pick<JobQueue, 'sweep'>;
  onClaimable: (lanes: readonly Lane[]) => unknown;
  log: Logger;
  intervalSeconds: number;
}): SweepLoop {
  const { queue, log } = options;
  let underWay: Promise<void> | null = null;

  async function sweep(): Promise<void> {
    try {
      const swept = await queue.sweep();
      const lanes = swept.filter(({ claimable }) => claimable > 0).map(({ lane }) => lane);
      if (lanes.length > 0) await options.onClaimable(lanes);
    } catch (error) {
      log.warn({ err: error }, 'could not sweep');
    }
  }

  // A turn that comes while the database is slow is left out: turns that pile up would delay the stop.
  const turn = () => (underWay ??= sweep().finally(() => (underWay = null)));
  const timer = setInterval(() => void turn(), options.intervalSeconds * 1000);
  void turn();
  return {
    stop: async () => {
      clearInterval(timer);
      await underWay;
    },
  };
}
