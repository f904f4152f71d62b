import { readCommandLine } from '../command/command-line.ts';
import type { Command } from './command.ts';
import { type JobsHost, jobsOptions, jobsOptionsHelp, printJson, withRpc } from './jobs-host.ts';
import { readJobId, readOnly } from './operands.ts';

const help = `Why a job is running, or why not: backoff, a quota, a busy key, a pause, a job that it waits for …

  npm run jobs -- explain 01940000-0000-7000-8000-000000000000
  npm run jobs -- explain 01940000-0000-7000-8000-000000000000 --json

${jobsOptionsHelp}`;

export const explain: Command = { summary: 'why a job is running, or why not', options: jobsOptions, run };

async function run(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, jobsOptions, help);
  const id = readJobId(readOnly(positionals, 'the id of one job', help));
  const explanation = await withRpc(host, values['data-dir'], (rpc) =>
    rpc<string>('explain_background_job', { job_id: id }),
  );
  if (explanation === noSuchJob) throw new Error(`There is no job ${id}`);
  if (values.json) printJson(host, { id, explanation });
  else host.print(explanation);
  return 0;
}

/** What `explain_background_job` answers for an id that no job has. */
export const noSuchJob = 'no such job';
