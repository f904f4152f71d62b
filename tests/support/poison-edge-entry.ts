import { createEdgeProcessJob } from '../../src/process-job/edge-process-job.ts';
import { surviveStrayErrors } from '../../src/process-job/stray-errors.ts';
import { poisonCatalog } from './poison-jobs.ts';

/** `process-job` as in `supabase/functions/process-job`, with jobs that do harm. Runs in Deno. */
declare const Deno: {
  env: { toObject(): Record<string, string> };
  serve(handler: (request: Request) => Promise<Response>): unknown;
};
declare const EdgeRuntime: { waitUntil(promise: Promise<unknown>): void };

const processJob = createEdgeProcessJob({
  env: Deno.env.toObject(),
  loadCatalog: () => Promise.resolve(poisonCatalog),
  startedAt: new Date(performance.timeOrigin),
  waitUntil: (promise) => EdgeRuntime.waitUntil(promise),
});
addEventListener('beforeunload', () => void processJob.release());
surviveStrayErrors(globalThis, () => undefined);
Deno.serve((request) => processJob.handle(request));
