import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { recordingLogger } from '../../tests/support/recording-logger.ts';
import type { UncheckedRpc } from '../database/rpc.ts';
import { createPresence } from './presence.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A presence whose writes wait for `answer`. */
function presence(answer: () => Promise<unknown> = () => Promise.resolve(null)) {
  const calls: unknown[] = [];
  const rpc: UncheckedRpc = async <Result>(name: string, args?: Record<string, unknown>) => {
    calls.push(name === 'report_worker' ? args?.['idle'] : name);
    return (await answer()) as Result;
  };
  const state = { idle: false };
  const log = recordingLogger();
  const options = {
    rpc,
    worker: 'w',
    lanes: ['worker'],
    isIdle: () => state.idle,
    log,
    now: () => new Date(),
  };
  return { calls, state, log, presence: createPresence(options) };
}

it('is renewed every ten seconds', async () => {
  const { calls, presence: there } = presence();
  await there.report();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(calls).toEqual([false, false, false, false]);
  expect(there.lastReportedAt()).toEqual(new Date());
  await there.end();
});

it('tells what holds when it is written, however often it is asked for while the database is slow', async () => {
  const slow = Promise.withResolvers<void>();
  const { calls, state, presence: there } = presence(() => slow.promise);
  void there.report();
  await vi.advanceTimersByTimeAsync(600_000);
  state.idle = true;
  const last = there.report();
  expect(calls).toEqual([false]);
  slow.resolve();
  await last;
  expect(calls).toEqual([false, true]);
  await there.end();
  expect(calls).toEqual([false, true, 'remove_worker']);
});

it('outlives a database that is away', async () => {
  const { log, presence: there } = presence(() => Promise.reject(new Error('away')));
  await there.report();
  expect(there.lastReportedAt()).toBeNull();
  expect(log.records.map(({ message }) => message)).toEqual(['could not report that this worker lives']);
  await there.end();
});

it('does not sign off where it never was', async () => {
  const { calls, presence: there } = presence();
  await there.end();
  expect(calls).toEqual([]);
});
