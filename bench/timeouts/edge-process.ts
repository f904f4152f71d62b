/** `process-job` as in `supabase/functions/process-job`, with the benchmark's job kinds. Runs in Deno. */
import { createEdgeProcessJob } from '../../src/process-job/edge-process-job.ts';
import { benchCatalog } from './catalog.ts';

declare const Deno: {
  env: { toObject(): Record<string, string> };
  serve(handler: (request: Request) => Promise<Response>): unknown;
};
declare const EdgeRuntime: { waitUntil(promise: Promise<unknown>): void };

const processJob = createEdgeProcessJob({
  env: Deno.env.toObject(),
  loadCatalog: () => Promise.resolve(benchCatalog),
  startedAt: new Date(performance.timeOrigin),
  waitUntil: (promise) => EdgeRuntime.waitUntil(promise),
});
addEventListener('beforeunload', () => void processJob.release());
Deno.serve((request) => processJob.handle(request));
