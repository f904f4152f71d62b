import { createAnalysisEndpoint } from '../../src/analysis/endpoint.ts';
import { catalog } from '../../src/jobs/catalog.ts';
import type { NetlifyContext } from '../../src/router/lazy-endpoint.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';

const endpoint = createAnalysisEndpoint({ catalog, env: process.env, createLogger: createNodeLogger });

/** A signed-in user starts the analysis of a repository, at `/api/analysis/start` by a redirect. */
export default async (request: Request, context?: NetlifyContext): Promise<Response> =>
  await endpoint(request, context?.deploy?.context);
