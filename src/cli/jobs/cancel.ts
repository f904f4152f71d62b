import { readCommandLine } from '../command/command-line.ts';
import { explainRefusals, printOutcomes } from './batch.ts';
import type { Command } from './command.ts';
import { type JobsHost, jobsOptions, jobsOptionsHelp, withRpc } from './jobs-host.ts';
import { readJobIds } from './operands.ts';

const help = `Cancels jobs: a queued one at once, a running one at its next heartbeat, within 10 s.

  npm run jobs -- cancel 01940000-0000-7000-8000-000000000000 --reason 'wrong repository'
  npm run jobs -- cancel <id> <id>

  --reason text       kept with the job
${jobsOptionsHelp}

Exit code 1 when one of them had ended before.`;

const options = { ...jobsOptions, reason: { type: 'string' } } as const;

export const cancel: Command = { summary: 'cancels queued and running jobs', options, run };

async function run(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, options, help);
  const ids = readJobIds(positionals, help);
  const { reason } = values;
  const outcomes = await withRpc(host, values['data-dir'], (rpc) =>
    explainRefusals(
      rpc,
      ids,
      (id) => rpc<boolean>('cancel_background_job', { job_id: id, reason }),
      (_, __, explanation) => Promise.resolve(`it has ended: ${explanation}`),
    ),
  );
  return printOutcomes(host, outcomes, {
    json: values.json,
    done: 'is cancelled, or will be at its next heartbeat',
    refused: 'is not cancelled',
  });
}
