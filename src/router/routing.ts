import { createJobQueue } from '../queue/job-queue.ts';
import type { HybridConfig } from '../runtime/config.ts';
import { toEventApi } from '../runtime/event-api.ts';
import { createLaneOf } from './lanes.ts';
import type { RouterOptions } from './router-options.ts';
import { createWake } from './wake.ts';

export interface RoutingOptions extends Pick<
  RouterOptions,
  'catalog' | 'rpc' | 'http' | 'github' | 'openai' | 'secrets' | 'log' | 'now'
> {
  config: Pick<HybridConfig, 'inngest' | 'processJob' | 'inlineBudgetSeconds'>;
}

/** Puts together what routing takes. Nothing is sent or opened. */
export function createRouting(options: RoutingOptions): RouterOptions {
  const { config, catalog, rpc, http, github, openai, secrets, log, now } = options;
  const queue = createJobQueue(rpc);
  return {
    ...{ catalog, queue, rpc, http, github, openai, secrets, log, now },
    laneOf: createLaneOf({ queue, log, now }),
    wake: createWake({ fetch: http.fetch, ...config.processJob, log }),
    inngestEvents: toEventApi(config.inngest),
    inlineBudgetSeconds: config.inlineBudgetSeconds,
  };
}
