import type { Rpc } from '../database/rpc.ts';
import { createSupabaseClientRpc } from '../database/supabase-rpc.ts';
import type { GitHub } from '../github/github.ts';
import { createSharedGitHub } from '../github/shared-github.ts';
import type { OutsideHttp } from '../jobs/job-context.ts';
import { createOpenAi } from '../openai/create-openai.ts';
import type { OpenAi } from '../openai/openai.ts';
import type { EnvRecord } from '../runtime/config-reader.ts';
import type { HybridConfig, LogLevel } from '../runtime/config.ts';
import type { Logger } from '../runtime/logger.ts';
import { createOutsideHttp } from '../runtime/outside-http.ts';
import { createSecretBox, type SecretBox } from '../secrets/secret-box.ts';

/** What Netlify hands to a function beside the request, as far as it is used. */
export interface NetlifyContext {
  deploy?: { context?: string };
}

/** @param deployContext - Netlify's, for example `deploy-preview`: its functions find it in no variable */
export type Endpoint = (request: Request, deployContext?: string) => Promise<Response>;

export interface LazyEndpointHost {
  env: EnvRecord;
  createLogger(options?: { level?: LogLevel }): Logger;
}

/** An endpoint that is built at its first request, so that a host without its settings still loads, and says why. */
export function createLazyEndpoint(
  name: string,
  host: LazyEndpointHost,
  build: (env: EnvRecord) => (request: Request) => Promise<Response>,
): Endpoint {
  let handle: ((request: Request) => Promise<Response>) | undefined;
  return async (request, deployContext) => {
    try {
      handle ??= build({ CONTEXT: deployContext, ...host.env });
    } catch (error) {
      host.createLogger().error({ err: error }, `${name} cannot start`);
      return Response.json({ message: `${name} is not configured to serve` }, { status: 500 });
    }
    return await handle(request);
  };
}

/** What an endpoint uses of the world outside. */
export interface Outside {
  rpc: Rpc;
  github: (log: Logger) => GitHub;
  openai: OpenAi;
  secrets: SecretBox;
  log: Logger;
  http: OutsideHttp;
  now: () => Date;
}

/** The real ones. Always HTTP to the database: instances of a function are many and short-lived, connections are not. */
export function openOutside(config: HybridConfig, host: LazyEndpointHost): Outside {
  const log = host.createLogger({ level: config.logLevel });
  for (const warning of config.warnings) log.warn({}, warning);
  const rpc = createSupabaseClientRpc({ url: config.supabase.url, key: config.supabase.secretKey });
  const github = createSharedGitHub({ ...config.github, rpc, log });
  const openai = createOpenAi({ ...config.openai, rpc, log });
  const secrets = createSecretBox(config.encryptionKeys);
  return { rpc, github, openai, secrets, log, http: createOutsideHttp(), now: () => new Date() };
}
