import { createEventsEndpoint } from '../../src/events/endpoint.ts';
import { catalog } from '../../src/jobs/catalog.ts';
import type { NetlifyContext } from '../../src/router/lazy-endpoint.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';

const endpoint = createEventsEndpoint({ catalog, env: process.env, createLogger: createNodeLogger });

/** Inngest's Event API without Inngest, at `/e/<event key>` by a redirect. */
export default async (request: Request, context?: NetlifyContext): Promise<Response> =>
  await endpoint(request, context?.deploy?.context);
