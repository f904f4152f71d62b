import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { EnvRecord } from '../../runtime/config-reader.ts';
import { createNodeLogger } from '../../runtime/node-logger.ts';
import { runDemo } from '../../local/demo.ts';
import { InterruptedError, type Shutdown } from '../../local/shutdown.ts';
import { describeNextSteps, describeParts, describeRunning } from '../../local/stack-report.ts';
import { AlreadyRunningError, claimDataFolder, startStack, type Stack } from '../../local/stack.ts';
import { readCommandLine, UsageError } from './command-line.ts';
import { dataDirOption, resolveDataDir, root } from './data-dir.ts';

const help = `Starts the whole system on this machine and keeps it running until Ctrl-C.

  npm start                       everything local; data is kept in .local/
  npm start -- --demo             starts, sends three events, shows what became of them, stops
  DATABASE_URL=postgres://… npm start -- --migrate
  SUPABASE_URL=https://… SUPABASE_SECRET_KEY=sb_secret_… npm start

  --demo                  run the demo and stop; exit code 0 when every job completed
  --repository owner/name what the demo captures; default octo-org/hello-hybrid, with GITHUB_TOKEN octocat/Hello-World
  --migrate               apply supabase/migrations to the database of DATABASE_URL, too
  --data-dir folder       data, keys and state; default .local
  --verbose               print the log instead of writing it to <data-dir>/stack.log
  --help                  this text

Without GITHUB_TOKEN a stand-in with made-up repositories takes GitHub's place.`;

const options = {
  ...dataDirOption,
  demo: { type: 'boolean', default: false },
  repository: { type: 'string' },
  migrate: { type: 'boolean', default: false },
  verbose: { type: 'boolean', default: false },
} as const;

export interface StartHost {
  args: string[];
  env: EnvRecord;
  setEnv(values: Record<string, string>): void;
  shutdown: Shutdown;
}

/** `npm start`: @returns the exit code. Everything is stopped when it returns or throws. */
export async function start(host: StartHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, options, help);
  if (positionals[0] !== undefined)
    throw new UsageError(`Unexpected argument '${positionals[0]}'\nSee --help.`);
  const dataDir = resolveDataDir(values['data-dir']);
  try {
    await claimDataFolder(dataDir, host.shutdown);
    const log = openLog(dataDir, values.verbose, host.env);
    console.log('Starting…');
    const stack = await startStack(
      { ...host, root, dataDir, mayMigrate: values.migrate, log: log.logger },
      host.shutdown,
    );
    console.log(describeParts([...stack.parts, { name: 'Log', where: log.where, note: '' }]));
    if (values.demo)
      await Promise.race([
        demo(stack, values.repository ?? defaultRepository(host.env)),
        interruption(host.shutdown),
      ]);
    else {
      console.log(
        `\n${describeNextSteps(stack, dataDirFlag(values['data-dir']))}\n\nCtrl-C stops everything.`,
      );
      await host.shutdown.requested;
    }
    return 0;
  } catch (error) {
    if (error instanceof InterruptedError) return 130;
    if (!(error instanceof AlreadyRunningError)) throw error;
    console.error(describeRunning(error.state));
    return 1;
  } finally {
    await host.shutdown.run();
  }
}

function openLog(dataDir: string, verbose: boolean, env: EnvRecord) {
  const level = env['LOG_LEVEL'] === 'debug' ? 'debug' : 'info';
  if (verbose) return { logger: createNodeLogger({ level }), where: 'this terminal' };
  const where = join(dataDir, 'stack.log');
  return {
    logger: createNodeLogger({ level, destination: createWriteStream(where, { mode: 0o600 }) }),
    where,
  };
}

async function demo({ databaseUrl, ...stack }: Stack, repository: string): Promise<void> {
  if (databaseUrl === null)
    throw new UsageError('--demo reads tables: expected DATABASE_URL beside SUPABASE_URL, got nothing');
  await runDemo({ ...stack, databaseUrl, repository, print: (text) => console.log(text) });
  console.log('\nThe demo is done: every job completed.');
}

async function interruption({ requested }: Shutdown): Promise<never> {
  await requested;
  throw new InterruptedError();
}

function defaultRepository(env: EnvRecord): string {
  return env['GITHUB_TOKEN'] ? 'octocat/Hello-World' : 'octo-org/hello-hybrid';
}

function dataDirFlag(folder: string): string {
  return folder === dataDirOption['data-dir'].default ? '' : `--data-dir ${folder} `;
}
