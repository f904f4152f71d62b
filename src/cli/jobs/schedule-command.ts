import { HelpRequest, UsageError } from '../command/command-line.ts';
import type { Command } from './command.ts';
import { type JobsHost, jobsOptions } from './jobs-host.ts';
import { listSchedules } from './schedule-list.ts';
import { nextTicksOf } from './schedule-next.ts';
import { removeSchedule } from './schedule-remove.ts';
import { setSchedule } from './schedule-set.ts';
import { pauseSchedule, resumeSchedule } from './schedule-switch.ts';

const help = `Jobs that come again and again. The worker (npm run worker) starts them at their times.

  npm run jobs -- schedule list
  npm run jobs -- schedule set nightly --type system/ping --cron '30 2 * * *' --timezone Europe/Berlin
  npm run jobs -- schedule next nightly
  npm run jobs -- schedule pause nightly

Commands:
  list            all schedules, with their next times
  set <name>      makes one, or changes what is given of it
  next <name>     its next five times
  pause <name>    it starts nothing any more
  resume <name>   it goes on from now
  remove <name>   it is deleted; its jobs stay

Each says more with --help.`;

const commands: Record<string, (host: JobsHost) => Promise<number>> = {
  list: listSchedules,
  set: setSchedule,
  next: nextTicksOf,
  pause: pauseSchedule,
  resume: resumeSchedule,
  remove: removeSchedule,
};

export const schedule: Command = {
  summary: 'jobs that come again and again',
  options: jobsOptions,
  operands: Object.keys(commands),
  run,
};

async function run(host: JobsHost): Promise<number> {
  const [name = '', ...args] = host.args;
  if (name === '--help' || name === '-h') throw new HelpRequest(help);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command)
    throw new UsageError(
      `${name === '' ? 'Expected' : `Unknown command "schedule ${name}": expected`} one of schedule ${Object.keys(commands).join(', ')}\n\n${help}`,
    );
  return await command({ ...host, args });
}
