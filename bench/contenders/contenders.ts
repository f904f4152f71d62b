import type { Contender } from './contender.ts';
import { graphileWorker } from './graphile-worker.ts';
import { hybridJobsCalls } from './hybrid-jobs-calls.ts';
import { hybridJobs } from './hybrid-jobs.ts';
import { pgBoss, pgBossWithGroups } from './pg-boss.ts';

export { graphileWorker, hybridJobs, hybridJobsCalls, pgBoss, pgBossWithGroups };

/** All that are measured somewhere. */
export const contenders: readonly Contender[] = [
  hybridJobs,
  hybridJobsCalls,
  graphileWorker,
  pgBoss,
  pgBossWithGroups,
];
