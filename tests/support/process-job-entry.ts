import { z } from 'zod';
import { defineJob, type JobDefinition } from '../../src/jobs/define-job.ts';
import { createEdgeProcessJob } from '../../src/process-job/edge-process-job.ts';
import { surviveStrayErrors } from '../../src/process-job/stray-errors.ts';

/** `process-job` as in `supabase/functions/process-job`, with jobs that only tests need. Runs in Deno. */
declare const Deno: {
  env: { toObject(): Record<string, string> };
  serve(handler: (request: Request) => Promise<Response>): unknown;
};
declare const EdgeRuntime: { waitUntil(promise: Promise<unknown>): void };

/** Names the isolate that runs a step. */
const isolate = crypto.randomUUID();

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

const echo = defineJob({
  type: 'test/echo',
  payload: z.unknown(),
  run: (ctx) => Promise.resolve(ctx.payload),
});

/** Never ends in its first attempt; the next one finishes. */
const hangsOnce = defineJob({
  type: 'test/hangs-once',
  payload: z.unknown(),
  run: (ctx) => (ctx.retryCount === 0 ? new Promise(() => undefined) : Promise.resolve('finished')),
});

/** One step after the other; its result names the isolate that ran each. */
const pages = defineJob({
  type: 'test/pages',
  payload: z.object({ pages: z.number(), milliseconds: z.number() }),
  async run(ctx) {
    const ranOn: string[] = [];
    for (let page = 1; page <= ctx.payload.pages; page += 1)
      ranOn.push(await ctx.step(`page ${page}`, () => sleep(ctx.payload.milliseconds).then(() => isolate)));
    return ranOn;
  },
});

/** Leaves errors behind that nobody catches, then finishes, so that only its isolate can suffer from them. */
const careless = defineJob({
  type: 'test/careless',
  payload: z.unknown(),
  async run() {
    setTimeout(() => {
      throw new Error('thrown in a timer, with ghp_canary');
    }, 0);
    void Promise.reject(new Error('rejected and forgotten'));
    await sleep(100);
    return isolate;
  },
});

const processJob = createEdgeProcessJob({
  env: Deno.env.toObject(),
  loadCatalog: () => Promise.resolve([echo, hangsOnce, pages, careless] as JobDefinition[]),
  startedAt: new Date(performance.timeOrigin),
  waitUntil: (promise) => EdgeRuntime.waitUntil(promise),
});
addEventListener('beforeunload', () => void processJob.release());
// eslint-disable-next-line no-console
surviveStrayErrors(globalThis, console.error);
Deno.serve((request) => processJob.handle(request));
