import { catalog } from '../../../src/jobs/catalog.ts';
import { surviveStrayErrors } from '../../../src/process-job/stray-errors.ts';
import { createEndpoint } from '../../../src/router/endpoint.ts';
import { coreSet } from '../../../src/router/function-sets.ts';
import { createEdgeLogger } from '../../../src/runtime/edge-logger.ts';

/** Supabase's edge runtime has it; plain Deno does not, and lives on by itself. */
declare const EdgeRuntime: { waitUntil(promise: Promise<unknown>): void } | undefined;

function waitUntil(promise: Promise<unknown>): void {
  if (typeof EdgeRuntime !== 'undefined') EdgeRuntime.waitUntil(promise);
}

const endpoint = createEndpoint({
  set: coreSet,
  catalog,
  env: Deno.env.toObject(),
  createLogger: createEdgeLogger,
  supabasePath: '/functions/v1/inngest-prod',
  waitUntil,
});

surviveStrayErrors(globalThis, console.error);

/** The core of the capture jobs for Inngest, from Deno. */
Deno.serve((request) => endpoint(request));
