import { readCommandLine } from '../command/command-line.ts';
import type { Command } from './command.ts';
import { type JobsHost, jobsOptions, jobsOptionsHelp, printJson, withRpc } from './jobs-host.ts';
import { canonicalType, readNumber, refuseOperands } from './operands.ts';
import { readPast, toUtc } from './times.ts';

const help = `Queues failed jobs again in bulk, with all their retries, those that failed first first.

  npm run jobs -- redrive --type capture/repository.sync --since 2h
  npm run jobs -- redrive --max 1000

  --type text         only this one, or an alias of it; default all
  --since time        only what failed since: 30m, 2h, 7d, or 2026-11-22T08:00Z; default ever
  --max number        1 to 100000; default 100
${jobsOptionsHelp}`;

const options = {
  ...jobsOptions,
  type: { type: 'string' },
  since: { type: 'string' },
  max: { type: 'string', default: '100' },
} as const;

export const redrive: Command = { summary: 'queues failed jobs again in bulk', options, run };

async function run(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, options, help);
  refuseOperands(positionals, help);
  const type = values.type && canonicalType(values.type);
  const since = values.since === undefined ? null : readPast('--since', values.since, host.now());
  const max = readNumber('--max', values.max, 1, 100_000);
  const redriven = await withRpc(host, values['data-dir'], (rpc) =>
    rpc<number>('redrive_dead_letter_jobs', { type, since: since?.toISOString(), max_jobs: max }),
  );
  if (values.json) printJson(host, { redriven });
  else host.print(describe(redriven, type, since, max));
  return 0;
}

function describe(redriven: number, type: string | undefined, since: Date | null, max: number): string {
  const which = [type && `of type ${type}`, since && `that failed since ${toUtc(since)}`].filter(Boolean);
  if (redriven === 0) return ['There are no failed jobs', ...which].join(' ') + '.';
  const more = redriven === max ? ' There may be more: run it again, or raise --max.' : '';
  return `${redriven} failed ${redriven === 1 ? 'job is' : 'jobs are'} queued again.${more}`;
}
