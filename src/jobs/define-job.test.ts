import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineJob, type JobDefinitionInput } from './define-job.ts';

const payload = z.object({ repository: z.string() });
type Input = JobDefinitionInput<z.output<typeof payload>, null>;

const define = (more: Partial<Input>) =>
  defineJob({ type: 'metrics/stars.count', payload, run: () => Promise.resolve(null), ...more });

describe('defineJob', () => {
  it('needs a type, a payload and what to run', () => {
    expect(define({})).toMatchObject({
      aliases: [],
      functionId: 'metrics-stars-count',
      title: 'metrics/stars.count',
      lane: 'edge',
      timeoutSeconds: 120,
      maxRetries: 3,
      priority: 0,
      concurrency: null,
      throttle: null,
      quota: [],
      cron: [],
    });
  });

  const key = ({ repository }: { repository: string }): string => repository;
  it.each<[Partial<Input>, string]>([
    [{ type: ' ' }, 'job  : expected type to be a non-empty event name, got " "'],
    [{ timeoutSeconds: 0 }, 'expected timeoutSeconds to be a whole number of seconds above 0, got 0'],
    [{ maxRetries: 1.5 }, 'expected maxRetries to be a whole number from 0, got 1.5'],
    [{ priority: 0.5 }, 'expected priority to be a whole number, got 0.5'],
    [{ concurrency: { key, limit: 0 } }, 'expected concurrency.limit to be a whole number above 0, got 0'],
    [{ lane: 'inline', concurrency: { key, limit: 1 } }, 'expected concurrency.expression to be given'],
    [
      { throttle: { limit: 1, periodSeconds: 0 } },
      'expected throttle.periodSeconds to be a whole number above 0, got 0',
    ],
    [
      { cron: ['* * *'] },
      'expected cron to be expressions of five fields that name a time which comes, got "* * *"',
    ],
  ])('refuses %o', (more, message) => {
    expect(() => define(more)).toThrow(message);
  });
});
