import type { EventEmitter } from 'node:events';
import { redactTokens } from '../../runtime/redact.ts';

/**
 * Keeps the process alive when a job leaves an error behind that nobody catches: in a promise that it forgot, or in a
 * callback. It would end the process, and with it all jobs beside it.
 * @param report - takes what to say about it
 */
export function surviveStrayErrors(
  process: Pick<EventEmitter, 'on'>,
  report: (message: string, error: string) => void,
): void {
  for (const event of ['unhandledRejection', 'uncaughtException'])
    process.on(event, (error: unknown) => report(`${event} in a job:`, redactTokens(String(error))));
}
