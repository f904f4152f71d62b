import { join } from 'node:path';
import { ConfigError, type EnvRecord } from '../runtime/config-reader.ts';
import type { Logger } from '../runtime/logger.ts';
import { denoPath } from './deno-path.ts';
import { startEdgeRuntime, type EdgeRuntime } from './edge-runtime.ts';
import { startGateway } from './gateway.ts';
import type { GatewayKeys } from './gateway-keys.ts';
import { createChildNotes, killLeftovers } from './leftovers.ts';
import { createOperatorSessions, type OperatorSessions } from './operator-sessions.ts';
import type { StackPart } from './stack-state.ts';

export interface StackSupabase {
  parts: StackPart[];
  /** What its clients need to know. */
  env: Record<string, string>;
  sessions: OperatorSessions;
  stop(): Promise<void>;
}

/** Settings of the Edge Functions that a user may give to the stack. */
const edgeSettings = [
  'EDGE_WALL_SECONDS',
  'EDGE_CONCURRENCY',
  'EDGE_LEASE_SECONDS',
  'GITHUB_TOKEN',
  'GITHUB_API_URL',
  'OPENAI_API_KEY',
  'OPENAI_BASE_URL',
  'GITHUB_TOKEN_ENCRYPTION_KEY',
  'INLINE_BUDGET_SECONDS',
  'INNGEST_DEV',
  'INNGEST_ENV',
  'INNGEST_BASE_URL',
  'INNGEST_EVENT_KEY',
  'INNGEST_SIGNING_KEY',
  'INNGEST_PRODUCTION_EVENT_KEY',
  'INNGEST_PRODUCTION_SIGNING_KEY',
] as const;

const functionNames = ['process-job', 'inngest-prod'] as const;

/** Starts the local side of Supabase: the gateway, and behind it the Edge Functions in Deno. */
export async function startSupabase(options: {
  root: string;
  dataDir: string;
  databaseUrl: string;
  keys: GatewayKeys;
  /** The stack's environment so far; Edge Functions see only what concerns them. */
  env: EnvRecord;
  log: Logger;
}): Promise<StackSupabase> {
  const { dataDir, databaseUrl, keys, env, log } = options;
  const wallSeconds = wallLimit(env);
  const notes = join(dataDir, 'deno-children.json');
  await killLeftovers(notes, log);
  // Each needs the other: the gateway hands requests to functions, which call the gateway.
  const late: { edge?: EdgeRuntime } = {};
  const sessions = createOperatorSessions(keys.jwtSecret);
  const gateway = await startGateway({
    port: 54321,
    databaseUrl,
    keys,
    functions: async (name, request) => await late.edge?.handle(name, request),
    sessions,
    log,
  });
  const edge = startEdgeRuntime({
    functions: Object.fromEntries(
      functionNames.map((name) => [name, join(options.root, `supabase/functions/${name}/index.ts`)]),
    ),
    env: {
      ...edgeEnvironment(gateway.url, databaseUrl, keys),
      ...pick(env, edgeSettings),
    },
    denoPath,
    cacheDir: join(dataDir, 'deno'),
    configPath: join(options.root, 'deno.json'),
    wallSeconds,
    graceSeconds: 10,
    onChildren: createChildNotes(notes, log),
    log,
  });
  late.edge = edge;
  return {
    parts: [
      {
        name: 'Supabase gateway',
        where: gateway.url,
        note: 'only /rest/v1/rpc/*, /functions/v1/* and sign-in',
      },
      {
        name: 'process-job',
        where: `${gateway.url}/functions/v1/process-job`,
        note: 'Deno, started when woken',
      },
      {
        name: 'inngest-prod',
        where: `${gateway.url}/functions/v1/inngest-prod`,
        note: 'Deno, started when called: the core capture functions for Inngest',
      },
    ],
    env: {
      SUPABASE_URL: gateway.url,
      SUPABASE_SECRET_KEY: keys.secret,
      SUPABASE_PUBLISHABLE_KEY: keys.publishable,
    },
    sessions,
    stop: async () => {
      // Functions hand their jobs off when they end, for which they still need the gateway.
      await edge.close();
      await gateway.close();
    },
  };
}

/** `process-job` reads the limit, too; a mistake in it must show at start, not with the first job. */
function wallLimit(env: EnvRecord): number {
  const text = env['EDGE_WALL_SECONDS']?.trim() || '150';
  if (!/^[1-9]\d*$/.test(text))
    throw new ConfigError(`EDGE_WALL_SECONDS: expected a whole number from 1, got ${JSON.stringify(text)}`);
  return Number(text);
}

/** What hosted Supabase gives to every Edge Function. */
function edgeEnvironment(url: string, databaseUrl: string, keys: GatewayKeys): Record<string, string> {
  return {
    SUPABASE_URL: url,
    SUPABASE_DB_URL: databaseUrl,
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret }),
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable }),
  };
}

function pick(env: EnvRecord, names: readonly string[]): Record<string, string> {
  const found = names.flatMap((name) => (env[name] ? [[name, env[name]]] : []));
  return Object.fromEntries(found) as Record<string, string>;
}
