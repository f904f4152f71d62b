import { createJobQueue } from '../queue/job-queue.ts';
import type { HybridConfig } from '../runtime/config.ts';
import { createLaneOf } from './lanes.ts';
import type { RouterOptions } from './router-options.ts';
import { createWake } from './wake.ts';

export interface RoutingOptions extends Pick<RouterOptions, 'catalog' | 'rpc' | 'github' | 'log' | 'now'> {
  config: Pick<HybridConfig, 'processJob' | 'inlineBudgetSeconds'>;
  fetch: typeof fetch;
}

/** Puts together what routing takes. Nothing is sent or opened. */
export function createRouting(options: RoutingOptions): RouterOptions {
  const { config, catalog, rpc, github, log, now } = options;
  const queue = createJobQueue(rpc);
  return {
    ...{ catalog, queue, rpc, github, log, now },
    laneOf: createLaneOf({ queue, log, now }),
    wake: createWake({ fetch: options.fetch, ...config.processJob, log }),
    inlineBudgetSeconds: config.inlineBudgetSeconds,
  };
}
