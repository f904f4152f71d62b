import { ConfigError, type EnvRecord } from '../../runtime/config-reader.ts';
import { type HybridConfig, parseEndpointConfig } from '../../runtime/config.ts';
import { runningStack } from '../../local/stack-state.ts';
import { readCommandLine, UsageError } from '../command/command-line.ts';
import { resolveDataDir } from '../command/data-dir.ts';
import { findTarget } from '../command/target.ts';
import { examine } from '../doctor/examine.ts';
import { exitCodeOf, type Finding, findingsTable } from '../command/findings.ts';
import type { Command } from './command.ts';
import {
  type JobsDatabase,
  type JobsHost,
  jobsOptions,
  jobsOptionsHelp,
  onDatabase,
  printJson,
} from './jobs-host.ts';
import { refuseOperands } from './operands.ts';

const help = `Looks at a deployment: variables, keys, schema, extensions, clock, who wakes process-job, the queue, the endpoint,
and has process-job run one system/ping. Says of each what it found, and what to do.

  npm run jobs -- doctor
  npm run jobs -- doctor --read-only --json
  DATABASE_URL=postgres://… SUPABASE_URL=https://… SUPABASE_SECRET_KEY=sb_secret_… INNGEST_SIGNING_KEY=signkey-… \\
    npm run jobs -- doctor --endpoint https://example.netlify.app/api/inngest

  --endpoint url      of inngest-hybrid; default the stack's
  --read-only         leaves out system/ping, which makes a job
${jobsOptionsHelp}

Exit code 1 when a check failed; warnings and what was left out do not count.`;

const options = {
  ...jobsOptions,
  endpoint: { type: 'string' },
  'read-only': { type: 'boolean', default: false },
} as const;

export const doctor: Command = { summary: 'looks at a deployment and says what to do', options, run };

async function run(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, options, help);
  refuseOperands(positionals, help);
  const dataDir = resolveDataDir(values['data-dir']);
  const stack = await runningStack(dataDir);
  const { name, env, databaseUrl } = await findTarget(dataDir, host.env);
  const { config, problems } = readConfig(env);
  const patient = {
    ...{ config, fetch: host.fetch, now: host.now, isLocalStack: stack !== undefined },
    endpoint: values.endpoint === undefined ? (stack?.inngestUrl ?? null) : readUrl(values.endpoint),
  };
  const asked = { readOnly: values['read-only'] };
  const findings = [
    ...problems,
    ...(await withOrWithout(databaseUrl, (database) => examine({ ...patient, database }, asked))),
  ];
  if (values.json) printJson(host, { deployment: name, findings });
  else host.print(`Looking at ${name}.\n${findingsTable(findings)}`);
  return exitCodeOf(findings);
}

function readConfig(env: EnvRecord): { config: HybridConfig | null; problems: Finding[] } {
  try {
    return { config: parseEndpointConfig(env), problems: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.message.replace('configuration: ', '').split('; ');
    return {
      config: null,
      problems: problems.map((found) => ({ check: 'variables', state: 'failed', found, todo: 'set it' })),
    };
  }
}

function readUrl(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new UsageError(`--endpoint: expected an http(s) URL, got "${text}"`);
}

/** A database that does not answer is a finding; the other checks go on without it. */
async function withOrWithout(
  databaseUrl: string | null,
  look: (database: Pick<JobsDatabase, 'rpc' | 'query'> | null) => Promise<Finding[]>,
): Promise<Finding[]> {
  if (databaseUrl === null) return await look(null);
  let isOpen = false;
  try {
    return await onDatabase(databaseUrl, (database) => {
      isOpen = true;
      return look(database);
    });
  } catch (error) {
    if (isOpen || !(error instanceof Error)) throw error;
    const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
    const finding = {
      check: 'database',
      found: error.message + cause,
      todo: 'compare DATABASE_URL with the host',
    };
    return [{ ...finding, state: 'failed' }, ...(await look(null))];
  }
}
