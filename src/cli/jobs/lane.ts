import { textTable } from '../../local/text-table.ts';
import { readCommandLine, UsageError } from '../command/command-line.ts';
import type { Command } from './command.ts';
import { lanes } from './job-rows.ts';
import {
  type JobsHost,
  jobsOptions,
  jobsOptionsHelp,
  type Query,
  printJson,
  withDatabase,
} from './jobs-host.ts';
import { canonicalType, readChoice } from './operands.ts';

const help = `Where jobs run: shows the lanes of all types or of one, or sets one's. Waiting jobs go along.

  npm run jobs -- lane
  npm run jobs -- lane capture/repository.sync
  npm run jobs -- lane capture/repository.sync worker
  npm run jobs -- lane capture/repository.sync default    back to its definition's

Lanes: ${lanes.join(', ')}.
${jobsOptionsHelp}`;

interface TypeRow {
  type: string;
  lane: string;
  lane_override: string | null;
  paused: boolean;
}

export const lane: Command = {
  summary: 'shows or sets the lane of a type',
  options: jobsOptions,
  operands: 'types',
  run,
};

async function run(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, jobsOptions, help);
  const [name, to, ...rest] = positionals;
  if (rest.length > 0)
    throw new UsageError(`Expected a type and a lane, got ${positionals.length} arguments\n\n${help}`);
  const type = name === undefined ? null : canonicalType(name);
  const wanted = to === undefined ? undefined : readChoice('lane', to, [...lanes, 'default']);
  const types = await withDatabase(host, values['data-dir'], async ({ rpc, query }) => {
    if (wanted !== undefined)
      await rpc<null>('set_job_lane', { type: type ?? '', lane: wanted === 'default' ? null : wanted });
    return await readTypes(query, type);
  });
  if (type !== null && types.length === 0)
    throw new Error(`The database knows no job type ${type}: npm run jobs -- lane shows all`);
  if (values.json) printJson(host, types);
  else host.print(textTable(['type', 'lane', 'set by', 'paused'], types.map(toCells)));
  return 0;
}

async function readTypes(query: Query, type: string | null): Promise<TypeRow[]> {
  return await query<TypeRow>(
    `select t.type, t.lane, t.lane_override, t.paused from public.job_types t
     where $1::text is null or t.type = $1 order by t.type`,
    [type],
  );
}

function toCells(row: TypeRow): (string | null)[] {
  return [
    row.type,
    row.lane_override ?? row.lane,
    row.lane_override === null ? 'definition' : 'operator or measurement',
    row.paused ? 'paused' : null,
  ];
}
