import { createAccept } from '../router/accept.ts';
import { atFirstRequest } from '../router/first-request.ts';
import { createRouter } from '../router/router.ts';
import { createRouting, type RoutingOptions } from '../router/routing.ts';
import type { HybridConfig } from '../runtime/config.ts';
import type { SecretBox } from '../secrets/secret-box.ts';
import { withCors } from './cors.ts';
import { createStartHandler, type StartHandlerOptions } from './handler.ts';
import { createSendEvent } from './send-event.ts';

export interface AnalysisAppOptions extends RoutingOptions, Pick<StartHandlerOptions, 'openAsUser'> {
  config: Pick<HybridConfig, 'inngest' | 'processJob' | 'inlineBudgetSeconds' | 'allowedOrigins'>;
  secrets: SecretBox;
}

/** Puts the endpoint together with which users start analyses. Nothing is sent or opened before the first request. */
export function createAnalysisApp(options: AnalysisAppOptions): (request: Request) => Promise<Response> {
  const { config, catalog, rpc, openAsUser, secrets, http, log } = options;
  const routing = createRouting(options);
  const accept = createAccept(routing, createRouter(routing));
  const { inngestEvents } = routing;
  const handle = createStartHandler({
    ...{ rpc, openAsUser, secrets, log },
    send: createSendEvent({ inngestEvents, accept, fetch: http.fetch, log }),
    onRequest: atFirstRequest({
      work: () => routing.queue.syncJobTypes(catalog),
      failure: 'could not mirror the job types into the database',
      log,
      waitUntil: () => undefined,
    }),
  });
  return withCors(handle, config.allowedOrigins);
}
