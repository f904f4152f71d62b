import { createSupabaseClientRpc } from '../database/supabase-rpc.ts';
import { createSharedGitHub } from '../github/shared-github.ts';
import type { JobDefinition } from '../jobs/define-job.ts';
import type { EnvRecord } from '../runtime/config-reader.ts';
import { type LogLevel, parseEndpointConfig } from '../runtime/config.ts';
import type { Logger } from '../runtime/logger.ts';
import type { FunctionSet } from './function-sets.ts';
import { createHybridApp, type HybridApp } from './hybrid-app.ts';
import { createOutsideHttp } from '../runtime/outside-http.ts';

/** What an entry point knows and this module does not. */
export interface EndpointHost {
  set: FunctionSet;
  catalog: readonly JobDefinition[];
  env: EnvRecord;
  createLogger(options?: { level?: LogLevel }): Logger;
  /** Where the host serves the endpoint, below `SUPABASE_URL`. Default: where the requests say. */
  supabasePath?: string;
  /** Keeps the host alive until the promise is settled. */
  waitUntil?: (promise: Promise<unknown>) => void;
}

/** What Netlify hands to a function beside the request, as far as it is used. */
export interface NetlifyContext {
  deploy?: { context?: string };
}

/** @param deployContext - Netlify's, for example `deploy-preview`: its functions find it in no variable */
export type Endpoint = (request: Request, deployContext?: string) => Promise<Response>;

/**
 * An Inngest endpoint as a host runs it. It is built at the first request, and always speaks HTTP to the database:
 * instances of a function are many and short-lived, connections are not.
 */
export function createEndpoint(host: EndpointHost): Endpoint {
  const { endpoint } = host.set;
  let app: HybridApp | undefined;
  return async (request, deployContext) => {
    try {
      app ??= build(host, { CONTEXT: deployContext, ...host.env });
    } catch (error) {
      host.createLogger().error({ err: error }, `${endpoint} cannot start`);
      return Response.json({ message: `${endpoint} is not configured to serve` }, { status: 500 });
    }
    return await app.handle(request);
  };
}

function build(host: EndpointHost, env: EnvRecord): HybridApp {
  const { set, catalog, supabasePath, waitUntil } = host;
  const config = parseEndpointConfig(env);
  if (set.isLocal && !config.inngest.isDev) throw new Error(`${set.endpoint} serves in development only`);
  const log = host.createLogger({ level: config.logLevel });
  for (const warning of config.warnings) log.warn({}, warning);
  const rpc = createSupabaseClientRpc({ url: config.supabase.url, key: config.supabase.secretKey });
  return createHybridApp({
    config,
    set,
    catalog,
    rpc,
    github: createSharedGitHub({ ...config.github, rpc, log }),
    log,
    http: createOutsideHttp(),
    now: () => new Date(),
    ...(supabasePath === undefined ? {} : { servedAt: config.supabase.url + supabasePath }),
    ...(waitUntil === undefined ? {} : { waitUntil }),
  });
}
