import type { Rpc } from '../../database/rpc.ts';
import { catalog } from '../../jobs/catalog.ts';
import { NonRetryableError } from '../../jobs/outcomes.ts';
import { findDefinition } from '../../queue/find-definition.ts';
import { parsePayload } from '../../queue/parse-payload.ts';
import { scheduleClock } from '../../worker/schedule-clock.ts';
import { readCommandLine, UsageError } from '../command/command-line.ts';
import { type JobsHost, jobsOptions, jobsOptionsHelp, withRpc } from './jobs-host.ts';
import { findSchedule, nextTicks, onClockOf, readName, readSchedule, type Schedule } from './schedules.ts';

const help = `Makes a schedule, which needs a type and a cron expression; or changes what is given of the one that has the name.

  npm run jobs -- schedule set nightly --type system/ping --cron '30 2 * * *' --timezone Europe/Berlin
  npm run jobs -- schedule set hello --type capture/repository.sync --cron '0 */6 * * *' --payload '{"repository":"octo-org/hello-hybrid"}'
  npm run jobs -- schedule set nightly --cron '0 4 * * mon-fri'

  --type text         of the jobs
  --cron text         minute, hour, day of the month, month, day of the week
  --timezone text     whose clock that is; default UTC
  --payload json      of the jobs; default {}
  --catch-up text     what becomes of times at which no worker ran: none, last (default) or all
${jobsOptionsHelp}`;

const options = {
  ...jobsOptions,
  type: { type: 'string' },
  cron: { type: 'string' },
  timezone: { type: 'string' },
  payload: { type: 'string' },
  'catch-up': { type: 'string' },
} as const;

/** What the command line gives of a schedule. */
interface Given {
  type: string | undefined;
  cron: string | undefined;
  timezone: string | undefined;
  payload: object | undefined;
  catchUp: string | undefined;
}

/** `npm run jobs -- schedule set`: @returns the exit code */
export async function setSchedule(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, options, help);
  const name = readName(positionals, help);
  const { type, cron, timezone } = values;
  const payload = values.payload === undefined ? undefined : readPayload(values.payload);
  const given: Given = {
    type: type && canonicalType(type),
    cron,
    timezone,
    payload,
    catchUp: values['catch-up'],
  };
  if (Object.values(given).every((value) => value === undefined))
    throw new UsageError(`Expected something to set, such as --cron\n\n${help}`);
  return await withRpc(host, values['data-dir'], async (rpc) => {
    const known = await findSchedule(rpc, name);
    await check(given, known);
    const created = await store(rpc, name, given);
    const schedule = await readSchedule(rpc, name);
    host.print(
      values.json ? JSON.stringify({ created, ...schedule }, null, 2) : tell(created, schedule, host.now()),
    );
    return 0;
  });
}

function readPayload(text: string): object {
  const expected = '--payload: expected a JSON object';
  let payload: unknown;
  try {
    payload = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${expected}, got something else (${reason})`, { cause });
  }
  if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) return payload;
  throw new UsageError(
    `${expected}, got ${payload === null ? 'null' : Array.isArray(payload) ? 'an array' : `a ${typeof payload}`}`,
  );
}

function canonicalType(name: string): string {
  const definition = findDefinition(catalog, name);
  if (definition) return definition.type;
  throw new UsageError(
    `--type: unknown job type ${name}, expected one of\n${catalog.map(({ type }) => `  ${type}`).join('\n')}`,
  );
}

/** What the database cannot know: whether the time ever comes, and whether the payload fits the type. */
async function check(given: Given, known: Schedule | undefined): Promise<void> {
  const type = given.type ?? known?.type;
  const cron = given.cron ?? known?.cron;
  if (type === undefined) throw new UsageError('--type: expected the type of the jobs, got nothing');
  if (cron === undefined)
    throw new UsageError("--cron: expected five fields such as '30 2 * * *', got nothing");
  await refuseAsUsage(async () => {
    scheduleClock(cron, given.timezone ?? known?.timezone ?? 'UTC');
    const definition = findDefinition(catalog, type);
    if (definition && (given.type !== undefined || given.payload !== undefined))
      await parsePayload(definition, given.payload ?? known?.payload ?? {});
  });
}

async function refuseAsUsage(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof NonRetryableError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

async function store(rpc: Rpc, name: string, given: Given): Promise<boolean> {
  const { type, cron, timezone, payload, catchUp } = given;
  return await rpc<boolean>('set_job_schedule', { name, type, cron, timezone, payload, catch_up: catchUp });
}

function tell(created: boolean, schedule: Schedule, now: Date): string {
  const { name, timezone, enabled } = schedule;
  const done = `Schedule ${name} is ${created ? 'made' : 'changed'}.`;
  const [next] = nextTicks(schedule, now, 1);
  if (!enabled) return `${done} It is paused.`;
  return next ? `${done} Next: ${onClockOf(timezone, next)} in ${timezone}.` : done;
}
