import type { JobDefinition } from '../jobs/define-job.ts';
import type { EnvRecord } from '../runtime/config-reader.ts';
import { parseEndpointConfig } from '../runtime/config.ts';
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
  if (set.isLocal && !config.inngest.isDev) throw new Error(`${set.endpoint} serves in development only`);
  return createHybridApp({
    config,
    set,
    catalog,
    ...openOutside(config, host),
    ...(supabasePath === undefined ? {} : { servedAt: config.supabase.url + supabasePath }),
    ...(waitUntil === undefined ? {} : { waitUntil }),
  });
}
