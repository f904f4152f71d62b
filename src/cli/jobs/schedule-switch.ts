import { readCommandLine } from '../command/command-line.ts';
import { type JobsHost, jobsOptions, jobsOptionsHelp, withRpc } from './jobs-host.ts';
import { noSchedule, readName } from './schedules.ts';

const pauseHelp = `The schedule starts nothing any more, also when its job definition is deployed again.

  npm run jobs -- schedule pause nightly

${jobsOptionsHelp}`;

const resumeHelp = `The schedule goes on from now. What it would have started meanwhile is not made up for.

  npm run jobs -- schedule resume nightly

${jobsOptionsHelp}`;

/** `npm run jobs -- schedule pause`: @returns the exit code */
export async function pauseSchedule(host: JobsHost): Promise<number> {
  return await switchTo(host, { call: 'pause_job_schedule', enabled: false, help: pauseHelp });
}

/** `npm run jobs -- schedule resume`: @returns the exit code */
export async function resumeSchedule(host: JobsHost): Promise<number> {
  return await switchTo(host, { call: 'resume_job_schedule', enabled: true, help: resumeHelp });
}

async function switchTo(
  host: JobsHost,
  to: { call: 'pause_job_schedule' | 'resume_job_schedule'; enabled: boolean; help: string },
): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, jobsOptions, to.help);
  const name = readName(positionals, to.help);
  const found = await withRpc(host, values['data-dir'], (rpc) => rpc<boolean>(to.call, { name }));
  if (!found) noSchedule(name);
  host.print(
    values.json
      ? JSON.stringify({ name, enabled: to.enabled })
      : `Schedule ${name} ${to.enabled ? 'goes on' : 'is paused'}.`,
  );
  return 0;
}
