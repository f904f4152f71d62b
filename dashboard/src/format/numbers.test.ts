import { expect, test } from 'vitest';
import { formatDuration } from './numbers.ts';
import { formatAge } from './times.ts';

test.each([
  [null, '–'],
  [0, '0 ms'],
  [999, '999 ms'],
  [4_230, '4.2 s'],
  [42_000, '42 s'],
  [59_990, '1 min'],
  [185_000, '3 min 5 s'],
  [3_600_000, '1 h'],
  [93_784_000, '1 d 2 h'],
])('%j ms reads %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});

test.each([
  [400, 'now'],
  [1_500, '1 s ago'],
  [242_000, '4 min 2 s ago'],
  [-30_000, 'in 30 s'],
])('%j ms ago reads %s', (milliseconds, text) => {
  const now = Date.parse('2026-11-22T09:00:00Z');
  expect(formatAge(new Date(now - milliseconds).toISOString(), now)).toBe(text);
});
