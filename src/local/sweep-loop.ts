import type { JobQueue } from '../queue/job-queue.ts';
import type { Wake } from '../router/wake.ts';
import type { Logger } from '../runtime/logger.ts';

export interface SweepLoop {
  /** Resolves when no sweep is under way any more. */
  stop(): Promise<void>;
}

/**
 * What pg_cron does on hosted Supabase: every `intervalSeconds` rescues crashed jobs and wakes `process-job` when one
 * is claimable on the edge lane. A database that is away is tried again at the next turn.
 */
export function startSweepLoop(options: {
  queue: Pick<JobQueue, 'sweep'>;
  wake: Wake;
  log: Logger;
  intervalSeconds: number;
}): SweepLoop {
  const { queue, wake, log } = options;
  let underWay = Promise.resolve();

  async function sweep(): Promise<void> {
    try {
      const lanes = await queue.sweep();
      if (lanes.some(({ lane, claimable }) => lane === 'edge' && claimable > 0)) await wake();
    } catch (error) {
      log.warn({ err: error }, 'could not sweep');
    }
  }

  const turn = () => (underWay = underWay.then(sweep));
  const timer = setInterval(() => void turn(), options.intervalSeconds * 1000);
  void turn();
  return {
    stop: async () => {
      clearInterval(timer);
      await underWay;
    },
  };
}
