import { catalog } from '../../src/jobs/catalog.ts';
import { createEndpoint } from '../../src/router/endpoint.ts';
import { hybridSet } from '../../src/router/function-sets.ts';
import type { NetlifyContext } from '../../src/router/lazy-endpoint.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';

const endpoint = createEndpoint({
  set: hybridSet,
  catalog,
  env: process.env,
  createLogger: createNodeLogger,
});

/** Inngest's endpoint, at `/.netlify/functions/inngest-hybrid` and, by a redirect, at `/api/inngest`. */
export default async (request: Request, context?: NetlifyContext): Promise<Response> =>
  await endpoint(request, context?.deploy?.context);
