import { z } from 'zod';
import { defineJob, type JobDefinition } from '../../src/jobs/define-job.ts';
import type { JobContext } from '../../src/jobs/job-context.ts';
import type { WorkKind } from './workload.ts';

const payload = z.object({ steps: z.number(), stepMs: z.number() });

async function run(ctx: JobContext<z.infer<typeof payload>>): Promise<number> {
  const { payload: work } = ctx;
  for (let part = 1; part <= work.steps; part += 1)
    await ctx.step(`part ${part}`, () => new Promise<void>((resolve) => setTimeout(resolve, work.stepMs)));
  return work.steps;
}

/** Longer than any of them takes: what ends an attempt here is the host. */
const timeoutSeconds = 3_600;

const quick = defineJob({ type: 'bench/quick', lane: 'inline', payload, timeoutSeconds, run });
const long = defineJob({ type: 'bench/long', lane: 'edge', payload, timeoutSeconds, run });

/** The workload's job kinds. They wait, as a job does that asks GitHub. */
export const benchCatalog = [quick, long] as JobDefinition[];

export const typeOf: Record<WorkKind, string> = { quick: quick.type, long: long.type };
