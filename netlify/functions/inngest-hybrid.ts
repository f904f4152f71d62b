import { createSupabaseClientRpc } from '../../src/database/supabase-rpc.ts';
import { createSharedGitHub } from '../../src/github/shared-github.ts';
import { catalog } from '../../src/jobs/catalog.ts';
import { createHybridApp, type HybridApp } from '../../src/router/hybrid-app.ts';
import { parseHybridConfig } from '../../src/runtime/config.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';

let app: HybridApp | undefined;

/** Built at the first request. Always over HTTP: instances of a function are many and short-lived, connections are not. */
function build(): HybridApp {
  const config = parseHybridConfig(process.env);
  const log = createNodeLogger({ level: config.logLevel });
  for (const warning of config.warnings) log.warn({}, warning);
  const rpc = createSupabaseClientRpc({ url: config.supabase.url, key: config.supabase.secretKey });
  return createHybridApp({
    config,
    catalog,
    rpc,
    github: createSharedGitHub({ ...config.github, rpc, log }),
    log,
    fetch,
    now: () => new Date(),
  });
}

/** Inngest's endpoint, at `/.netlify/functions/inngest-hybrid` and, by a redirect, at `/api/inngest`. */
export default async (request: Request): Promise<Response> => {
  try {
    app ??= build();
  } catch (error) {
    createNodeLogger().error({ err: error }, 'inngest-hybrid cannot start');
    return Response.json({ message: 'inngest-hybrid is not configured to serve' }, { status: 500 });
  }
  return await app.handle(request);
};
