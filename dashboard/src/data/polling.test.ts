import { expect, test } from 'vitest';
import { createPolling } from './polling.ts';

interface State {
  data: unknown;
  dataUpdateCount: number;
  errorUpdateCount: number;
  status: 'pending' | 'error' | 'success';
}
const query = () => ({
  state: { data: undefined, dataUpdateCount: 0, errorUpdateCount: 0, status: 'pending' } as State,
});

test('asks after 2 s while answers change and after 5 s when they do not, however often it is consulted', () => {
  const asked = query();
  const interval = createPolling();
  const answer = { n: 1 };
  asked.state = { data: answer, dataUpdateCount: 1, errorUpdateCount: 0, status: 'success' };
  expect([interval(asked), interval(asked)]).toEqual([2_000, 2_000]);
  asked.state = { ...asked.state, dataUpdateCount: 2 };
  expect([interval(asked), interval(asked)]).toEqual([5_000, 5_000]);
  asked.state = { ...asked.state, data: { n: 2 }, dataUpdateCount: 3 };
  expect(interval(asked)).toBe(2_000);
});

test('backs off to a minute while nobody answers, and comes back at the first answer', () => {
  const asked = query();
  const interval = createPolling();
  const waits = [1, 2, 3, 4, 5, 6].map((errorUpdateCount) => {
    asked.state = { ...asked.state, errorUpdateCount, status: 'error' };
    return interval(asked);
  });
  expect(waits).toEqual([4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  asked.state = { data: {}, dataUpdateCount: 1, errorUpdateCount: 6, status: 'success' };
  expect(interval(asked)).toBe(2_000);
  asked.state = { ...asked.state, errorUpdateCount: 7, status: 'error' };
  expect(interval(asked)).toBe(4_000);
});
