/** `inngest-hybrid` as Netlify runs it, with the matrix's job kinds: the endpoint of production in a process. */
import { createAdaptorServer } from '@hono/node-server';
import { listen } from '../../src/local/listen.ts';
import { createEndpoint } from '../../src/router/endpoint.ts';
import { hybridSet } from '../../src/router/function-sets.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';
import { chaosCatalog } from '../jobs/catalog.ts';
import { mortalFetch } from '../points/fetch-points.ts';
import { createMortal } from '../points/mortal.ts';

const { CHAOS_CONTROLLER: controller = '', PORT, ...env } = process.env;
const { fetch } = globalThis;
globalThis.fetch = mortalFetch(createMortal({ controller, role: 'netlify', pid: process.pid, fetch }), fetch);
const endpoint = createEndpoint({
  set: hybridSet,
  catalog: chaosCatalog,
  env,
  createLogger: createNodeLogger,
});
const { url } = await listen(createAdaptorServer({ fetch: (request) => endpoint(request) }), Number(PORT));
if (!url.endsWith(`:${PORT}`)) throw new Error(`expected port ${PORT}, got ${url}`);
process.send?.([]);
process.on('disconnect', () => process.exit());
