import { Cron } from 'croner';

const value = '(?:\\d{1,2}|[a-z]{3})';
const part = `(?:\\*|${value}(?:-${value})?)(?:/\\d{1,2})?`;
const field = `${part}(?:,${part})*`;
/** What every scheduler reads in the same way: no seconds, no nicknames, none of L, W, # and ?. */
const fiveFields = new RegExp(`^${field}(?: ${field}){4}$`, 'i');

/**
 * True for five fields (minute, hour, day of the month, month, day of the week) that name a time which comes. Where both
 * days are given, either of them is enough.
 */
export function isCronExpression(text: string): boolean {
  if (!fiveFields.test(text)) return false;
  try {
    return new Cron(text, { mode: '5-part', utcOffset: 0, paused: true }).nextRun() !== null;
  } catch {
    // The library says no by throwing: a value out of its range, or a name that is none.
    return false;
  }
}
