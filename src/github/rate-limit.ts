import { retryAfterSeconds } from '../quotas/retry-after.ts';

/** Response headers in lower case, as Octokit gives them. */
export type ResponseHeaders = Readonly<Record<string, string | number | undefined>>;

/** GitHub asks for at least a minute when a secondary limit comes without `retry-after`. */
const unspecifiedWaitSeconds = 60;
/** A reset in the past (two clocks that disagree) must not make the job spin. */
const shortestWaitSeconds = 1;

const secondaryLimit = /secondary rate limit|abuse detection/i;

/**
 * Whether an answer tells of an allowance of 0. That is no quota which was spent and comes back: GitHub's GraphQL API
 * says it to a request without a token, or with one that it refuses.
 */
export function grantsNothing(headers: ResponseHeaders): boolean {
  return String(headers['x-ratelimit-limit'] ?? '') === '0';
}

/**
 * When GitHub will answer again, or null when the refusal is not about a rate limit.
 * Source: "Rate limits for the REST API", section "Exceeding the rate limit", in GitHub's documentation.
 *
 * @param refusal - status, headers and message of a refused request
 * @param now - the moment from which `retry-after` counts
 */
export function rateLimitedUntil(
  refusal: { status: number; headers: ResponseHeaders; message: string },
  now: Date,
): Date | null {
  if (refusal.status !== 403 && refusal.status !== 429) return null;
  const exhausted =
    String(refusal.headers['x-ratelimit-remaining'] ?? '') === '0' && !grantsNothing(refusal.headers);
  const named = refusal.headers['retry-after'] !== undefined || secondaryLimit.test(refusal.message);
  if (!exhausted && !named && refusal.status !== 429) return null;
  return resetTime(refusal.headers, now);
}

/**
 * The later of what `retry-after` and an exhausted quota's `x-ratelimit-reset` say; in 60 seconds when neither is given.
 */
export function resetTime(headers: ResponseHeaders, now: Date): Date {
  const waits: number[] = [];
  const retryAfter = retryAfterSeconds(headers['retry-after'], now);
  if (retryAfter !== null) waits.push(retryAfter);
  const reset = Number(headers['x-ratelimit-reset'] ?? NaN);
  if (String(headers['x-ratelimit-remaining'] ?? '') === '0' && Number.isFinite(reset))
    waits.push(reset - now.getTime() / 1000);
  const seconds = waits.length > 0 ? Math.max(...waits, shortestWaitSeconds) : unspecifiedWaitSeconds;
  return new Date(now.getTime() + Math.ceil(seconds * 1000));
}
