import { z } from 'zod';
import { defineJob, type JobDefinition } from '../../src/jobs/define-job.ts';
import type { JobContext } from '../../src/jobs/job-context.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Reading anything of it throws. */
const untouchable = new Proxy(new Error('never read'), {
  get() {
    throw new Error('a getter that throws');
  },
  getPrototypeOf() {
    throw new Error('a prototype that throws');
  },
});

function thrower(value: unknown): () => Promise<never> {
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
  return () => Promise.reject(value);
}

class ThrowingGetter extends Error {
  override get message(): string {
    throw new Error('a message that throws');
  }
}

type Run = (ctx: JobContext<unknown>) => Promise<unknown>;

/** What a job may do to the process that runs it, and how its row is to end. */
const poisons: Record<string, { run: Run; ends: 'failed' | 'completed'; error?: RegExp }> = {
  'kills its process': {
    run: () => globalThis.process.exit(1),
    ends: 'failed',
    error: /the lease of .* expired: the process died/,
  },
  'hangs and ignores its signal': {
    run: () => new Promise(() => undefined),
    ends: 'failed',
    error: /timed out after 1 s/,
  },
  'returns 50 MB': {
    run: () => Promise.resolve('x'.repeat(50_000_000)),
    ends: 'failed',
    error: /result: expected at most 1048576 bytes of JSON/,
  },
  'saves a step of 50 MB': {
    run: (ctx) => ctx.step('large', () => Promise.resolve('x'.repeat(50_000_000))),
    ends: 'failed',
    error: /output of step "large": expected at most 4000000 bytes/,
  },
  'returns what has no JSON': {
    run: () => Promise.resolve({ n: 1n }),
    ends: 'failed',
    error: /expected a value that has a JSON form/,
  },
  'throws undefined': { run: thrower(undefined), ends: 'failed', error: /thrown value: undefined/ },
  'throws a string': { run: thrower('words'), ends: 'failed', error: /thrown value: words/ },
  'throws a frozen object': {
    run: thrower(Object.freeze({ code: 7 })),
    ends: 'failed',
    error: /without a message/,
  },
  'throws an error whose message throws': {
    run: thrower(new ThrowingGetter()),
    ends: 'failed',
    error: /Error/,
  },
  'throws what cannot be touched': {
    run: thrower(untouchable),
    ends: 'failed',
    error: /a prototype that throws/,
  },
  'throws 10 MB of words': {
    run: thrower(new Error('y'.repeat(10_000_000))),
    ends: 'failed',
    error: /^y+…$/,
  },
  'logs a megabyte': {
    run(ctx) {
      ctx.log.info({ long: 'z'.repeat(1_000_000) }, 'z'.repeat(1_000_000));
      return Promise.resolve('logged');
    },
    ends: 'completed',
  },
  'leaves promises and timers that fail later': {
    async run() {
      setTimeout(() => {
        throw new Error('thrown in a timer');
      }, 50);
      void pause(50).then(() => Promise.reject(new Error('rejected and forgotten')));
      await pause(10);
      return 'left';
    },
    ends: 'completed',
  },
  'reports progress that is none': {
    async run(ctx) {
      await ctx.progress(Number.NaN, 'p'.repeat(1_000_000));
      await ctx.progress(-1e300);
      return 'reported';
    },
    ends: 'completed',
  },
};

/** A job that only wants to be left alone. */
const neighbour = defineJob({
  type: 'poison/neighbour',
  payload: z.unknown(),
  maxRetries: 20,
  async run(ctx) {
    for (let n = 0; n < 3; n += 1) await ctx.step(`step ${n}`, () => pause(50).then(() => n));
    return 'unharmed';
  },
});

/** How each poison has to end. */
export const poisonEnds = Object.entries(poisons).map(([name, { ends, error }]) => ({
  type: `poison/${name}`,
  ends,
  error,
}));

export const poisonCatalog = [
  neighbour,
  ...Object.entries(poisons).map(([name, { run }]) =>
    defineJob({ type: `poison/${name}`, payload: z.unknown(), timeoutSeconds: 1, maxRetries: 1, run }),
  ),
] as JobDefinition[];
