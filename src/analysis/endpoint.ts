import { createSupabaseClientRpc } from '../database/supabase-rpc.ts';
import type { JobDefinition } from '../jobs/define-job.ts';
import {
  createLazyEndpoint,
  type Endpoint,
  type LazyEndpointHost,
  openOutside,
} from '../router/lazy-endpoint.ts';
import { parseHybridConfig } from '../runtime/config.ts';
import { createAnalysisApp } from './app.ts';

/** What an entry point knows and this module does not. */
export interface AnalysisHost extends LazyEndpointHost {
  catalog: readonly JobDefinition[];
}

/** Where users start analyses, as a host runs it. */
export function createAnalysisEndpoint(host: AnalysisHost): Endpoint {
  return createLazyEndpoint('analysis-start', host, (env) => {
    const config = parseHybridConfig(env);
    const { url, secretKey } = config.supabase;
    return createAnalysisApp({
      ...{ config, catalog: host.catalog, ...openOutside(config, host) },
      openAsUser: (accessToken) => createSupabaseClientRpc({ url, key: secretKey, accessToken }),
    });
  });
}
