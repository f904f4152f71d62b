import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createSupabaseClientRpc } from '../database/supabase-rpc.ts';
import { catalog } from '../jobs/catalog.ts';
import { createJobQueue, type JobQueue } from '../queue/job-queue.ts';
import { startSweepLoop } from '../queue/sweep-loop.ts';
import { wakeMissing } from '../queue/wake-missing.ts';
import { createWake } from '../router/wake.ts';
import type { EnvRecord } from '../runtime/config-reader.ts';
import { parseHybridConfig } from '../runtime/config.ts';
import type { Logger } from '../runtime/logger.ts';
import { externalDatabaseUrl } from './external-database.ts';
import { localEncryptionKey, localKeys } from './local-keys.ts';
import { startNetlify } from './netlify.ts';
import type { OperatorSessions } from './operator-sessions.ts';
import type { Shutdown } from './shutdown.ts';
import { openDashboard } from './stack-dashboard.ts';
import { openDatabase } from './stack-database.ts';
import { openGitHub } from './stack-github.ts';
import { openOpenAi } from './stack-openai.ts';
import {
  removeStackState,
  runningStack,
  writeStackState,
  type StackPart,
  type StackState,
} from './stack-state.ts';
import { startSupabase } from './stack-supabase.ts';

/** Jobs that waited for a quota resume this much later at most. */
const SWEEP_SECONDS = 3;

export interface StackOptions {
  /** Folder of the repository. */
  root: string;
  /** Folder for data, keys and state. */
  dataDir: string;
  /** The user's environment. */
  env: EnvRecord;
  /** Gives the stack's environment to the Netlify functions, which read it by themselves. */
  setEnv(values: Record<string, string>): void;
  /** Apply the migrations to a `DATABASE_URL`, too. */
  mayMigrate: boolean;
  log: Logger;
}

export interface Stack {
  parts: StackPart[];
  env: Record<string, string>;
  inngestUrl: string;
  databaseUrl: string | null;
  /** Signs a browser in as operator, once; null where users have accounts. */
  signInUrl: string | null;
  queue: JobQueue;
}

/** Another process runs a stack on the same data folder. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
  readonly state: StackState;

  constructor(state: StackState) {
    super(`a stack is already running, as process ${state.process.pid}`);
    this.state = state;
  }
}

/**
 * Makes the data folder and notes that this process uses it, until `shutdown`.
 * @throws {AlreadyRunningError} another process does
 */
export async function claimDataFolder(dataDir: string, shutdown: Shutdown): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  const running = await runningStack(dataDir);
  if (running) throw new AlreadyRunningError(running);
  await writeStackState(dataDir, { parts: [], env: {}, inngestUrl: null, databaseUrl: null });
  shutdown.add(() => removeStackState(dataDir));
}

/**
 * Starts everything that the environment does not already provide: the database, Supabase, GitHub, OpenAI, the
 * Netlify functions and the sweep. Whoever calls has claimed the data folder and runs `shutdown`, also when this fails half-way.
 */
export async function startStack(options: StackOptions, shutdown: Shutdown): Promise<Stack> {
  const { root, dataDir, log } = options;
  const parts: StackPart[] = [];
  const env: Record<string, string> = {};
  const seen = () => ({ ...options.env, ...env });
  Object.assign(env, defaults(options.env));
  const gitHub = await openGitHub(options.env, log);
  shutdown.add(() => gitHub.stop());
  parts.push(gitHub.part);
  Object.assign(env, gitHub.env);
  const openAi = await openOpenAi(options.env, log);
  shutdown.add(() => openAi.stop());
  parts.push(openAi.part);
  Object.assign(env, openAi.env);
  const { databaseUrl, sessions } = await provideSupabase({ ...options, env: seen() }, parts, env, shutdown);
  const config = parseHybridConfig(seen());
  const queue = createJobQueue(
    createSupabaseClientRpc({ url: config.supabase.url, key: config.supabase.secretKey }),
  );
  await tellTypes(queue).catch((cause: unknown) => {
    throw new Error(`Supabase at ${config.supabase.url} does not take the job types`, { cause });
  });
  options.setEnv(env);
  const dashboard = openDashboard(root, seen(), sessions, log);
  shutdown.add(() => dashboard.stop());
  const netlify = await startNetlify({ root, port: 8888, site: dashboard.site, log });
  shutdown.add(() => netlify.close());
  parts.push(dashboard.part(netlify.url));
  const inngestUrl = `${netlify.url}/api/inngest`;
  parts.push({ name: 'Netlify functions', where: inngestUrl, note: netlify.functions.join(', ') });
  parts.push({
    name: 'inngest-embeddings',
    where: `${netlify.url}/api/inngest-embeddings`,
    note: 'embeddings and workspaces',
  });
  const note = 'all functions, for the Inngest dashboard';
  parts.push({ name: 'inngest-local-full', where: `${netlify.url}/api/inngest-local`, note });
  const anyKey = config.inngest.eventKey === undefined && config.inngest.isDev;
  parts.push({
    name: 'events',
    where: `${netlify.url}/e/${anyKey ? 'any-key' : '<event key>'}`,
    note: "Inngest's Event API, without Inngest",
  });
  const wake = createWake({ ...config.processJob, fetch, log });
  const sweep = startSweepLoop({
    queue,
    onClaimable: async (lanes) => {
      if (lanes.includes('edge')) await wakeMissing({ queue, wake });
    },
    log,
    intervalSeconds: SWEEP_SECONDS,
  });
  shutdown.add(() => sweep.stop());
  parts.push({
    name: 'Sweep',
    where: 'this process',
    note: `every ${SWEEP_SECONDS} s, as pg_cron does on Supabase`,
  });
  await writeStackState(dataDir, { parts, env, inngestUrl, databaseUrl });
  return { parts, env, inngestUrl, databaseUrl, signInUrl: dashboard.signInUrl(netlify.url), queue };
}

async function tellTypes(queue: JobQueue): Promise<void> {
  await queue.syncJobTypes(catalog);
  await queue.syncPayloadSchemas(catalog);
}

/** Without Inngest's keys the functions speak the Dev Server's protocol. */
function defaults(env: EnvRecord): Record<string, string> {
  return { INNGEST_DEV: env['INNGEST_DEV'] || '1', LOG_LEVEL: env['LOG_LEVEL'] || 'warn' };
}

interface ProvidedSupabase {
  /** Null when only `SUPABASE_URL` is known. */
  databaseUrl: string | null;
  /** Undefined where Supabase has accounts. */
  sessions?: OperatorSessions;
}

async function provideSupabase(
  options: StackOptions,
  parts: StackPart[],
  env: Record<string, string>,
  shutdown: Shutdown,
): Promise<ProvidedSupabase> {
  const { dataDir, log, root } = options;
  if (options.env['SUPABASE_URL']) {
    parts.push({ name: 'Supabase', where: options.env['SUPABASE_URL'], note: 'yours, from SUPABASE_URL' });
    return { databaseUrl: externalDatabaseUrl(options.env) };
  }
  const database = await openDatabase(options);
  shutdown.add(() => database.stop());
  const keys = await localKeys(join(dataDir, 'keys.json'));
  if (!options.env['GITHUB_TOKEN_ENCRYPTION_KEY'])
    env['GITHUB_TOKEN_ENCRYPTION_KEY'] = localEncryptionKey(keys);
  const supabase = await startSupabase({
    root,
    dataDir,
    databaseUrl: database.url,
    keys,
    env: { ...options.env, ...env },
    log,
  });
  shutdown.add(() => supabase.stop());
  parts.push(database.part, ...supabase.parts);
  Object.assign(env, supabase.env);
  return { databaseUrl: database.url, sessions: supabase.sessions };
}
