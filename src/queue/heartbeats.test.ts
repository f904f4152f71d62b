import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { createHeartbeats } from './heartbeats.ts';
import type { Lease, LeaseState } from './job-queue.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const seconds = (count: number): number => count * 1_000;

/** Heartbeats over leases of 30 seconds whose calls `answer` answers. */
function beating(answer: (lease: Lease) => Promise<LeaseState> = () => Promise.resolve('continue')) {
  const calls: string[][] = [];
  const heartbeats = createHeartbeats({
    leaseSeconds: 30,
    log: silentLogger,
    now: () => new Date(),
    queue: {
      heartbeat: async (leases) => {
        calls.push(leases.map(({ jobId }) => jobId));
        return new Map(await Promise.all(leases.map(async (one) => [one.jobId, await answer(one)] as const)));
      },
    },
  });
  const trouble: string[] = [];
  const hold = (jobId: string, secondsAgo: number) =>
    heartbeats.hold({ jobId, leaseToken: 'token' }, new Date(Date.now() - seconds(secondsAgo)), (state) =>
      trouble.push(`${jobId} ${state}`),
    );
  return { hold, calls, trouble };
}

it('renews a lease in time whose claim took most of it, alone or beside others', async () => {
  const { hold, trouble } = beating();
  const slow = hold('slow', 25);
  await vi.advanceTimersByTimeAsync(seconds(40));
  expect(trouble).toEqual([]);
  expect(slow.mayHold()).toBe(true);
  hold('slower', 27);
  await vi.advanceTimersByTimeAsync(seconds(40));
  expect(trouble).toEqual([]);
});

it('renews all leases with one call and rests when none is held', async () => {
  const { hold, calls } = beating();
  const held = [hold('one', 0), hold('two', 0)];
  await vi.advanceTimersByTimeAsync(seconds(10));
  expect(calls).toEqual([['one', 'two']]);
  for (const lease of held) lease.release();
  await vi.advanceTimersByTimeAsync(seconds(100));
  expect(calls).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});
