import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import { surviveStrayErrors } from './stray-errors.ts';

it.each(['unhandledRejection', 'uncaughtException'])('%s is told without its tokens', (event) => {
  const process = new EventEmitter();
  const report = vi.fn();
  surviveStrayErrors(process, report);
  process.emit(event, new Error(`refused with ghp_${'a'.repeat(36)}`));
  expect(report).toHaveBeenCalledExactlyOnceWith(
    `${event} in a job:`,
    expect.not.stringContaining('ghp_a') as unknown,
  );
});
