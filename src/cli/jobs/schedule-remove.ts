import { readCommandLine } from '../command/command-line.ts';
import { type JobsHost, jobsOptions, jobsOptionsHelp, withRpc } from './jobs-host.ts';
import { noSchedule, readName } from './schedules.ts';

const help = `Deletes a schedule; the jobs that it started stay. One that a job definition brings can only be paused.

  npm run jobs -- schedule remove nightly

${jobsOptionsHelp}`;

/** `npm run jobs -- schedule remove`: @returns the exit code */
export async function removeSchedule(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, jobsOptions, help);
  const name = readName(positionals, help);
  const found = await withRpc(host, values['data-dir'], (rpc) =>
    rpc<boolean>('remove_job_schedule', { name }),
  );
  if (!found) noSchedule(name);
  host.print(values.json ? JSON.stringify({ name, removed: true }) : `Schedule ${name} is removed.`);
  return 0;
}
