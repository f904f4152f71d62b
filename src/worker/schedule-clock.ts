import { Cron } from 'croner';
import { isCronExpression } from '../jobs/cron-expression.ts';

/**
 * The cron library's clock for an expression in a timezone; it starts nothing.
 * @param timezone - an IANA name
 * @throws {TypeError} the expression or the timezone is none, naming it
 */
export function scheduleClock(cron: string, timezone: string): Cron {
  if (!isCronExpression(cron))
    throw new TypeError(`cron: expected five fields that name a time which comes, got "${cron}"`);
  return new Cron(cron, { mode: '5-part', timezone: knownTimezone(timezone), paused: true });
}

function knownTimezone(timezone: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: timezone }).resolvedOptions().timeZone;
  } catch (cause) {
    throw new TypeError(`timezone: expected a name such as Europe/Berlin, got "${timezone}"`, { cause });
  }
}
