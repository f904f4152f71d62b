import { catalog } from '../../../src/jobs/catalog.ts';
import { createEdgeProcessJob } from '../../../src/process-job/edge-process-job.ts';
import { redactTokens } from '../../../src/runtime/redact.ts';

/** Supabase's edge runtime has it; plain Deno does not, and lives on by itself. */
declare const EdgeRuntime: { waitUntil(promise: Promise<unknown>): void } | undefined;

function waitUntil(promise: Promise<unknown>): void {
  if (typeof EdgeRuntime !== 'undefined') EdgeRuntime.waitUntil(promise);
}

const processJob = createEdgeProcessJob({
  env: Deno.env.toObject(),
  catalog,
  startedAt: new Date(performance.timeOrigin),
  waitUntil,
});

addEventListener('beforeunload', () => void processJob.release());
// A promise that a job forgot must not end the isolate and with it all other jobs.
addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  console.error('unhandled rejection in a job:', redactTokens(String(event.reason)));
});

Deno.serve((request) => processJob.handle(request));
