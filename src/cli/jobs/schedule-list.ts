import { textTable } from '../../local/text-table.ts';
import { readCommandLine, UsageError } from '../command/command-line.ts';
import { type JobsHost, jobsOptions, jobsOptionsHelp, withRpc } from './jobs-host.ts';
import { nextTicks, onClockOf, readSchedules, type Schedule } from './schedules.ts';

const help = `All schedules, with the next time of each on the clock of its timezone.

  npm run jobs -- schedule list
  npm run jobs -- schedule list --json

${jobsOptionsHelp}`;

const head = ['name', 'type', 'cron', 'timezone', 'catch-up', 'source', 'next', 'problem'];

/** `npm run jobs -- schedule list`: @returns the exit code */
export async function listSchedules(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, jobsOptions, help);
  if (positionals.length > 0)
    throw new UsageError(`Expected no arguments, got ${positionals.length}\n\n${help}`);
  const schedules = await withRpc(host, values['data-dir'], readSchedules);
  const rows = schedules.map((schedule) => ({ ...schedule, ...nextOf(schedule, host.now()) }));
  if (values.json) host.print(JSON.stringify(rows, null, 2));
  else if (rows.length === 0) host.print('There are no schedules: npm run jobs -- schedule set --help');
  else host.print(textTable(head, rows.map(toCells)));
  return 0;
}

type ListedSchedule = Schedule & { next: string | null };

/** Its next time; or why there is none, which the worker may not have seen yet. */
function nextOf(schedule: Schedule, now: Date): Pick<ListedSchedule, 'next' | 'problem'> {
  const { problem } = schedule;
  if (!schedule.enabled) return { next: null, problem };
  try {
    return { next: nextTicks(schedule, now, 1)[0]?.toISOString() ?? null, problem };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { next: null, problem: problem ?? error.message };
  }
}

function toCells(row: ListedSchedule): (string | null)[] {
  const next = row.next === null ? null : onClockOf(row.timezone, new Date(row.next));
  return [
    row.name,
    row.type,
    row.cron,
    row.timezone,
    row.catch_up,
    row.source,
    row.enabled ? next : 'paused',
    row.problem,
  ];
}
