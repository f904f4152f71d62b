import type { JobDefinition } from '../jobs/define-job.ts';
import type { EnvRecord } from '../runtime/config-reader.ts';
import { type HybridConfig, parseEndpointConfig } from '../runtime/config.ts';
import type { FunctionSet } from './function-sets.ts';
import { createHybridApp, type HybridApp } from './hybrid-app.ts';
import { createLazyEndpoint, type Endpoint, type LazyEndpointHost, openOutside } from './lazy-endpoint.ts';

/** What an entry point knows and this module does not. */
export interface EndpointHost extends LazyEndpointHost {
  set: FunctionSet;
  catalog: readonly JobDefinition[];
  /** Where the host serves the endpoint, below `SUPABASE_URL`. Default: where the requests say. */
  supabasePath?: string;
  /** Keeps the host alive until the promise is settled. */
  waitUntil?: (promise: Promise<unknown>) => void;
}

/** An Inngest endpoint as a host runs it. */
export function createEndpoint(host: EndpointHost): Endpoint {
  return createLazyEndpoint(host.set.endpoint, host, (env) => {
    const app = build(host, env);
    return (request) => app.handle(request);
  });
}

function build(host: EndpointHost, env: EnvRecord): HybridApp {
  const { set, catalog, supabasePath, waitUntil } = host;
  const config = parseEndpointConfig(env);
  if (!config.inngest.isDev) refuseOutsideDevelopment(set, config);
  return createHybridApp({
    config,
    set,
    catalog,
    ...openOutside(config, host),
    ...(supabasePath === undefined ? {} : { servedAt: config.supabase.url + supabasePath }),
    ...(waitUntil === undefined ? {} : { waitUntil }),
  });
}

function refuseOutsideDevelopment(
  { endpoint, isLocal, isSwitched }: FunctionSet,
  config: HybridConfig,
): void {
  if (isLocal) throw new Error(`${endpoint} serves in development only`);
  // Else two apps would have the same cron times.
  if (isSwitched && !config.splitsOffEmbeddings)
    throw new Error(
      `${endpoint} serves where INNGEST_EMBEDDINGS_ENDPOINT is on; now inngest-hybrid has its jobs`,
    );
}
