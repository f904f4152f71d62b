import { setTimeout as sleep } from 'node:timers/promises';
import type { Rpc } from '../../database/rpc.ts';
import { catalog } from '../../jobs/catalog.ts';
import { NonRetryableError } from '../../jobs/outcomes.ts';
import { indexDefinitions } from '../../queue/find-definition.ts';
import { toNewJob } from '../../queue/follow-up.ts';
import { createJobQueue, type EnqueuedJob, type JobRow, type NewJob } from '../../queue/job-queue.ts';
import type { EnvRecord } from '../../runtime/config-reader.ts';
import { readCommandLine, UsageError } from '../command/command-line.ts';
import type { Command } from './command.ts';
import { type JobsHost, jobsOptions, jobsOptionsHelp, printJson, withDatabase } from './jobs-host.ts';
import { readChoice, readDefinition, readJobId, readJsonObject, readNumber } from './operands.ts';
import { readFuture, toDuration } from './times.ts';
import { wakeEdge } from './wake-edge.ts';

const help = `Puts a job into the queue, past Inngest. A payload that does not fit the type is refused.

  npm run jobs -- enqueue system/ping '{"hello":"world"}' --wait
  npm run jobs -- enqueue capture/repository.sync '{"repository":"octo-org/hello-hybrid"}' --priority 10
  npm run jobs -- enqueue system/ping --run-at 2h --key once-today

  --lane text         edge or worker; default the type's
  --run-at time       not before: 30m, 2h, 7d from now, or 2026-11-22T08:00Z
  --priority number   minutes by which it overtakes others; default the type's
  --max-retries n     after the first attempt; default the type's
  --key text          idempotency key: a second job with it is not made, the first one is answered
  --after id          waits until this job has completed; may be given several times
  --wait              until it has ended; exit code 1 when it did not complete
${jobsOptionsHelp}`;

const options = {
  ...jobsOptions,
  lane: { type: 'string' },
  'run-at': { type: 'string' },
  priority: { type: 'string' },
  'max-retries': { type: 'string' },
  key: { type: 'string' },
  after: { type: 'string', multiple: true },
  wait: { type: 'boolean', default: false },
} as const;

type Flags = ReturnType<typeof readCommandLine<typeof options>>['values'];

export const enqueue: Command = {
  summary: 'puts a job into the queue, past Inngest',
  options,
  operands: 'types',
  run,
};

const pollMs = 250;

async function run(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, options, help);
  const job = await readJob(positionals, values, host.now());
  return await withDatabase(host, values['data-dir'], async ({ rpc, env }) => {
    const [enqueued] = await createJobQueue(rpc).enqueue([job]);
    if (!enqueued) throw new Error(`the queue answered no row for a job of type ${job.type}`);
    const woken = enqueued.created && !job.runAt ? await wake(job, env, host.fetch) : '';
    if (!values.json) host.print(tell(enqueued, job, woken));
    const ended = values.wait ? await waitForEnd(rpc, enqueued.id, host.stopSignal()) : null;
    if (values.json) printJson(host, { ...enqueued, type: job.type, ...(ended && endOf(ended)) });
    else if (ended) host.print(tellEnd(ended));
    return !values.wait || ended?.status === 'completed' ? 0 : 1;
  });
}

async function readJob(positionals: string[], flags: Flags, now: Date): Promise<NewJob> {
  const [name, text = '{}', ...rest] = positionals;
  if (name === undefined || rest.length > 0)
    throw new UsageError(`Expected a type and its payload as JSON, in quotes\n\n${help}`);
  const payload = readJsonObject('payload', text);
  const { type } = readDefinition(name);
  return { ...(await fitting(type, payload)), ...readFlags(flags, now) };
}

/** With the concurrency key of its definition. */
async function fitting(type: string, payload: Record<string, unknown>): Promise<NewJob> {
  try {
    return await toNewJob({ type, payload }, indexDefinitions(catalog));
  } catch (error) {
    if (!(error instanceof NonRetryableError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

function readFlags(flags: Flags, now: Date): Partial<NewJob> {
  const { lane, priority, key, after } = flags;
  const [runAt, maxRetries] = [flags['run-at'], flags['max-retries']];
  return {
    ...(lane === undefined ? {} : { lane: readChoice('--lane', lane, ['edge', 'worker']) }),
    ...(runAt === undefined ? {} : { runAt: readFuture('--run-at', runAt, now) }),
    ...(priority === undefined ? {} : { priority: readNumber('--priority', priority, -10_000, 10_000) }),
    ...(maxRetries === undefined ? {} : { maxRetries: readNumber('--max-retries', maxRetries, 0, 1_000) }),
    ...(key === undefined ? {} : { idempotencyKey: key }),
    ...(after === undefined ? {} : { dependsOn: after.map(readJobId) }),
  };
}

/** @returns for people: who starts the job */
async function wake(job: NewJob, env: EnvRecord, fetcher: typeof fetch): Promise<string> {
  if (job.lane === 'worker') return 'A worker takes it: npm run worker.';
  return await wakeEdge(env, fetcher);
}

async function waitForEnd(rpc: Rpc, id: string, stop: AbortSignal): Promise<JobRow | null> {
  const queue = createJobQueue(rpc);
  for (;;) {
    const job = await queue.get(id);
    if (!job) throw new Error(`Job ${id} is gone: somebody deleted it`);
    if (job.status !== 'queued' && job.status !== 'processing') return job;
    await sleep(pollMs, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return job;
  }
}

function tell({ id, status, created }: EnqueuedJob, { type }: NewJob, woken: string): string {
  if (!created) return `Job ${id} of type ${type} has this key already; it is ${status}.`;
  return `Job ${id} of type ${type} is ${status}. ${woken}`.trim();
}

function tellEnd({ id, status, result, error, durationMs }: JobRow): string {
  if (status === 'completed') return `It completed in ${toDuration(durationMs)}: ${JSON.stringify(result)}`;
  if (status === 'failed') return `It failed: ${error ?? 'no error was recorded'}`;
  return status === 'cancelled' ? 'It was cancelled.' : `It is ${status}: npm run jobs -- explain ${id}`;
}

const endOf = ({ status, result, error, durationMs }: JobRow) => ({
  status,
  result,
  error,
  duration_ms: durationMs,
});
