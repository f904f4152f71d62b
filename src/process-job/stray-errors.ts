import { redactTokens } from '../runtime/redact.ts';

/**
 * Keeps the isolate alive when a job leaves an error behind that nobody catches: in a promise that it forgot, or in a
 * callback. It would end the isolate, and with it all other jobs.
 * @param scope - the isolate's global scope
 * @param report - takes what to say about it
 */
export function surviveStrayErrors(
  scope: Pick<EventTarget, 'addEventListener'>,
  report: (message: string, error: string) => void,
): void {
  const survive = (type: string, message: string, property: 'reason' | 'error'): void =>
    scope.addEventListener(type, (event) => {
      event.preventDefault();
      const stray = (event as Event & Partial<Record<typeof property, unknown>>)[property];
      report(message, redactTokens(String(stray)));
    });
  survive('unhandledrejection', 'unhandled rejection in a job:', 'reason');
  survive('error', 'uncaught error in a job:', 'error');
}
