import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';

const payload = z.object({ name: z.string().min(1) });

/** Greets whom its payload names. */
export const greetingSendJob = defineJob({
  type: 'example/greeting.send',
  title: 'Greeting send',
  lane: 'edge',
  payload,
  timeoutSeconds: 60,
  run: (ctx) => greet(ctx),
});

/** What a step returns is kept: a run that was cut off goes on behind its last step. */
async function greet(ctx: JobContext<z.output<typeof payload>>): Promise<{ greeting: string }> {
  const greeting = await ctx.step('greet', () => Promise.resolve(`Hello, ${ctx.payload.name}!`));
  return { greeting };
}
