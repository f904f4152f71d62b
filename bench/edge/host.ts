import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { denoPath } from '../../src/local/deno-path.ts';
import { type EdgeRuntime, type EdgeRuntimeOptions, startEdgeRuntime } from '../../src/local/edge-runtime.ts';
import { startGateway } from '../../src/local/gateway.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';

/** Of the gateways that the benchmark starts. */
export const keys = {
  secret: 'sb_secret_of_the_benchmark',
  publishable: 'sb_publishable_of_the_benchmark',
  jwtSecret: 'a secret of more than thirty-two characters',
};

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** `process-job` in real Deno children behind the gateway of this process. */
export interface EdgeHost {
  /** What a client of it needs to know. */
  target: { supabaseUrl: string; secretKey: string };
  /** Starts the children; those before are ended. */
  boot(): Promise<EdgeRuntime>;
  /** @throws {Error} it answered anything but 2xx */
  wake(): Promise<void>;
  close(): Promise<void>;
}

export interface EdgeHostOptions extends Pick<EdgeRuntimeOptions, 'wallSeconds' | 'onChildren'> {
  databaseUrl: string;
  /** From the root. */
  entryFile: string;
  /** More variables of the function. */
  env?: Record<string, string>;
}

export async function startEdgeHost(options: EdgeHostOptions): Promise<EdgeHost> {
  // Names of isolates that were killed on purpose would fill the terminal.
  const log = createNodeLogger({ level: 'error' });
  const cacheDir = await mkdtemp(join(tmpdir(), 'hybrid-jobs-edge-'));
  let runtime: EdgeRuntime | undefined;
  const gateway = await startGateway({
    databaseUrl: options.databaseUrl,
    keys,
    functions: async (name, request) => await runtime?.handle(name, request),
    log,
  });
  const target = { supabaseUrl: gateway.url, secretKey: keys.secret };
  const { wallSeconds = 150 } = options;
  return {
    target,
    async boot() {
      await runtime?.close();
      runtime = startEdgeRuntime({
        functions: { 'process-job': fromRoot(options.entryFile) },
        env: {
          SUPABASE_URL: gateway.url,
          SUPABASE_SECRET_KEY: keys.secret,
          EDGE_WALL_SECONDS: String(wallSeconds),
          ...options.env,
        },
        configPath: fromRoot('deno.json'),
        ...{ denoPath, cacheDir, wallSeconds, onChildren: options.onChildren, log },
      });
      return runtime;
    },
    async wake() {
      const answer = await fetch(`${gateway.url}/functions/v1/process-job`, {
        method: 'POST',
        headers: { authorization: `Bearer ${keys.secret}` },
        body: '{}',
      });
      if (!answer.ok)
        throw new Error(`process-job answered ${answer.status}: ${(await answer.text()).slice(0, 200)}`);
    },
    async close() {
      await runtime?.close();
      await gateway.close();
      await rm(cacheDir, { recursive: true, force: true });
    },
  };
}
