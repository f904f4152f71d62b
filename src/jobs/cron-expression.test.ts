import { expect, it } from 'vitest';
import { z } from 'zod';
import { isCronExpression } from './cron-expression.ts';
import { defineJob } from './define-job.ts';

it.each([
  '* * * * *',
  '17 */6 * * *',
  '0 6,18 * * *',
  '0 3 * * 0',
  '*/15 9-17 1-7 jan-jun MON-FRI',
  '0 0 29 2 *',
])('%s is a cron expression', (text) => {
  expect(isCronExpression(text)).toBe(true);
});

it.each([
  ['too few fields', '* * * *'],
  ['seconds', '0 17 */6 * * *'],
  ['a nickname', '@daily'],
  ['a minute that no hour has', '60 * * * *'],
  ['a day that no month has', '0 0 31 2 *'],
  ['a name that is none', '0 0 * * foo'],
  ['what only some schedulers know', '0 0 L * *'],
  ['two spaces', '0  0 * * *'],
  ['nothing', ''],
])('%s is not one', (_why, text) => {
  expect(isCronExpression(text)).toBe(false);
});

it('a job with another cron time cannot be defined', () => {
  const define = () => defineJob({ type: 'test/odd', payload: z.unknown(), cron: ['@hourly'], run });
  const run = () => Promise.resolve(null);
  expect(define).toThrow('job test/odd: expected cron to be expressions of five fields');
});
