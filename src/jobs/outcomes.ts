/**
 * How a job says that it did not simply succeed or fail. Everything that a job throws and that is not one of these
 * is retried with backoff, or failed for good when its retries are spent.
 */

/** Run again at `until`; spends no retry. For rate limits and for resources that are not there yet. */
export class SnoozeError extends Error {
  override readonly name = 'SnoozeError';
  readonly until: Date;

  constructor(until: Date, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.until = until;
  }
}

/** Failed for good: another attempt would fail in the same way (bad payload, 404, revoked token). */
export class NonRetryableError extends Error {
  override readonly name = 'NonRetryableError';
}

/** A service does not take our key for it, or there is none. */
export class KeyRefusedError extends NonRetryableError {
  /** There is none. */
  readonly isMissing: boolean;

  constructor(message: string, isMissing: boolean) {
    super(message);
    this.isMissing = isMissing;
  }
}

/** GitHub does not know, or no longer knows, the place in a list from which to go on. */
export class InvalidCursorError extends NonRetryableError {}

/**
 * A GraphQL query that GitHub refused for its size, or could not answer in time: smaller pages may succeed. To the queue
 * an ordinary error, so that it is retried where nobody asks for less.
 */
export class QueryTooLargeError extends Error {
  override readonly name = 'QueryTooLargeError';
}

/** What a model refused to read. Without a remedy another attempt would fail in the same way. */
export class InputRefusedError extends NonRetryableError {
  /** Which of the inputs, from 0; null: the request as a whole, or nobody said. */
  readonly input: number | null;
  /** What is too long, or too many; null: it is not a matter of size. */
  readonly tooLarge: 'input' | 'request' | null;
  /** Tokens of what is too large, as the server counted them; null: it did not say. */
  readonly tokens: number | null;
  /** Most tokens that the server takes; null: it did not say. */
  readonly mostTokens: number | null;

  constructor(
    message: string,
    refused: Pick<InputRefusedError, 'input' | 'tooLarge' | 'tokens' | 'mostTokens'>,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.input = refused.input;
    this.tooLarge = refused.tooLarge;
    this.tokens = refused.tokens;
    this.mostTokens = refused.mostTokens;
  }
}
