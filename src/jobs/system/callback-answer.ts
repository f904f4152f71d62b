/** What a receiver's answer means. `gone`: it wants no callback any more. */
export type CallbackVerdict = 'delivered' | 'later' | 'never' | 'gone';

/** Client errors that may pass: time-out, conflict, too early, too many requests. */
const passing = [408, 409, 425, 429];

/** @param status - of the answer; a redirect is not followed, and counts as a failure that may pass */
export function callbackAnswer(status: number): CallbackVerdict {
  if (status >= 200 && status < 300) return 'delivered';
  if (status === 410) return 'gone';
  return status >= 400 && status < 500 && !passing.includes(status) ? 'never' : 'later';
}

/**
 * Seconds before the next attempt, after each retry: some three days in all.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#deliverability-and-reliability
 */
const delays = [5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

const longest = 86_400;

/**
 * @param retryCount - retries spent before the attempt that failed
 * @param retryAfter - the answer's header; honoured up to a day when it is a number of seconds and asks for more time
 * @returns seconds, up to a tenth more than the schedule says, so that many callbacks do not come back at once
 */
export function nextDelay(retryCount: number, retryAfter: string | null): number {
  const scheduled = (delays[retryCount] ?? longest) * (1 + Math.random() / 10);
  const asked = retryAfter !== null && /^\d+$/.test(retryAfter) ? Math.min(Number(retryAfter), longest) : 0;
  return Math.ceil(Math.max(scheduled, asked));
}

/** A delivery that another attempt may bring about. */
export class DeliveryFailed extends Error {
  override readonly name = 'DeliveryFailed';
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
