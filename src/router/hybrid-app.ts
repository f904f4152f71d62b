import type { Rpc } from '../database/rpc.ts';
import type { GitHub } from '../github/github.ts';
import type { JobDefinition } from '../jobs/define-job.ts';
import type { OutsideHttp } from '../jobs/job-context.ts';
import { sweepJobs } from '../jobs/system/sweep-jobs.ts';
import type { OpenAi } from '../openai/openai.ts';
import type { HybridConfig } from '../runtime/config.ts';
import type { Logger } from '../runtime/logger.ts';
import type { SecretBox } from '../secrets/secret-box.ts';
import { type FunctionSet, servedBy } from './function-sets.ts';
import { createHybridHandler, serveAddress } from './hybrid-handler.ts';
import { createInngestClient } from './inngest-client.ts';
import { createInngestFunctions } from './inngest-functions.ts';
import { createRouter, type Router } from './router.ts';
import { createRouting } from './routing.ts';

export interface HybridAppOptions {
  config: Pick<
    HybridConfig,
    'inngest' | 'processJob' | 'inlineBudgetSeconds' | 'scheduler' | 'sweepsByInngest' | 'splitsOffEmbeddings'
  >;
  /** What Inngest may call here. */
  set: FunctionSet;
  catalog: readonly JobDefinition[];
  rpc: Rpc;
  github: (log: Logger) => GitHub;
  openai: OpenAi;
  /** Default: one without a key, which opens nothing. */
  secrets?: SecretBox;
  log: Logger;
  http: OutsideHttp;
  now: () => Date;
  /** The URL at which Inngest reaches this endpoint. Default: the one that each request names. */
  servedAt?: string;
  /** Keeps the host alive until the promise is settled. Default: the host lives on by itself. */
  waitUntil?: (promise: Promise<unknown>) => void;
}

export interface HybridApp {
  /** Inngest's endpoint. */
  handle(request: Request): Promise<Response>;
  /** The same routing without Inngest. */
  router: Router;
}

/** Puts an Inngest endpoint together. Nothing is sent or opened before the first request. */
export function createHybridApp(options: HybridAppOptions): HybridApp {
  const { config, set, log, waitUntil } = options;
  const catalog = config.sweepsByInngest ? options.catalog.map(sweptEveryMinute) : options.catalog;
  const routing = createRouting({ ...options, catalog });
  const client = createInngestClient({ config: config.inngest, appId: set.appId, log });
  const functions = createInngestFunctions({
    ...{ ...routing, client, scheduler: config.scheduler },
    served: servedBy(set, catalog, config.splitsOffEmbeddings),
  });
  const onFirstRequest = async (): Promise<void> => {
    await routing.queue.syncJobTypes(catalog);
    await routing.queue.syncPayloadSchemas(catalog);
  };
  const address = serveAddress(config.inngest, options.servedAt);
  return {
    handle: createHybridHandler({
      name: set.endpoint,
      client,
      functions,
      log,
      address,
      onFirstRequest,
      waitUntil: (promise) => waitUntil?.(promise),
    }),
    router: createRouter(routing),
  };
}

function sweptEveryMinute(definition: JobDefinition): JobDefinition {
  return definition.type === sweepJobs.type ? { ...definition, cron: ['* * * * *'] } : definition;
}
