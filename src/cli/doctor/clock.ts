import { failed, ok, warning } from '../command/findings.ts';
import { type Check, noDatabase } from './patient.ts';

/** Inngest's signatures hold for five minutes; run times and leases are the database's own. */
const worstMs = 60_000;
const worthTellingMs = 2_000;

export const checkClock: Check = async ({ database, now }) => {
  if (!database) return noDatabase;
  const before = now().getTime();
  const [row] = await database.query<{ now: Date }>('select clock_timestamp() as now');
  const after = now().getTime();
  if (!row) throw new Error('the database answered no time');
  const skewMs = Math.round(row.now.getTime() - (before + after) / 2);
  const found = `the database is ${Math.abs(skewMs)} ms ${skewMs < 0 ? 'behind' : 'ahead of'} this machine`;
  const todo = 'set the clock of this machine by NTP; where it is right, ask the host of the database';
  if (Math.abs(skewMs) > worstMs) return [failed(found, todo)];
  return [Math.abs(skewMs) > worthTellingMs ? warning(found, todo) : ok(found)];
};
