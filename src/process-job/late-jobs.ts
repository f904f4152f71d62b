import type { GitHub } from '../github/github.ts';
import type { JobDefinition } from '../jobs/define-job.ts';
import { indexDefinitions } from '../queue/find-definition.ts';
import type { ClaimedJob, JobQueue } from '../queue/job-queue.ts';
import type { Logger } from '../runtime/logger.ts';

/** What a claimed job needs to run, and a claim does not: most of what there is to load. */
export interface Jobs {
  catalog: readonly JobDefinition[];
  github: (log: Logger) => GitHub;
}

export interface LateJobs {
  /** Claims through it bring jobs only when they can be run. */
  queue: JobQueue;
  /** For jobs that were claimed through `queue`. */
  definitionOf: (name: string) => JobDefinition | undefined;
  /** For jobs that were claimed through `queue`. */
  github: (log: Logger) => GitHub;
  /** Rejects when they cannot be loaded; the next call tries again. */
  loaded(): Promise<Jobs>;
}

interface LateJobsOptions {
  queue: JobQueue;
  loadJobs: () => Promise<Jobs>;
  log: Logger;
  now: () => Date;
}

type Loaded = Jobs & Pick<LateJobs, 'definitionOf'>;

/**
 * Loads the jobs when the first claim has brought some: a cold isolate claims sooner. Not while the claim is on its way,
 * since a request takes several turns of the event loop to leave, and each would wait for modules that are evaluated. When
 * it fails, what was claimed goes back at once without the loss of a retry, and nothing is claimed until it succeeds.
 */
export function createLateJobs({ queue, loadJobs, log, now }: LateJobsOptions): LateJobs {
  let jobs: Loaded | undefined;
  let loading: Promise<Loaded> | undefined;
  let hasFailed = false;

  function loaded(): Promise<Loaded> {
    loading ??= load().finally(() => (loading = undefined));
    return loading;
  }

  async function load(): Promise<Loaded> {
    if (jobs) return jobs;
    try {
      const found = await loadJobs();
      jobs = { ...found, definitionOf: indexDefinitions(found.catalog) };
      return jobs;
    } catch (error) {
      hasFailed = true;
      log.error({ error: String(error) }, 'the jobs could not be loaded');
      throw error;
    }
  }

  async function claiming<Claimed>(
    claim: () => Promise<Claimed>,
    jobsOf: (claimed: Claimed) => readonly ClaimedJob[],
  ): Promise<Claimed> {
    if (jobs) return await claim();
    if (hasFailed) await loaded();
    const claimed = await claim();
    const held = jobsOf(claimed);
    if (held.length > 0)
      await loaded().catch(async (error: unknown) => {
        await Promise.all(held.map(giveBack));
        throw error;
      });
    return claimed;
  }

  async function giveBack({ id: jobId, leaseToken }: ClaimedJob): Promise<void> {
    await queue
      .snooze({ jobId, leaseToken }, now(), 'the host could not load the jobs')
      .catch((error: unknown) =>
        log.warn({ jobId, error: String(error) }, 'a job waits for its lease to end'),
      );
  }

  function ready(): Loaded {
    if (!jobs) throw new Error('a job is to run before the jobs are loaded');
    return jobs;
  }

  return {
    queue: {
      ...queue,
      claim: (request) =>
        claiming(
          () => queue.claim(request),
          (claimed) => claimed,
        ),
      claimOne: (...job) =>
        claiming(
          () => queue.claimOne(...job),
          (claimed) => (claimed ? [claimed] : []),
        ),
    },
    definitionOf: (name) => ready().definitionOf(name),
    github: (jobLog) => ready().github(jobLog),
    loaded,
  };
}
