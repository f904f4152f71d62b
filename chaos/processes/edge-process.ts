/** `process-job` as in `supabase/functions/process-job`, with the matrix's job kinds. Runs in Deno. */
import { createEdgeProcessJob } from '../../src/process-job/edge-process-job.ts';
import { surviveStrayErrors } from '../../src/process-job/stray-errors.ts';
import { chaosCatalog } from '../jobs/catalog.ts';
import { mortalFetch } from '../points/fetch-points.ts';
import { createMortal } from '../points/mortal.ts';
import { shiftClock } from './shifted-clock.ts';

declare const Deno: {
  pid: number;
  env: { toObject(): Record<string, string> };
  serve(handler: (request: Request) => Promise<Response>): unknown;
};
declare const EdgeRuntime: { waitUntil(promise: Promise<unknown>): void };

const { CHAOS_CONTROLLER: controller = '', CHAOS_SKEW_MS, ...env } = Deno.env.toObject();
const { fetch } = globalThis;
shiftClock(Number(CHAOS_SKEW_MS ?? 0));
globalThis.fetch = mortalFetch(createMortal({ controller, role: 'deno', pid: Deno.pid, fetch }), fetch);

surviveStrayErrors(globalThis, console.error);
const processJob = createEdgeProcessJob({
  env,
  loadCatalog: () => Promise.resolve(chaosCatalog),
  startedAt: new Date(performance.timeOrigin + Number(CHAOS_SKEW_MS ?? 0)),
  waitUntil: (promise) => EdgeRuntime.waitUntil(promise),
});
addEventListener('beforeunload', () => void processJob.release());
Deno.serve((request) => processJob.handle(request));
