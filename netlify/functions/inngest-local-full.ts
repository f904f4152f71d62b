import { catalog } from '../../src/jobs/catalog.ts';
import { createEndpoint } from '../../src/router/endpoint.ts';
import { localSet } from '../../src/router/function-sets.ts';
import type { NetlifyContext } from '../../src/router/lazy-endpoint.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';

const endpoint = createEndpoint({
  set: localSet,
  catalog,
  env: process.env,
  createLogger: createNodeLogger,
});

/** Every function for the local Inngest dashboard, at `/api/inngest-local` too. It serves in development only. */
export default async (request: Request, context?: NetlifyContext): Promise<Response> =>
  await endpoint(request, context?.deploy?.context);
