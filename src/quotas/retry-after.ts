/**
 * Seconds to wait for, from a `retry-after` header: a number of seconds or an HTTP date (RFC 9110, 10.2.3). Null when it
 * is neither, or missing.
 *
 * @param now - the moment from which a date counts
 */
export function retryAfterSeconds(value: string | number | null | undefined, now: Date): number | null {
  if (value == null) return null;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return seconds;
  const date = Date.parse(String(value));
  return Number.isNaN(date) ? null : (date - now.getTime()) / 1000;
}
