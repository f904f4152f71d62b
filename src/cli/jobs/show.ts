import { textTable } from '../../local/text-table.ts';
import { readCommandLine } from '../command/command-line.ts';
import type { Command } from './command.ts';
import { listedColumns, type ListedJob } from './job-rows.ts';
import {
  type JobsDatabase,
  type JobsHost,
  jobsOptions,
  jobsOptionsHelp,
  printJson,
  withDatabase,
} from './jobs-host.ts';
import { readJobId, readOnly } from './operands.ts';
import { toDuration, toUtc } from './times.ts';

const help = `Everything about one job: payload, result, attempts with their errors, steps, and the jobs before and after it.

  npm run jobs -- show 01940000-0000-7000-8000-000000000000
  npm run jobs -- show 01940000-0000-7000-8000-000000000000 --json

${jobsOptionsHelp}`;

export const show: Command = {
  summary: 'one job with its attempts, steps and dependencies',
  options: jobsOptions,
  run,
};

interface Shown {
  job: ListedJob & Details;
  explanation: string;
  attempts: Attempt[];
  steps: { name: string; saved_at: Date; output: unknown }[];
  before: Relative[];
  after: Relative[];
}

interface Details {
  payload: unknown;
  result: unknown;
  error: string | null;
  failure_reason: string | null;
  active_ms: number;
  priority: number;
  timeout_seconds: number;
  progress_message: string | null;
  idempotency_key: string | null;
  concurrency_key: string | null;
  inngest_event_id: string | null;
  inngest_run_id: string | null;
}

interface Attempt {
  number: number;
  lane: string;
  worker: string | null;
  started_at: Date;
  ended_at: Date;
  outcome: string;
  error: { message?: string } | null;
}

interface Relative {
  id: string;
  type: string;
  status: string;
}

async function run(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, jobsOptions, help);
  const id = readJobId(readOnly(positionals, 'the id of one job', help));
  const shown = await withDatabase(host, values['data-dir'], (database) => read(database, id));
  if (!shown) throw new Error(`There is no job ${id}`);
  if (values.json) printJson(host, { ...shown.job, ...shown, job: undefined });
  else tell(host, shown);
  return 0;
}

async function read({ rpc, query }: JobsDatabase, id: string): Promise<Shown | null> {
  const [job] = await query<ListedJob & Details>(
    `select ${listedColumns}, j.payload, j.result, j.error, j.failure_reason, j.active_ms, j.priority, j.timeout_seconds,
       j.progress_message, j.idempotency_key, j.concurrency_key, j.inngest_event_id, j.inngest_run_id
     from public.background_jobs j where j.id = $1`,
    [id],
  );
  if (!job) return null;
  const relatives = async (mine: 'job_id' | 'parent_id', theirs: 'job_id' | 'parent_id') =>
    await query<Relative>(
      `select r.id, r.type, r.status from public.background_job_dependencies d
       join public.background_jobs r on r.id = d.${theirs} where d.${mine} = $1 order by r.id limit 1000`,
      [id],
    );
  return {
    job,
    explanation: await rpc<string>('explain_background_job', { job_id: id }),
    attempts: await query<Attempt>(
      `select a.number, a.lane, a.worker, a.started_at, a.ended_at, a.outcome, a.error
       from public.background_job_attempts a where a.job_id = $1 order by a.number`,
      [id],
    ),
    steps: await query(
      `select s.name, s.saved_at, s.output from public.background_job_steps s where s.job_id = $1 order by s.saved_at`,
      [id],
    ),
    before: await relatives('job_id', 'parent_id'),
    after: await relatives('parent_id', 'job_id'),
  };
}

function tell(host: JobsHost, { job, explanation, attempts, steps, before, after }: Shown): void {
  host.print(textTable(['job', job.id], facts(job, explanation)));
  if (attempts.length > 0)
    section(
      host,
      'Attempts that did not complete it',
      ['', 'outcome', 'lane', 'started', 'took', 'error'],
      attempts.map(toCells),
    );
  if (steps.length > 0)
    section(
      host,
      'Saved steps',
      ['step', 'saved', 'output'],
      steps.map(({ name, saved_at, output }) => [name, toUtc(saved_at), short(output)]),
    );
  const relatives = [
    ...before.map((each) => ['waits for', each] as const),
    ...after.map((each) => ['is awaited by', each] as const),
  ];
  if (relatives.length > 0)
    section(
      host,
      'Other jobs',
      ['', 'id', 'type', 'status'],
      relatives.map(([how, { id, type, status }]) => [how, id, type, status]),
    );
}

function section(host: JobsHost, title: string, head: string[], rows: (string | null)[][]): void {
  host.print(`\n${title}\n${textTable(head, rows)}`);
}

/** Names and values, without those that are empty. */
function facts(job: ListedJob & Details, explanation: string): string[][] {
  const all: [string, string | null][] = [
    ['type', job.type],
    ['status', job.status],
    ['why', explanation],
    ['lane', job.lane],
    ['repository', job.repository],
    ['created', toUtc(job.created_at)],
    ['run at', toUtc(job.run_at)],
    ['started', toUtc(job.started_at)],
    ['ended', toUtc(job.ended_at)],
    ['last attempt', toDuration(job.duration_ms)],
    ['all attempts', job.active_ms > 0 ? toDuration(job.active_ms) : null],
    ['retries', `${job.retry_count} of ${job.max_retries}`],
    ['time-out', `${job.timeout_seconds} s`],
    ['priority', job.priority === 0 ? null : String(job.priority)],
    ['progress', job.progress === null ? null : `${job.progress} % ${job.progress_message ?? ''}`.trim()],
    ['failure', job.failure_reason],
    ['error', job.error],
    ['idempotency key', job.idempotency_key],
    ['concurrency key', job.concurrency_key],
    ['Inngest event', job.inngest_event_id],
    ['Inngest run', job.inngest_run_id],
    ['payload', short(job.payload)],
    ['result', job.result === null ? null : short(job.result)],
  ];
  return all.filter((fact): fact is [string, string] => fact[1] !== null);
}

function toCells(attempt: Attempt): (string | null)[] {
  const { number, outcome, lane, worker, started_at, ended_at, error } = attempt;
  const took = toDuration(ended_at.getTime() - started_at.getTime());
  return [
    String(number),
    outcome,
    worker === null ? lane : `${lane}: ${worker}`,
    toUtc(started_at),
    took,
    error?.message ?? null,
  ];
}

const longest = 2_000;

/** JSON for people; all of it is in `--json`. */
function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length} characters, see --json)`;
}
