import { readCommandLine } from '../command/command-line.ts';
import type { Command } from './command.ts';
import { type JobsHost, jobsOptions, jobsOptionsHelp, printJson, withRpc } from './jobs-host.ts';
import { canonicalType, readOnly } from './operands.ts';

const pauseHelp = `No job of the type starts until resume. Running ones go on; new ones are taken and wait.

  npm run jobs -- pause capture/repository.sync

${jobsOptionsHelp}`;

const resumeHelp = `Jobs of the type start again.

  npm run jobs -- resume capture/repository.sync

${jobsOptionsHelp}`;

export const pause: Command = {
  summary: 'no job of a type starts any more',
  options: jobsOptions,
  operands: 'types',
  run: (host) => switchTo(host, { call: 'pause_job_type', paused: true, help: pauseHelp }),
};

export const resume: Command = {
  summary: 'jobs of a type start again',
  options: jobsOptions,
  operands: 'types',
  run: (host) => switchTo(host, { call: 'resume_job_type', paused: false, help: resumeHelp }),
};

async function switchTo(
  host: JobsHost,
  to: { call: 'pause_job_type' | 'resume_job_type'; paused: boolean; help: string },
): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, jobsOptions, to.help);
  const type = canonicalType(readOnly(positionals, 'the type of the jobs', to.help));
  await withRpc(host, values['data-dir'], (rpc) => rpc<null>(to.call, { type }));
  if (values.json) printJson(host, { type, paused: to.paused });
  else host.print(to.paused ? `Jobs of type ${type} are paused.` : `Jobs of type ${type} start again.`);
  return 0;
}
