import type { Rpc } from '../../database/rpc.ts';
import { readCommandLine } from '../command/command-line.ts';
import { explainRefusals, printOutcomes } from './batch.ts';
import type { Command } from './command.ts';
import { type JobsHost, jobsOptions, jobsOptionsHelp, withRpc } from './jobs-host.ts';
import { readJobIds } from './operands.ts';

const help = `Queues failed jobs again, at once. Each counts as a retry; their errors stay readable.

  npm run jobs -- retry 01940000-0000-7000-8000-000000000000
  npm run jobs -- retry <id> <id> --force
  npm run jobs -- list --status failed --since 1h --json | jq -r '.[].id' | xargs npm run jobs -- retry

  --force             also one whose retries are spent
${jobsOptionsHelp}

Exit code 1 when one of them was not queued.`;

const options = { ...jobsOptions, force: { type: 'boolean', default: false } } as const;

export const retry: Command = { summary: 'queues failed jobs again', options, run };

async function run(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, options, help);
  const ids = readJobIds(positionals, help);
  const outcomes = await withRpc(host, values['data-dir'], (rpc) =>
    explainRefusals(
      rpc,
      ids,
      (id) => rpc<boolean>('retry_failed_job', { job_id: id, force: values.force }),
      whyNot,
    ),
  );
  return printOutcomes(host, outcomes, {
    json: values.json,
    done: 'is queued again',
    refused: 'is not queued',
  });
}

async function whyNot(rpc: Rpc, id: string, explanation: string): Promise<string> {
  const [job] = await rpc<{ status: string }[]>('get_background_job', { job_id: id });
  if (job?.status === 'failed') return `its retries are spent; --force runs it once more (${explanation})`;
  return `it has not failed: ${explanation}`;
}
