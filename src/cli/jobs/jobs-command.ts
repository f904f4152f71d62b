import { HelpRequest, UsageError } from '../command/command-line.ts';
import { cancel } from './cancel.ts';
import type { Commands } from './command.ts';
import { completion } from './completion.ts';
import { doctor } from './doctor.ts';
import { enqueue } from './enqueue.ts';
import { explain } from './explain.ts';
import type { JobsHost } from './jobs-host.ts';
import { lane } from './lane.ts';
import { list } from './list.ts';
import { scaffold } from './new.ts';
import { pause, resume } from './pause.ts';
import { redrive } from './redrive.ts';
import { retry } from './retry.ts';
import { schedule } from './schedule-command.ts';
import { send } from './send.ts';
import { show } from './show.ts';
import { stats } from './stats.ts';
import { tail } from './tail.ts';

const commands: Commands = {
  ...{
    send,
    enqueue,
    list,
    show,
    explain,
    retry,
    cancel,
    redrive,
    pause,
    resume,
    lane,
    schedule,
    stats,
    tail,
    doctor,
  },
  new: scaffold,
  completion: completion(() => commands),
};

const help = `Looks after the jobs of the running stack, else of those in the database of DATABASE_URL.

  npm run jobs -- list --status failed --since 1h
  npm run jobs -- enqueue system/ping '{"hello":"world"}' --wait
  npm run jobs -- doctor
  npx hybrid-jobs stats --json

Commands:
${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
  .join('\n')}

Each says more with --help, and speaks to programs with --json.
Exit codes: 0 done, 1 failed or not found, 2 wrong use.`;

/** `npm run jobs`: @returns the exit code */
export async function jobs(host: JobsHost): Promise<number> {
  const [name = '', ...args] = host.args;
  if (name === '--help' || name === '-h') throw new HelpRequest(help);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command)
    throw new UsageError(
      `${name === '' ? 'Expected a command' : `Unknown command "${name}": expected one`} of ${Object.keys(commands).join(', ')}\n\n${help}`,
    );
  return await command.run({ ...host, args });
}
