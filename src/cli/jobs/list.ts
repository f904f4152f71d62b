import { textTable } from '../../local/text-table.ts';
import { readCommandLine } from '../command/command-line.ts';
import type { Command } from './command.ts';
import { jobStatuses, lanes, listedColumns, type ListedJob } from './job-rows.ts';
import { type JobsHost, jobsOptions, jobsOptionsHelp, printJson, withDatabase } from './jobs-host.ts';
import { canonicalType, readChoice, readJobId, readNumber, refuseOperands } from './operands.ts';
import { firstIdAt, readPast, toDuration, toUtc } from './times.ts';

const help = `Jobs, newest first. Times are UTC.

  npm run jobs -- list
  npm run jobs -- list --status failed --since 1h
  npm run jobs -- list --type capture/repository.sync --repository octo-org/hello-hybrid --limit 50
  npm run jobs -- list --text 'GitHub answered 502' --json

  --status text       ${jobStatuses.join(', ')}
  --type text         or an alias of it
  --lane text         ${lanes.join(', ')}
  --repository text   owner/name
  --text text         in the payload, the error, or the id of the job, its event or its run
  --since time        created since: 30m, 2h, 7d, or 2026-11-22T08:00Z
  --limit number      1 to 1000; default 20
  --before id         goes on after the job of this id, the last one of the page before
${jobsOptionsHelp}`;

const options = {
  ...jobsOptions,
  status: { type: 'string' },
  type: { type: 'string' },
  lane: { type: 'string' },
  repository: { type: 'string' },
  text: { type: 'string' },
  since: { type: 'string' },
  limit: { type: 'string', default: '20' },
  before: { type: 'string' },
} as const;

type Filters = Partial<
  Record<'status' | 'type' | 'lane' | 'repository' | 'text' | 'since' | 'before', string>
>;

export const list: Command = { summary: 'jobs, newest first, by status, type, text …', options, run };

async function run(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, options, help);
  refuseOperands(positionals, help);
  const limit = readNumber('--limit', values.limit, 1, 1000);
  const { sql, parameters } = question(values, host.now(), limit);
  const jobs = await withDatabase(host, values['data-dir'], ({ query }) => query<ListedJob>(sql, parameters));
  if (values.json) printJson(host, jobs);
  else tell(host, jobs, jobs.length === limit);
  return 0;
}

function question(filters: Filters, now: Date, limit: number): { sql: string; parameters: unknown[] } {
  const parameters: unknown[] = [];
  const conditions: string[] = [];
  const where = (value: unknown, condition: (parameter: string) => string): void => {
    if (value === undefined) return;
    parameters.push(value);
    conditions.push(condition(`$${parameters.length}`));
  };
  const { status, type, lane, repository, text, since, before } = filters;
  const known = status && readChoice('--status', status, jobStatuses);
  where(known, (p) => `j.status = ${p}${(known && places[known]) ?? ''}`);
  where(type && canonicalType(type), (p) => `j.type = ${p}`);
  where(lane && readChoice('--lane', lane, lanes), (p) => `j.lane = ${p}`);
  where(repository?.toLowerCase(), (p) => repositoryIs(p));
  where(text, (p) => contains(p));
  where(since && firstIdAt(readPast('--since', since, now)), (p) => `j.id >= ${p}::uuid`);
  where(before && readJobId(before), (p) => `j.id < ${p}::uuid`);
  parameters.push(limit);
  const sql = `select ${listedColumns} from public.background_jobs j
    where ${['true', ...conditions].join(' and ')} order by j.id desc limit $${parameters.length}`;
  return { sql, parameters };
}

/** Where jobs of a status are found without a look at all jobs. */
const places: Partial<Record<(typeof jobStatuses)[number], string>> = {
  queued: ` and j.id in (select r.id from public.background_job_ready r
    union all select d.job_id from public.background_job_dependencies d where not d.settled)`,
  processing: ` and j.id in (select m.id from public.background_job_leases l, unnest(l.job_ids) as m (id))`,
};

const repositoryIs = (parameter: string): string =>
  `(j.repository_id in (select r.id from public.repositories r where lower(r.owner || '/' || r.name) = ${parameter})
    or lower(j.payload ->> 'repository') = ${parameter})`;

const contains = (parameter: string): string =>
  `(position(lower(${parameter}) in lower(concat_ws(' ', j.id, j.inngest_event_id, j.inngest_run_id, j.error, j.payload))) > 0)`;

const head = ['created', 'id', 'type', 'lane', 'status', 'took', 'repository', 'error'];

function tell(host: JobsHost, jobs: readonly ListedJob[], isFull: boolean): void {
  if (jobs.length === 0) return host.print('There are no such jobs.');
  host.print(textTable(head, jobs.map(toCells)));
  if (isFull) host.print(`Older ones: the same with --before ${jobs.at(-1)?.id}`);
}

function toCells(job: ListedJob): (string | null)[] {
  const { status, progress, retry_count: retries } = job;
  const notes = [
    ...(status === 'processing' && progress !== null ? [`${progress} %`] : []),
    ...(retries > 0 ? [`retry ${retries}/${job.max_retries}`] : []),
  ];
  return [
    toUtc(job.created_at),
    job.id,
    job.type,
    job.lane,
    notes.length === 0 ? status : `${status} (${notes.join(', ')})`,
    toDuration(job.duration_ms),
    job.repository,
    status === 'completed' ? null : firstLine(job.error),
  ];
}

function firstLine(text: string | null): string | null {
  return text === null ? null : (text.split('\n')[0] ?? '').slice(0, 60);
}
