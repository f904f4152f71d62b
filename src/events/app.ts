import { createAccept } from '../router/accept.ts';
import { atFirstRequest } from '../router/first-request.ts';
import { createRouter } from '../router/router.ts';
import { createRouting, type RoutingOptions } from '../router/routing.ts';
import type { HybridConfig } from '../runtime/config.ts';
import { createEventsHandler } from './handler.ts';

export interface EventsAppOptions extends RoutingOptions {
  config: Pick<HybridConfig, 'inngest' | 'processJob' | 'inlineBudgetSeconds'>;
  /** Keeps the host alive until the promise is settled. Default: the host lives on by itself. */
  waitUntil?: (promise: Promise<unknown>) => void;
}

/**
 * Puts the event API together. Nothing is sent or opened before the first request.
 * @throws {Error} outside development there is no event key
 */
export function createEventsApp(options: EventsAppOptions): (request: Request) => Promise<Response> {
  const { config, catalog, log, now, waitUntil } = options;
  const { eventKey, isDev } = config.inngest;
  if (eventKey === undefined && !isDev)
    throw new Error('expected an event key outside development, got none');
  const routing = createRouting(options);
  return createEventsHandler({
    accept: createAccept(routing, createRouter(routing)),
    eventKey,
    onRequest: atFirstRequest({
      work: () => routing.queue.syncJobTypes(catalog),
      failure: 'could not mirror the job types into the database',
      log,
      waitUntil: (promise) => waitUntil?.(promise),
    }),
    log,
    now,
  });
}
