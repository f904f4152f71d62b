import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createIdleSign } from './idle-sign.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function sign() {
  const show = vi.fn(() => Promise.resolve());
  const lookAgain = vi.fn();
  return { show, lookAgain, idle: createIdleSign({ now: () => new Date(), show, lookAgain }) };
}

it('goes up a while after a claim that brought nothing, and then one more look is due', async () => {
  const { show, lookAgain, idle } = sign();
  idle.claimed(0, 10);
  expect(idle.isUp()).toBe(false);
  await vi.advanceTimersByTimeAsync(50);
  expect(idle.isUp()).toBe(true);
  expect([show, lookAgain].map((each) => each.mock.calls.length)).toEqual([1, 1]);
});

it('stays down while jobs come in short intervals', async () => {
  const { show, idle } = sign();
  for (let n = 0; n < 20; n += 1) {
    idle.claimed(n % 2, 10);
    await vi.advanceTimersByTimeAsync(19);
    expect(idle.isUp()).toBe(false);
  }
  expect(show).not.toHaveBeenCalled();
});

it('goes down when there is no room left, and the row is told once', async () => {
  const { show, idle } = sign();
  idle.claimed(0, 10);
  await vi.advanceTimersByTimeAsync(50);
  idle.claimed(10, 10);
  idle.claimed(1, 1);
  expect(idle.isUp()).toBe(false);
  expect(show).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(idle.isUp()).toBe(false);
});

it('stays up through a job that leaves room for others', async () => {
  const { show, idle } = sign();
  idle.claimed(0, 10);
  await vi.advanceTimersByTimeAsync(50);
  idle.claimed(3, 10);
  expect(idle.isUp()).toBe(true);
  expect(show).toHaveBeenCalledTimes(1);
});

it('goes up a while after the last job when there is room, without an empty look', async () => {
  const { lookAgain, idle } = sign();
  idle.claimed(10, 10);
  idle.claimed(3, 8);
  expect(idle.isUp()).toBe(false);
  await vi.advanceTimersByTimeAsync(50);
  expect(idle.isUp()).toBe(true);
  expect(lookAgain).toHaveBeenCalledTimes(1);
});

it('stays up through a few jobs that follow each other at once, goes down when there are more, and up again soon', async () => {
  const { show, idle } = sign();
  idle.claimed(0, 10);
  await vi.advanceTimersByTimeAsync(50);
  for (let n = 0; n < 3; n += 1) idle.claimed(1, 10);
  expect(idle.isUp()).toBe(true);
  expect(show).toHaveBeenCalledTimes(1);
  idle.claimed(1, 9);
  expect(idle.isUp()).toBe(false);
  await vi.advanceTimersByTimeAsync(50);
  expect(idle.isUp()).toBe(true);
});

it('stays up through jobs that come now and then', async () => {
  const { show, idle } = sign();
  idle.claimed(0, 10);
  await vi.advanceTimersByTimeAsync(50);
  for (let n = 0; n < 20; n += 1) {
    idle.claimed(1, 10);
    await vi.advanceTimersByTimeAsync(20);
  }
  expect(idle.isUp()).toBe(true);
  expect(show).toHaveBeenCalledTimes(1);
});

it('asks for no look when a job came while it was being shown', async () => {
  const { show, lookAgain, idle } = sign();
  const { promise, resolve } = Promise.withResolvers<void>();
  show.mockReturnValueOnce(promise);
  idle.claimed(0, 10);
  await vi.advanceTimersByTimeAsync(50);
  idle.claimed(10, 10);
  resolve();
  await vi.advanceTimersByTimeAsync(1);
  expect(lookAgain).not.toHaveBeenCalled();
});

it('stays down for good after the end', async () => {
  const { show, idle } = sign();
  idle.claimed(0, 10);
  idle.end();
  idle.claimed(0, 10);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(idle.isUp()).toBe(false);
  expect(show).not.toHaveBeenCalled();
});
