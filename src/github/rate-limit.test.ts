import { expect, it } from 'vitest';
import { rateLimitedUntil } from './rate-limit.ts';

const now = new Date('2030-01-01T00:00:00Z');
const inSeconds = (seconds: number): string => String(now.getTime() / 1000 + seconds);

it.each([
  ['a spent quota', 403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inSeconds(30) }, '', 30],
  [
    'a spent quota whose reset is past',
    403,
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inSeconds(-30) },
    '',
    1,
  ],
  ['a spent quota without a reset', 403, { 'x-ratelimit-remaining': '0' }, '', 60],
  ['retry-after', 403, { 'retry-after': '7', 'x-ratelimit-remaining': '12' }, '', 7],
  ['retry-after as a date', 429, { 'retry-after': 'Tue, 01 Jan 2030 00:00:20 GMT' }, '', 20],
  [
    'both, of which the later counts',
    403,
    { 'retry-after': '7', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inSeconds(30) },
    '',
    30,
  ],
  [
    'a secondary limit that names no time',
    403,
    { 'x-ratelimit-remaining': '12' },
    'You have exceeded a secondary rate limit.',
    60,
  ],
  ['429 without a word', 429, {}, '', 60],
])('%s means waiting', (_case, status, headers, message, seconds) => {
  expect(rateLimitedUntil({ status, headers, message }, now)).toEqual(
    new Date(now.getTime() + seconds * 1000),
  );
});

it.each([
  ['a missing permission', 403, { 'x-ratelimit-remaining': '12' }],
  [
    'a request that is granted nothing',
    403,
    { 'x-ratelimit-limit': '0', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inSeconds(30) },
  ],
  ['a missing resource, even with the last request of a quota', 404, { 'x-ratelimit-remaining': '0' }],
])('%s does not', (_case, status, headers) => {
  expect(rateLimitedUntil({ status, headers, message: 'Resource not accessible' }, now)).toBeNull();
});
