import type { JobDefinition } from '../jobs/define-job.ts';
import {
  createLazyEndpoint,
  type Endpoint,
  type LazyEndpointHost,
  openOutside,
} from '../router/lazy-endpoint.ts';
import { parseEventsConfig } from '../runtime/config.ts';
import { createEventsApp } from './app.ts';

/** What an entry point knows and this module does not. */
export interface EventsHost extends LazyEndpointHost {
  catalog: readonly JobDefinition[];
}

/** The event API as a host runs it. */
export function createEventsEndpoint(host: EventsHost): Endpoint {
  return createLazyEndpoint('events', host, (env) => {
    const config = parseEventsConfig(env);
    return createEventsApp({ config, catalog: host.catalog, ...openOutside(config, host) });
  });
}
