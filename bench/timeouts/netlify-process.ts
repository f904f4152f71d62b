/** `inngest-hybrid` as Netlify runs it, with the benchmark's job kinds: the endpoint of production in a process. */
import { createAdaptorServer } from '@hono/node-server';
import { listen } from '../../src/local/listen.ts';
import { createEndpoint } from '../../src/router/endpoint.ts';
import { hybridSet } from '../../src/router/function-sets.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';
import { benchCatalog } from './catalog.ts';

const endpoint = createEndpoint({
  set: hybridSet,
  catalog: benchCatalog,
  env: process.env,
  createLogger: createNodeLogger,
});

/** Says how long the endpoint took itself, in the header that browsers know. */
async function timed(request: Request): Promise<Response> {
  const start = performance.now();
  const answer = await endpoint(request);
  const headers = new Headers(answer.headers);
  headers.set('server-timing', `handler;dur=${(performance.now() - start).toFixed(2)}`);
  return new Response(answer.body, { status: answer.status, headers });
}

const { url } = await listen(createAdaptorServer({ fetch: timed }));
process.send?.(url);
process.on('disconnect', () => process.exit(0));
