import { z } from 'zod';
import { defineJob } from '../define-job.ts';

/** Smoke test: returns its payload. */
export const ping = defineJob({
  type: 'system/ping',
  title: 'Ping',
  lane: 'inline',
  payload: z.record(z.string(), z.unknown()),
  timeoutSeconds: 10,
  run: (ctx) => Promise.resolve(ctx.payload),
});
