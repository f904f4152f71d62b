import type { Rpc } from '../database/rpc.ts';
import type { GitHub } from '../github/github.ts';
import type { JobDefinition } from '../jobs/define-job.ts';
import { createJobQueue } from '../queue/job-queue.ts';
import type { HybridConfig } from '../runtime/config.ts';
import type { Logger } from '../runtime/logger.ts';
import { createHybridHandler } from './hybrid-handler.ts';
import { createInngestClient } from './inngest-client.ts';
import { createInngestFunctions } from './inngest-functions.ts';
import { createLaneOf } from './lanes.ts';
import { createRouter, type Router } from './router.ts';
import type { RouterOptions } from './router-options.ts';
import { createWake } from './wake.ts';

export interface HybridAppOptions {
  config: Pick<HybridConfig, 'inngest' | 'processJob' | 'inlineBudgetSeconds'>;
  catalog: readonly JobDefinition[];
  rpc: Rpc;
  github: (log: Logger) => GitHub;
  log: Logger;
  fetch: typeof fetch;
  now: () => Date;
}

export interface HybridApp {
  /** Inngest's endpoint. */
  handle(request: Request): Promise<Response>;
  /** The same routing without Inngest. */
  router: Router;
}

/** Puts `inngest-hybrid` together. Nothing is sent or opened before the first request. */
export function createHybridApp(options: HybridAppOptions): HybridApp {
  const { config, catalog, rpc, github, log, now } = options;
  const queue = createJobQueue(rpc);
  const routing: RouterOptions = {
    catalog,
    queue,
    rpc,
    github,
    log,
    now,
    laneOf: createLaneOf({ queue, log, now }),
    wake: createWake({ fetch: options.fetch, ...config.processJob, log }),
    inlineBudgetSeconds: config.inlineBudgetSeconds,
  };
  const client = createInngestClient({ config: config.inngest, log });
  const functions = createInngestFunctions({ ...routing, client });
  const onFirstRequest = (): Promise<void> => queue.syncJobTypes(catalog);
  return {
    handle: createHybridHandler({ client, functions, log, onFirstRequest }),
    router: createRouter(routing),
  };
}
