/** Supabase's side: the gateway before the database, and the edge runtime that starts `process-job` in Deno. */
import { fileURLToPath } from 'node:url';
import { denoPath } from '../../src/local/deno-path.ts';
import { type EdgeRuntime, startEdgeRuntime } from '../../src/local/edge-runtime.ts';
import { startGateway } from '../../src/local/gateway.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';
import { createMortal } from '../points/mortal.ts';
import { makeQueriesMortal } from '../points/query-points.ts';
import { keys } from '../system/keys.ts';

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const { CHAOS_CONTROLLER = '', PORT, DATABASE_URL = '', DENO_CACHE = '', ...env } = process.env;
makeQueriesMortal(createMortal({ controller: CHAOS_CONTROLLER, role: 'gateway', pid: process.pid, fetch }));
const log = createNodeLogger({ level: 'error' });
const late: { edge?: EdgeRuntime } = {};
const gateway = await startGateway({
  port: Number(PORT),
  databaseUrl: DATABASE_URL,
  keys,
  functions: async (name, request) => await late.edge?.handle(name, request),
  log,
});
if (!gateway.url.endsWith(`:${PORT}`)) throw new Error(`expected port ${PORT}, got ${gateway.url}`);
late.edge = startEdgeRuntime({
  functions: { 'process-job': fromRoot('chaos/processes/edge-process.ts') },
  env: {
    SUPABASE_URL: gateway.url,
    SUPABASE_SECRET_KEY: keys.secret,
    CHAOS_CONTROLLER,
    EDGE_LEASE_SECONDS: env['EDGE_LEASE_SECONDS'] ?? '',
    CHAOS_SKEW_MS: env['CHAOS_SKEW_MS'] ?? '',
    LOG_LEVEL: 'error',
  },
  configPath: fromRoot('deno.json'),
  cacheDir: DENO_CACHE,
  denoPath,
  onChildren: (pids) => process.send?.(pids),
  log,
});
process.send?.([]);
process.on('disconnect', () => process.exit());
