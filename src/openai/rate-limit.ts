import { retryAfterSeconds } from '../quotas/retry-after.ts';

/** Limits are per minute; a refusal that names no time is over by then. */
const unspecifiedWaitSeconds = 60;
/** A wait of no time must not make the job spin. */
const shortestWaitSeconds = 1;

const secondsIn: Record<string, number> = { h: 3_600, m: 60, s: 1, ms: 0.001 };

/**
 * When OpenAI will answer again after a refusal for going too fast: what `retry-after-ms` or `retry-after` say; else
 * when the spent limits (all, when none is said to be spent) are whole again; else in 60 seconds.
 * Source: "Rate limits", section "Rate limits in headers", in OpenAI's documentation.
 *
 * @param now - the moment from which the waits count
 */
export function openAiAnswersAgain(headers: Headers, now: Date): Date {
  const seconds = namedWait(headers, now) ?? resetWait(headers) ?? unspecifiedWaitSeconds;
  return new Date(now.getTime() + Math.ceil(Math.max(seconds, shortestWaitSeconds) * 1000));
}

function namedWait(headers: Headers, now: Date): number | null {
  const milliseconds = Number(headers.get('retry-after-ms') ?? NaN);
  return Number.isFinite(milliseconds)
    ? milliseconds / 1000
    : retryAfterSeconds(headers.get('retry-after'), now);
}

function resetWait(headers: Headers): number | null {
  const limits = ['requests', 'tokens'].map((unit) => ({
    isSpent: headers.get(`x-ratelimit-remaining-${unit}`) === '0',
    seconds: durationSeconds(headers.get(`x-ratelimit-reset-${unit}`)),
  }));
  const spent = limits.filter(({ isSpent }) => isSpent);
  const waits = (spent.length > 0 ? spent : limits).flatMap(({ seconds }) => seconds ?? []);
  return waits.length > 0 ? Math.max(...waits) : null;
}

/** A duration as OpenAI writes it, for example `6m0s`, `1.5s` or `20ms`; null when it is none. */
function durationSeconds(text: string | null): number | null {
  if (text === null || !/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) return null;
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g);
  return [...parts].reduce((sum, [, number, unit]) => sum + Number(number) * (secondsIn[unit ?? ''] ?? 0), 0);
}
