import { expect, test } from 'vitest';
import { createRateLimit } from './rate-limit.ts';

test('a bucket counts down, refuses what it cannot give, and fills up when its window ends', () => {
  let now = Date.parse('2026-11-20T12:00:00Z');
  const limit = createRateLimit('graphql', { limit: 10, remaining: 4, resetSeconds: 60 }, () => now);
  const resetAt = now / 1000 + 60;
  expect(limit.spend(3)).toEqual({ resource: 'graphql', limit: 10, remaining: 1, used: 9, resetAt });
  expect(limit.spend(2)).toBeNull();
  expect(limit.quota()).toMatchObject({ remaining: 1 });
  now += 60_000;
  expect(limit.quota()).toMatchObject({ remaining: 10, used: 0, resetAt: resetAt + 60 });
});
