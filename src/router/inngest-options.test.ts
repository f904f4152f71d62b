import type { InngestFunction } from 'inngest';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { defineJob, type JobDefinition, type JobDefinitionInput } from '../jobs/define-job.ts';
import { parseHybridConfig } from '../runtime/config.ts';
import { createInngestClient } from './inngest-client.ts';
import { inngestFeatures } from './inngest-options.ts';

const payload = z.object({ repository: z.string() });
type Payload = z.output<typeof payload>;

const define = (more: Partial<JobDefinitionInput<Payload, null>>): JobDefinition =>
  defineJob({ type: 'test/job', payload, run: () => Promise.resolve(null), ...more });

/** The function's options as the SDK took them. */
function registered(definition: JobDefinition): InngestFunction.Options {
  const { inngest } = parseHybridConfig({
    INNGEST_DEV: '1',
    SUPABASE_URL: 'http://127.0.0.1:9',
    SUPABASE_SECRET_KEY: 'sb_secret_unused',
  });
  const client = createInngestClient({ config: inngest, appId: 'app', log: silentLogger });
  return client.createFunction({ id: 'job', ...inngestFeatures(definition) }, () => null).opts;
}

const limits = {
  concurrency: {
    key: ({ repository }: Payload) => repository,
    limit: 2,
    expression: 'event.data.repository',
  },
  throttle: { limit: 10, periodSeconds: 60 },
};

describe('what Inngest observes of a definition', () => {
  it('are the limits of an inline job', () => {
    expect(registered(define({ lane: 'inline', ...limits }))).toMatchObject({
      concurrency: { limit: 2, key: 'event.data.repository' },
      throttle: { limit: 10, period: '60s' },
    });
  });

  it('are not the limits of a queued job, which SQL keeps', () => {
    const { concurrency, throttle } = registered(define({ lane: 'edge', ...limits }));
    expect([concurrency, throttle]).toEqual([undefined, undefined]);
  });

  it.each([
    [3, '180'],
    [-2, '-120'],
    [500, '600'],
    [-500, '-600'],
  ])('is its priority of %i minutes, within ten minutes', (priority, run) => {
    expect(registered(define({ priority }))).toMatchObject({ priority: { run } });
  });

  it.each([
    [0, 10],
    [15, 15],
    [100, 20],
  ])('are at least ten and at most twenty deliveries for %i retries', (maxRetries, attempts) => {
    expect(registered(define({ maxRetries }))).toMatchObject({ retries: attempts });
  });

  it('is that a person may cancel the run of an event', () => {
    expect(registered(define({}))).toMatchObject({
      cancelOn: [
        {
          event: 'cancel/function',
          if: expect.stringMatching(/async\.data\.reason == "user_requested" && .*event\.id/) as string,
        },
      ],
    });
  });
});
