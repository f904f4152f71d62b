import { expect, test, vi } from 'vitest';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import type { SweepResult } from '../queue/job-queue.ts';
import { startSweepLoop } from './sweep-loop.ts';

const idle: SweepResult = { lane: 'edge', claimable: 0, rescued: 0, expired: 0 };

/** Sweeps that answer one after the other, the last one for ever. */
function loopOver(...answers: (() => Promise<SweepResult[]>)[]) {
  const wake = vi.fn(() => Promise.resolve({ woken: true } as const));
  const sweep = vi.fn(() => (answers.length > 1 ? answers.shift() : answers[0])!());
  return {
    wake,
    sweep,
    loop: startSweepLoop({ queue: { sweep }, wake, log: silentLogger, intervalSeconds: 0.01 }),
  };
}

test('wakes process-job when something is claimable on the edge lane, at once after the start', async () => {
  const { wake, loop } = loopOver(() => Promise.resolve([{ ...idle, claimable: 1 }]));
  await vi.waitFor(() => expect(wake).toHaveBeenCalled());
  await loop.stop();
});

test('wakes nobody for an empty queue or for jobs of the worker lane', async () => {
  const { wake, sweep, loop } = loopOver(() =>
    Promise.resolve([idle, { ...idle, lane: 'worker', claimable: 5 }]),
  );
  await vi.waitFor(() => expect(sweep.mock.calls.length).toBeGreaterThan(2));
  await loop.stop();
  expect(wake).not.toHaveBeenCalled();
});

test('goes on after a database that was away', async () => {
  const away = () => Promise.reject(new Error('connection refused'));
  const { wake, loop } = loopOver(away, () => Promise.resolve([{ ...idle, claimable: 1 }]));
  await vi.waitFor(() => expect(wake).toHaveBeenCalled());
  await loop.stop();
});
