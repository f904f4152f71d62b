import { createEdgeProcessJob } from '../../../src/process-job/edge-process-job.ts';
import { surviveStrayErrors } from '../../../src/process-job/stray-errors.ts';

/** Supabase's edge runtime has it; plain Deno does not, and lives on by itself. */
declare const EdgeRuntime: { waitUntil(promise: Promise<unknown>): void } | undefined;

function waitUntil(promise: Promise<unknown>): void {
  if (typeof EdgeRuntime !== 'undefined') EdgeRuntime.waitUntil(promise);
}

const processJob = createEdgeProcessJob({
  env: Deno.env.toObject(),
  // A literal, so that a bundler finds it.
  loadCatalog: async () => (await import('../../../src/jobs/catalog.ts')).catalog,
  startedAt: new Date(performance.timeOrigin),
  waitUntil,
});

addEventListener('beforeunload', () => void processJob.release());
surviveStrayErrors(globalThis, console.error);

Deno.serve((request) => processJob.handle(request));
