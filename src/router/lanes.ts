import type { JobDefinition, Lane } from '../jobs/define-job.ts';
import type { JobQueue } from '../queue/job-queue.ts';
import type { Logger } from '../runtime/logger.ts';

/** Which lane a job of this kind takes now. */
export type LaneOf = (definition: JobDefinition) => Promise<Lane>;

/**
 * The definition's lane, unless an operator moved the type with `set_job_lane`. The overrides are kept for
 * `keepMilliseconds` (default: 10 s); while the database does not answer, the last known ones hold.
 */
export function createLaneOf(options: {
  queue: Pick<JobQueue, 'laneOverrides'>;
  log: Logger;
  now: () => Date;
  keepMilliseconds?: number;
}): LaneOf {
  const { queue, log, now, keepMilliseconds = 10_000 } = options;
  let known: Promise<Map<string, Lane>> = Promise.resolve(new Map<string, Lane>());
  let freshUntil = -Infinity;

  async function read(last: Promise<Map<string, Lane>>): Promise<Map<string, Lane>> {
    try {
      return await queue.laneOverrides();
    } catch (error) {
      freshUntil = -Infinity;
      log.warn({ error: String(error) }, 'could not read the lane overrides, the last known ones hold');
      return await last;
    }
  }

  return async (definition) => {
    if (now().getTime() >= freshUntil) {
      freshUntil = now().getTime() + keepMilliseconds;
      known = read(known);
    }
    return (await known).get(definition.type) ?? definition.lane;
  };
}

/**
 * Whether a limit of the definition would have to hold a job back. Inngest keeps the limits of what it runs inline; where
 * the job comes without Inngest, only the queue keeps them, for the jobs that wait in it.
 */
export function isLimited({ concurrency, throttle }: JobDefinition): boolean {
  return concurrency !== null || throttle !== null;
}
