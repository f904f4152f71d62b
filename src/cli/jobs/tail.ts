import { setTimeout as sleep } from 'node:timers/promises';
import { readCommandLine } from '../command/command-line.ts';
import type { Command } from './command.ts';
import { type JobsHost, jobsOptions, jobsOptionsHelp, withDatabase } from './jobs-host.ts';
import { canonicalType, refuseOperands } from './operands.ts';
import { createJobWatch, type JobChange } from './job-watch.ts';
import { toDuration, toUtc } from './times.ts';

const help = `Follows the queue until Ctrl-C: one line for each job that is made, starts, is retried or ends. Times are UTC.

  npm run jobs -- tail
  npm run jobs -- tail --type capture/repository.sync
  npm run jobs -- tail --json | jq 'select(.status == "failed")'

  --type text         only this one, or an alias of it
  --json              one JSON document per line
${jobsOptionsHelp.split('\n').slice(1).join('\n')}

It looks once a second at the jobs that are running, about to run, or younger than a minute: of a job that starts and ends
between two looks, only the end is told.`;

const options = { ...jobsOptions, type: { type: 'string' } } as const;

export const tail: Command = { summary: 'follows the queue until Ctrl-C', options, run };

const lookMs = 1_000;

async function run(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, options, help);
  refuseOperands(positionals, help);
  const type = values.type === undefined ? null : canonicalType(values.type);
  const stop = host.stopSignal();
  await withDatabase(host, values['data-dir'], async ({ query }) => {
    const watch = createJobWatch({ query, type });
    // What is there before it starts is not news.
    await watch.look();
    if (!values.json) host.print('Following the queue. Ctrl-C stops.');
    while (!stop.aborted) {
      for (const change of await watch.look())
        host.print(values.json ? JSON.stringify(change) : toLine(change));
      await sleep(lookMs, undefined, { signal: stop }).catch(() => undefined);
    }
  });
  return 0;
}

function toLine({
  at,
  status,
  id,
  type,
  lane,
  duration_ms: took,
  retry_count: retries,
  error,
}: JobChange): string {
  const hasEnded = status !== 'queued' && status !== 'processing';
  const notes = [
    ...(hasEnded && took !== null ? [`in ${toDuration(took)}`] : []),
    ...(retries > 0 ? [`retry ${retries}`] : []),
    ...(error !== null && status !== 'completed' ? [error.split('\n')[0] ?? ''] : []),
  ];
  return [toUtc(at), status.padEnd(10), id, lane.padEnd(6), type, ...notes].join('  ');
}
