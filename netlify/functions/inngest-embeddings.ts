import { catalog } from '../../src/jobs/catalog.ts';
import { createEndpoint } from '../../src/router/endpoint.ts';
import { embeddingsSet } from '../../src/router/function-sets.ts';
import type { NetlifyContext } from '../../src/router/lazy-endpoint.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';

const endpoint = createEndpoint({
  set: embeddingsSet,
  catalog,
  env: process.env,
  createLogger: createNodeLogger,
});

/** Inngest's endpoint for embeddings and workspaces, at `/api/inngest-embeddings` too. */
export default async (request: Request, context?: NetlifyContext): Promise<Response> =>
  await endpoint(request, context?.deploy?.context);
