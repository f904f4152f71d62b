import { textTable } from '../../local/text-table.ts';
import { readCommandLine } from '../command/command-line.ts';
import type { Command } from './command.ts';
import {
  type JobsDatabase,
  type JobsHost,
  jobsOptions,
  jobsOptionsHelp,
  printJson,
  withDatabase,
} from './jobs-host.ts';
import { canonicalType, refuseOperands } from './operands.ts';
import { toDuration, toUtc } from './times.ts';

const help = `The queue at a glance: totals of the last 24 hours, types over the last 7 days, and what waits on each lane.

  npm run jobs -- stats
  npm run jobs -- stats --type capture/repository.sync
  npm run jobs -- stats --json

  --type text         only this one, or an alias of it
${jobsOptionsHelp}`;

const options = { ...jobsOptions, type: { type: 'string' } } as const;

export const stats: Command = { summary: 'the queue at a glance', options, run };

interface TypeStatistics {
  type: string;
  queued: number;
  processing: number;
  completed: number;
  failed: number;
  cancelled: number;
  success_rate: number | null;
  p50_duration_ms: number | null;
  p95_duration_ms: number | null;
  p50_wait_ms: number | null;
  p95_wait_ms: number | null;
}

interface Depth {
  lane: string;
  type: string;
  queued: number;
  due: number;
  oldest_due_at: Date | null;
  next_run_at: Date | null;
}

interface Statistics {
  summary: { metric: string; value: string }[];
  types: TypeStatistics[];
  waiting: Depth[];
}

async function run(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, options, help);
  refuseOperands(positionals, help);
  const type = values.type === undefined ? null : canonicalType(values.type);
  const statistics = await withDatabase(host, values['data-dir'], (database) => read(database, type));
  if (values.json) printJson(host, statistics);
  else tell(host, statistics);
  return 0;
}

async function read({ rpc, query }: JobsDatabase, type: string | null): Promise<Statistics> {
  return {
    // Of one type it would say nothing.
    summary: type === null ? await rpc('get_job_statistics_summary') : [],
    types: await query<TypeStatistics>(
      `select s.type, s.queued, s.processing, s.completed, s.failed, s.cancelled, s.success_rate, s.p50_duration_ms,
         s.p95_duration_ms, s.p50_wait_ms, s.p95_wait_ms
       from public.job_statistics s where $1::text is null or s.type = $1 order by s.completed + s.failed desc, s.type`,
      [type],
    ),
    waiting: await query<Depth>(
      `select q.lane, q.type, q.queued, q.due, q.oldest_due_at, q.next_run_at from public.queue_depth q
       where $1::text is null or q.type = $1 order by q.oldest_due_at nulls last, q.lane, q.type`,
      [type],
    ),
  };
}

const typesHead = [
  'type',
  'queued',
  'processing',
  'completed',
  'failed',
  'cancelled',
  'success',
  'p50',
  'p95',
  'p50 wait',
  'p95 wait',
];

function tell(host: JobsHost, { summary, types, waiting }: Statistics): void {
  if (summary.length > 0)
    host.print(
      textTable(
        ['last 24 hours', ''],
        summary.map(({ metric, value }) => [metric, value]),
      ),
    );
  host.print(
    types.length === 0 ? 'No job was made in the last 7 days.' : textTable(typesHead, types.map(typeCells)),
  );
  if (waiting.length > 0)
    host.print(
      textTable(['lane', 'waiting', 'queued', 'due', 'oldest due', 'next'], waiting.map(depthCells)),
    );
}

function typeCells(row: TypeStatistics): (string | null)[] {
  return [
    row.type,
    ...[row.queued, row.processing, row.completed, row.failed, row.cancelled].map(String),
    row.success_rate === null ? null : `${row.success_rate} %`,
    toDuration(row.p50_duration_ms),
    toDuration(row.p95_duration_ms),
    toDuration(row.p50_wait_ms),
    toDuration(row.p95_wait_ms),
  ];
}

function depthCells(row: Depth): (string | null)[] {
  const { lane, type, queued, due, oldest_due_at: oldest, next_run_at: next } = row;
  return [lane, type, String(queued), String(due), toUtc(oldest), toUtc(next)];
}
