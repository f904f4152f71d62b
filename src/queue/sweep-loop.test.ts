import { expect, onTestFinished, test, vi } from 'vitest';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import type { SweepResult } from './job-queue.ts';
import { startSweepLoop } from './sweep-loop.ts';

const idle: SweepResult = { lane: 'edge', claimable: 0, rescued: 0, expired: 0 };

/** Sweeps that answer one after the other, the last one for ever. */
function loopOver(...answers: (() => Promise<SweepResult[]>)[]) {
  const onClaimable = vi.fn();
  const sweep = vi.fn(() => (answers.length > 1 ? answers.shift() : answers[0])!());
  return {
    onClaimable,
    sweep,
    loop: startSweepLoop({ queue: { sweep }, onClaimable, log: silentLogger, intervalSeconds: 0.01 }),
  };
}

test('says on which lanes something is claimable, at once after the start', async () => {
  const { onClaimable, loop } = loopOver(() =>
    Promise.resolve([
      { ...idle, claimable: 1 },
      { ...idle, lane: 'worker' },
    ]),
  );
  await vi.waitFor(() => expect(onClaimable).toHaveBeenCalledWith(['edge']));
  await loop.stop();
});

test('calls nobody for an empty queue', async () => {
  const { onClaimable, sweep, loop } = loopOver(() => Promise.resolve([idle]));
  await vi.waitFor(() => expect(sweep.mock.calls.length).toBeGreaterThan(2));
  await loop.stop();
  expect(onClaimable).not.toHaveBeenCalled();
});

test('leaves a turn out while the last one is slow, so that the stop waits for one only', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const slow = Promise.withResolvers<SweepResult[]>();
  const { sweep, loop } = loopOver(() => slow.promise);
  await vi.advanceTimersByTimeAsync(100);
  const stopped = loop.stop();
  slow.resolve([idle]);
  await stopped;
  expect(sweep).toHaveBeenCalledTimes(1);
});

test('goes on after a database that was away', async () => {
  const away = () => Promise.reject(new Error('connection refused'));
  const { onClaimable, loop } = loopOver(away, () => Promise.resolve([{ ...idle, claimable: 1 }]));
  await vi.waitFor(() => expect(onClaimable).toHaveBeenCalled());
  await loop.stop();
});
