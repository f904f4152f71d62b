import { fileURLToPath } from 'node:url';
import { denoPath } from '../../src/local/deno-path.ts';
import { type EdgeRuntime, startEdgeRuntime } from '../../src/local/edge-runtime.ts';
import { startGateway } from '../../src/local/gateway.ts';
import { testKeys } from './drivers.ts';
import { silentLogger } from './silent-logger.ts';

export interface EdgeProcessJobOptions {
  databaseUrl: string;
  /** Relative to `tests/`. */
  entryFile: string;
  /** Deno's cache. */
  cacheDir: string;
  wallSeconds?: number;
  leaseSeconds?: number;
  /** More variables of the function. */
  env?: Record<string, string>;
}

/** `process-job` in real Deno children, with Supabase's gateway in front of it. */
export interface EdgeProcessJob {
  runtime: EdgeRuntime;
  post(body: object, key?: string): Promise<{ status: number; body: unknown }>;
  close(): Promise<void>;
}

const pathTo = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

export async function startEdgeProcessJob(options: EdgeProcessJobOptions): Promise<EdgeProcessJob> {
  const { wallSeconds = 150, leaseSeconds = 30 } = options;
  const gateway = await startGateway({
    databaseUrl: options.databaseUrl,
    keys: testKeys,
    functions: (name, request) => runtime.handle(name, request),
    log: silentLogger,
  });
  const runtime = startEdgeRuntime({
    functions: { 'process-job': pathTo(options.entryFile) },
    env: {
      SUPABASE_URL: gateway.url,
      SUPABASE_SECRET_KEY: testKeys.secret,
      EDGE_WALL_SECONDS: String(wallSeconds),
      EDGE_LEASE_SECONDS: String(leaseSeconds),
      ...options.env,
    },
    denoPath,
    configPath: pathTo('../deno.json'),
    cacheDir: options.cacheDir,
    wallSeconds,
    log: silentLogger,
  });
  return {
    runtime,
    async post(body, key = testKeys.secret) {
      const answer = await fetch(`${gateway.url}/functions/v1/process-job`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: await answer.json() };
    },
    async close() {
      await runtime.close();
      await gateway.close();
    },
  };
}
