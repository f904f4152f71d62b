import { HelpRequest, UsageError } from '../command/command-line.ts';
import type { JobsHost } from './jobs-host.ts';
import { schedule } from './schedule-command.ts';

const help = `Looks after the jobs of the running stack, else of those in the database of DATABASE_URL.

  npm run jobs -- schedule list
  npm run jobs -- schedule --help

Commands:
  schedule   jobs that come again and again

Each says more with --help. Exit codes: 0 done, 1 failed or not found, 2 wrong use.`;

const commands: Record<string, (host: JobsHost) => Promise<number>> = { schedule };

/** `npm run jobs`: @returns the exit code */
export async function jobs(host: JobsHost): Promise<number> {
  const [name = '', ...args] = host.args;
  if (name === '--help' || name === '-h') throw new HelpRequest(help);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command)
    throw new UsageError(
      `${name === '' ? 'Expected a command' : `Unknown command "${name}": expected one`} of ${Object.keys(commands).join(', ')}\n\n${help}`,
    );
  return await command({ ...host, args });
}
