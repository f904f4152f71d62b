import { InputRefusedError, KeyRefusedError, NonRetryableError, SnoozeError } from '../jobs/outcomes.ts';
import { openAiAnswersAgain } from './rate-limit.ts';

/** What OpenAI answered instead of what it was asked for; the SDK's errors have this shape. */
export interface Refusal {
  status: number;
  headers: Headers;
  message: string;
  code: string | null | undefined;
  type: string | undefined;
  param: string | null | undefined;
}

/** Who asked for what, and when. */
export interface Asking {
  /** For example `embeddings`. */
  api: string;
  /** The variable that holds the key, or other words for it. */
  keyName: string;
  now: Date;
}

/** The account has to be paid for, or is closed: no waiting helps. */
const noCredit = new Set(['insufficient_quota', 'billing_hard_limit_reached', 'billing_not_active']);

/** The outcome of a job whose request OpenAI refused with an HTTP status of 400 or above. */
export function refusalToOutcome(refusal: Refusal, { api, keyName, now }: Asking): Error {
  const { status, headers } = refusal;
  // The SDK puts the status in front.
  const message = refusal.message.replace(/^\d{3} /, '');
  const said = `OpenAI answered ${status} to ${api}: ${message.slice(0, 500)}`;
  const options = { cause: refusal };
  // Its own words hold a part of the key.
  if (status === 401)
    return new KeyRefusedError(
      `OpenAI answered 401 to ${api}: ${keyName} is wrong, expired or revoked`,
      false,
    );
  if (noCredit.has(refusal.code ?? '') || noCredit.has(refusal.type ?? ''))
    return new NonRetryableError(`${said}. The account of ${keyName} has no credit left`, options);
  if (status === 400 || status === 413 || status === 422 || isLargerThanItsLimit(refusal))
    return new InputRefusedError(said, whatIsRefused(refusal), options);
  if (status === 429 || (status === 503 && headers.has('retry-after')))
    return new SnoozeError(openAiAnswersAgain(headers, now), `OpenAI's rate limit: ${message}`, options);
  if (status >= 500 || status === 408 || status === 409) return new Error(said, options);
  return new NonRetryableError(said, options);
}

/** A request of more tokens than the account may spend in a whole minute: it is refused however long it waits. */
function isLargerThanItsLimit({ status, message }: Refusal): boolean {
  return status === 429 && /^(\d{3} )?request too large/i.test(message);
}

/**
 * OpenAI says what was wrong in words and, at times, in `param`. Each pattern is one of its messages:
 * "This model's maximum context length is 8192 tokens, however you requested 9000 tokens (…)",
 * "Requested 310000 tokens, max 300000 tokens per request",
 * "Request too large for … on tokens per min (TPM): Limit 40000, Requested 90000",
 * "Invalid 'input': array too long. Expected an array with maximum length 2048, but got an array with length 3000",
 * "Invalid 'input[3]': …".
 */
function whatIsRefused(
  refusal: Refusal,
): Pick<InputRefusedError, 'input' | 'tooLarge' | 'tokens' | 'mostTokens'> {
  const { status, message, param } = refusal;
  const number = (pattern: RegExp): number | null => {
    const found = pattern.exec(message)?.[1];
    return found === undefined ? null : Number(found.replaceAll(',', ''));
  };
  const index = /\binput\[(\d+)\]/.exec(`${param ?? ''} ${message}`)?.[1];
  const isWhole =
    status === 413 ||
    refusal.code === 'max_tokens_per_request' ||
    /tokens per request|request too large|array too long|per min/i.test(message);
  const isLong = /context length|maximum input length|too long|too many tokens/i.test(message);
  return {
    input: index === undefined ? null : Number(index),
    tooLarge: isWhole ? 'request' : isLong ? 'input' : null,
    tokens: number(/requested ([\d,]+)/i),
    mostTokens: number(/(?:max|limit|context length is|input length is) ([\d,]+)/i),
  };
}
