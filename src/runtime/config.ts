import type { EventApi } from '../jobs/job-context.ts';
import { encryptionKeys } from './encryption-keys.ts';
import { ConfigError, type EnvRecord, type Setting, readSettings } from './config-reader.ts';
import {
  anHttpUrl,
  aPostgresUrl,
  aSecret,
  count,
  httpUrl,
  oneOf,
  optional,
  originList,
  postgresUrl,
  required,
  secret,
  wholeNumberFrom,
  withDefault,
} from './config-values.ts';
import { toEventApi } from './event-api.ts';
import { type InngestConfig, inngestSettings, type RequiredKey, toInngestConfig } from './inngest-config.ts';
import { secretKeyList } from './secret-keys.ts';

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** `silent` logs nothing. */
export type LogLevel = (typeof logLevels)[number];

/**
 * With a sweep every 3 s and a first backoff of 2 s, what a killed process held runs again within 30 s. Two heartbeats may
 * fail before a lease is over.
 */
const defaultLeaseSeconds = 20;

const sweepers = ['inngest', 'off'] as const;

/** Where GitHub is and as whom to ask it. */
export interface GitHubConfig {
  /** Undefined: requests are anonymous (60 per hour). */
  token: string | undefined;
  /** The variable that holds the token, for error messages. */
  tokenName: string;
  baseUrl: string;
}

/** Where OpenAI is and as whom to ask it. */
export interface OpenAiConfig {
  /** Undefined: jobs that need it fail, and say so. */
  apiKey: string | undefined;
  baseUrl: string;
}

/** Where to wake `process-job`, and the key it accepts. */
export interface ProcessJobTarget {
  url: string;
  key: string;
}

/** Who starts jobs at the cron times of their definitions: one per deployment. */
export type Scheduler = 'inngest' | 'worker';

export interface HybridConfig {
  inngest: InngestConfig;
  supabase: { url: string; secretKey: string };
  processJob: ProcessJobTarget;
  /** Direct connection, for processes that live long. Undefined: only HTTP. */
  databaseUrl: string | undefined;
  github: GitHubConfig;
  openai: OpenAiConfig;
  /** Under which users' secrets are sealed: the one in use, then those that it has replaced. None: no secrets are kept. */
  encryptionKeys: Uint8Array<ArrayBuffer>[];
  /** Longest time that a job may take inside the Inngest request, in seconds. */
  inlineBudgetSeconds: number;
  /** Whether Inngest starts a sweep every minute. */
  sweepsByInngest: boolean;
  /** Whether `inngest-embeddings` serves embeddings and workspaces, so that `inngest-hybrid` leaves them out. */
  splitsOffEmbeddings: boolean;
  /** Pages of these origins may call what users call. */
  allowedOrigins: string[];
  scheduler: Scheduler;
  logLevel: LogLevel;
  /** To be logged once at start. */
  warnings: string[];
}

export interface ProcessJobConfig {
  supabase: { url: string; secretKey: string };
  /** Every key that a caller of `process-job` may present. */
  acceptedKeys: string[];
  /** This same function, to wake a successor. */
  processJob: ProcessJobTarget;
  github: GitHubConfig;
  openai: OpenAiConfig;
  /** Under which users' secrets are sealed: the one in use, then those that it has replaced. None: no secrets are kept. */
  encryptionKeys: Uint8Array<ArrayBuffer>[];
  /** Null: no event key. */
  inngestEvents: EventApi | null;
  /** How long the host lets one invocation live, in seconds. */
  wallSeconds: number;
  /** Jobs that run at the same time in one invocation. */
  concurrency: number;
  /** How long a claim holds without a heartbeat, in seconds. */
  leaseSeconds: number;
  logLevel: LogLevel;
  /** To be logged once at start. */
  warnings: string[];
}

export interface WorkerConfig {
  /** Null: no event key. */
  inngestEvents: EventApi | null;
  /** A direct connection or one in session mode: the worker listens. */
  databaseUrl: string;
  github: GitHubConfig;
  openai: OpenAiConfig;
  /** Under which users' secrets are sealed: the one in use, then those that it has replaced. None: no secrets are kept. */
  encryptionKeys: Uint8Array<ArrayBuffer>[];
  /** Jobs that run at the same time on each lane. */
  concurrency: number;
  /** How long a claim holds without a heartbeat, in seconds. */
  leaseSeconds: number;
  /** How long running jobs may go on after a signal to stop, in seconds; then they hand off. */
  drainSeconds: number;
  /** Finished jobs are deleted after so many days. */
  keepDays: number;
  /** Where to wake `process-job`. Undefined: nobody said. */
  processJob: ProcessJobTarget | undefined;
  /** Folder of the local embedding model. Undefined: nobody said. */
  embeddingModelPath: string | undefined;
  scheduler: Scheduler;
  logLevel: LogLevel;
  /** To be logged once at start. */
  warnings: string[];
}

const keyNames = ['SUPABASE_SECRET_KEY', 'SUPABASE_SECRET_KEYS', 'SUPABASE_SERVICE_ROLE_KEY'] as const;

/** Any one of the three will do; each is parsed by its own setting below. */
const anySecretKey = { names: keyNames, read: required(aSecret, (text) => text) } satisfies Setting<unknown>;

const shared = {
  supabaseUrl: {
    names: ['SUPABASE_URL', 'VITE_SUPABASE_URL', 'NEXT_PUBLIC_SUPABASE_URL'],
    read: required(anHttpUrl, httpUrl),
  },
  processJobSecret: { names: ['PROCESS_JOB_SECRET'], read: optional(secret) },
  githubToken: { names: ['GITHUB_TOKEN', 'VITE_GITHUB_TOKEN'], read: optional(secret) },
  githubUrl: { names: ['GITHUB_API_URL'], read: withDefault(httpUrl, 'https://api.github.com') },
  openAiKey: { names: ['OPENAI_API_KEY'], read: optional(secret) },
  openAiUrl: { names: ['OPENAI_BASE_URL'], read: withDefault(httpUrl, 'https://api.openai.com/v1') },
  encryptionKeys: { names: ['GITHUB_TOKEN_ENCRYPTION_KEY'], read: withDefault(encryptionKeys, []) },
  scheduler: {
    names: ['JOB_SCHEDULER'],
    read: withDefault(oneOf(['inngest', 'worker'], 'inngest or worker'), 'inngest'),
    shown: true,
  },
  secretKey: { names: [keyNames[0]], read: optional(secret) },
  secretKeys: { names: [keyNames[1]], read: optional(secretKeyList) },
  serviceRoleKey: { names: [keyNames[2]], read: optional(secret) },
  logLevel: {
    names: ['LOG_LEVEL'],
    read: withDefault(oneOf(logLevels, `one of ${logLevels.join(', ')}`), 'info'),
    shown: true,
  },
} satisfies Record<string, Setting<unknown>>;

/**
 * Reads the environment of who routes events: commands, with `parseEndpointConfig` the Inngest endpoints, and with
 * `parseEventsConfig` the event API.
 * @throws {ConfigError} names every missing or malformed variable
 */
export function parseHybridConfig(env: EnvRecord): HybridConfig {
  return readHybridConfig(env, null);
}

/**
 * Reads the environment of an Inngest endpoint, which outside development needs a signing key, too.
 * @throws {ConfigError} names every missing or malformed variable
 */
export function parseEndpointConfig(env: EnvRecord): HybridConfig {
  return readHybridConfig(env, 'signing');
}

/**
 * Reads the environment of the event API, which outside development needs an event key.
 * @throws {ConfigError} names every missing or malformed variable
 */
export function parseEventsConfig(env: EnvRecord): HybridConfig {
  return readHybridConfig(env, 'event');
}

function readHybridConfig(env: EnvRecord, required: RequiredKey): HybridConfig {
  const { values, foundAs } = readSettings(env, {
    ...shared,
    ...inngestSettings(env, required),
    anySecretKey,
    databaseUrl: { names: ['SUPABASE_DB_URL', 'DATABASE_URL'], read: optional(postgresUrl) },
    inlineBudget: { names: ['INLINE_BUDGET_SECONDS'], read: withDefault(count, 10), shown: true },
    embeddings: {
      names: ['INNGEST_EMBEDDINGS_ENDPOINT'],
      read: withDefault(oneOf(['on', 'off'], 'on or off'), 'off'),
      shown: true,
    },
    allowedOrigins: { names: ['CORS_ALLOWED_ORIGINS'], read: withDefault(originList, []), shown: true },
    sweep: {
      names: ['JOBS_SWEEP'],
      read: withDefault(oneOf(sweepers, 'inngest or off'), 'off'),
      shown: true,
    },
  });
  const keys = supabaseKeys(values);
  return {
    inngest: toInngestConfig(env, values),
    supabase: { url: values.supabaseUrl, secretKey: preferred(keys) },
    processJob: processJobTarget(values.supabaseUrl, values.processJobSecret ?? preferred(keys)),
    databaseUrl: values.databaseUrl,
    github: gitHub(values, foundAs.githubToken),
    openai: { apiKey: values.openAiKey, baseUrl: values.openAiUrl },
    encryptionKeys: values.encryptionKeys,
    inlineBudgetSeconds: values.inlineBudget,
    sweepsByInngest: values.sweep === 'inngest',
    splitsOffEmbeddings: values.embeddings === 'on',
    allowedOrigins: values.allowedOrigins,
    scheduler: values.scheduler,
    logLevel: values.logLevel,
    warnings: deprecations(foundAs),
  };
}

/**
 * Reads the environment of `process-job`.
 * @throws {ConfigError} names every missing or malformed variable
 */
export function parseProcessJobConfig(env: EnvRecord): ProcessJobConfig {
  const { values, foundAs } = readSettings(env, {
    ...shared,
    ...inngestSettings(env, null),
    anySecretKey,
    wallSeconds: { names: ['EDGE_WALL_SECONDS'], read: withDefault(count, 150), shown: true },
    concurrency: { names: ['EDGE_CONCURRENCY'], read: withDefault(count, 10), shown: true },
    leaseSeconds: {
      names: ['EDGE_LEASE_SECONDS'],
      read: withDefault(count, defaultLeaseSeconds),
      shown: true,
    },
  });
  const keys = supabaseKeys(values);
  const wakeKey = values.processJobSecret ?? preferred(keys);
  return {
    supabase: { url: values.supabaseUrl, secretKey: preferred(keys) },
    acceptedKeys: [...new Set([wakeKey, ...keys])],
    processJob: processJobTarget(values.supabaseUrl, wakeKey),
    inngestEvents: toEventApi(toInngestConfig(env, values)),
    github: gitHub(values, foundAs.githubToken),
    openai: { apiKey: values.openAiKey, baseUrl: values.openAiUrl },
    encryptionKeys: values.encryptionKeys,
    wallSeconds: values.wallSeconds,
    concurrency: values.concurrency,
    leaseSeconds: values.leaseSeconds,
    logLevel: values.logLevel,
    warnings: deprecations(foundAs),
  };
}

interface KeyValues {
  secretKey: string | undefined;
  secretKeys: string[] | undefined;
  serviceRoleKey: string | undefined;
}

/**
 * Reads the environment of the always-on worker.
 * @throws {ConfigError} names every missing or malformed variable
 */
export function parseWorkerConfig(env: EnvRecord): WorkerConfig {
  const { githubToken, githubUrl, openAiKey, openAiUrl, encryptionKeys, logLevel, scheduler } = shared;
  const { values, foundAs } = readSettings(env, {
    ...{ githubToken, githubUrl, openAiKey, openAiUrl, encryptionKeys, logLevel, scheduler },
    ...inngestSettings(env, null),
    databaseUrl: { names: ['SUPABASE_DB_URL', 'DATABASE_URL'], read: required(aPostgresUrl, postgresUrl) },
    concurrency: { names: ['WORKER_CONCURRENCY'], read: withDefault(count, 10), shown: true },
    leaseSeconds: {
      names: ['WORKER_LEASE_SECONDS'],
      read: withDefault(count, defaultLeaseSeconds),
      shown: true,
    },
    drainSeconds: { names: ['WORKER_DRAIN_SECONDS'], read: withDefault(count, 25), shown: true },
    keepDays: { names: ['KEEP_JOBS_DAYS'], read: withDefault(wholeNumberFrom(7), 30), shown: true },
    embeddingModelPath: {
      names: ['EMBEDDING_MODEL_PATH'],
      read: optional((text) => text),
      shown: true,
    },
    supabaseUrl: { ...shared.supabaseUrl, read: optional(httpUrl) },
    processJobSecret: shared.processJobSecret,
    ...{ secretKey: shared.secretKey, secretKeys: shared.secretKeys, serviceRoleKey: shared.serviceRoleKey },
  });
  const wakeKey = values.processJobSecret ?? supabaseKeys(values)[0];
  const { databaseUrl, concurrency, leaseSeconds, drainSeconds, keepDays } = values;
  return {
    ...{ databaseUrl, concurrency, leaseSeconds, drainSeconds, keepDays },
    processJob: values.supabaseUrl && wakeKey ? processJobTarget(values.supabaseUrl, wakeKey) : undefined,
    embeddingModelPath: values.embeddingModelPath,
    inngestEvents: toEventApi(toInngestConfig(env, values)),
    scheduler: values.scheduler,
    github: gitHub(values, foundAs.githubToken),
    openai: { apiKey: values.openAiKey, baseUrl: values.openAiUrl },
    encryptionKeys: values.encryptionKeys,
    logLevel: values.logLevel,
    warnings: [...deprecations(foundAs), ...poolerWarnings(databaseUrl)],
  };
}

/** The port of Supabase's transaction pooler. */
function poolerWarnings(databaseUrl: string): string[] {
  if (new URL(databaseUrl).port !== '6543') return [];
  return [
    'port 6543 is the transaction pooler, which keeps neither LISTEN nor prepared statements: use 5432, direct or in session mode',
  ];
}

/** Best first: the named key, the platform's dictionary, the legacy key. */
function supabaseKeys({ secretKey, secretKeys, serviceRoleKey }: KeyValues): string[] {
  return [secretKey, ...(secretKeys ?? []), serviceRoleKey].filter((key) => key !== undefined);
}

/** `anySecretKey` has refused an environment without a key. */
function preferred(keys: string[]): string {
  const [first] = keys;
  if (first === undefined)
    throw new ConfigError('configuration: expected a Supabase secret key, got nothing');
  return first;
}

function processJobTarget(supabaseUrl: string, key: string): ProcessJobTarget {
  return { url: `${supabaseUrl}/functions/v1/process-job`, key };
}

function gitHub(
  values: { githubToken: string | undefined; githubUrl: string },
  foundAs: string | null,
): GitHubConfig {
  return { token: values.githubToken, tokenName: foundAs ?? 'GITHUB_TOKEN', baseUrl: values.githubUrl };
}

function deprecations(foundAs: { githubToken: string | null }): string[] {
  if (foundAs.githubToken !== 'VITE_GITHUB_TOKEN') return [];
  return [
    'VITE_GITHUB_TOKEN is deprecated, because Vite puts VITE_ variables into the browser bundle: use GITHUB_TOKEN',
  ];
}
