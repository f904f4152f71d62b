import { z } from 'zod';
import { defineJob, type JobDefinition } from '../../src/jobs/define-job.ts';
import type { JobContext } from '../../src/jobs/job-context.ts';
import { beginRun } from './effects.ts';

const work = z.object({ steps: z.number().default(1), stepMs: z.number().default(0) });
type Work = z.infer<typeof work>;

/** More than any run of the matrix can spend: what is asked is whether a job ends, not how often it may be killed. */
const maxRetries = 1000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Each step has its effect, takes its time, and is saved. */
async function steps(ctx: JobContext<Work>): Promise<number> {
  const run = await beginRun(ctx);
  for (let n = 1; n <= ctx.payload.steps; n += 1)
    await ctx.step(`step ${n}`, async () => {
      await run.effect(`step ${n}`);
      await pause(ctx.payload.stepMs);
    });
  return ctx.payload.steps;
}

async function fails(ctx: JobContext<Work>): Promise<string> {
  const run = await beginRun(ctx);
  await ctx.step('first', () => run.effect('first'));
  if (ctx.retryCount === 0) throw new Error('the first attempt fails');
  await ctx.step('second', () => run.effect('second'));
  return 'recovered';
}

async function bringsChildren(ctx: JobContext<Work>): Promise<null> {
  const run = await beginRun(ctx);
  await ctx.step('parent', () => run.effect('parent'));
  ctx.enqueue({ type: 'chaos/child', payload: {} });
  ctx.enqueue({ type: 'chaos/child', payload: {}, dependsOn: [0] });
  return null;
}

const quick = defineJob({ type: 'chaos/quick', lane: 'inline', payload: work, maxRetries, run: steps });
const edge = defineJob({ type: 'chaos/edge', lane: 'edge', payload: work, maxRetries, run: steps });
const worker = defineJob({ type: 'chaos/worker', lane: 'worker', payload: work, maxRetries, run: steps });
const child = defineJob({ type: 'chaos/child', lane: 'worker', payload: work, maxRetries, run: steps });
const failing = defineJob({ type: 'chaos/failing', lane: 'worker', payload: work, maxRetries, run: fails });
const parent = defineJob({
  type: 'chaos/parent',
  lane: 'edge',
  payload: work,
  maxRetries,
  run: bringsChildren,
});

/** Jobs of the kinds that there are: quick and long ones, on each lane, with children, and with a first failure. */
export const chaosCatalog = [quick, edge, worker, child, failing, parent] as JobDefinition[];
