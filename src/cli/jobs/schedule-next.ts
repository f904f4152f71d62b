import { textTable } from '../../local/text-table.ts';
import { readCommandLine } from '../command/command-line.ts';
import { type JobsHost, jobsOptions, jobsOptionsHelp, withRpc } from './jobs-host.ts';
import { nextTicks, onClockOf, readName, readSchedule } from './schedules.ts';

const help = `The next five times of a schedule, on the clock of its timezone and in UTC.

  npm run jobs -- schedule next nightly
  npm run jobs -- schedule next 'sync/workspace.priorities 0 * * * *' --json

${jobsOptionsHelp}`;

const count = 5;

/** `npm run jobs -- schedule next`: @returns the exit code */
export async function nextTicksOf(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, jobsOptions, help);
  const name = readName(positionals, help);
  const schedule = await withRpc(host, values['data-dir'], (rpc) => readSchedule(rpc, name));
  const { timezone, enabled } = schedule;
  const ticks = nextTicks(schedule, host.now(), count);
  if (values.json) {
    host.print(JSON.stringify({ name, timezone, enabled, next: ticks }, null, 2));
    return 0;
  }
  const zones = [...new Set([timezone, 'UTC'])];
  host.print(
    textTable(
      zones,
      ticks.map((tick) => zones.map((zone) => onClockOf(zone, tick))),
    ),
  );
  if (!enabled)
    host.print(`It is paused: none of them comes until npm run jobs -- schedule resume '${name}'`);
  return 0;
}
