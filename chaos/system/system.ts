import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort, { portNumbers } from 'get-port';
import pg from 'pg';
import { migrate } from '../../src/local/migrate.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';
import { openLedger } from '../ledger/ledger.ts';
import { type Child, startChild } from './child.ts';
import { type Controller, startController } from './controller.ts';
import { keys, signingKey } from './keys.ts';
import { type Proxy, startProxy } from './proxy.ts';
import type { SmallDisk } from './small-disk.ts';
import { type Server, startServer } from './server.ts';

/** The system under test: real processes around a real Postgres, each reachable only as its host lets it be reached. */
export interface System {
  /** Folder of the database's cluster. */
  dataDir: string;
  /** For the matrix itself: past the proxy, and opened again when the database was away. */
  pool: () => pg.Pool;
  server: Server;
  proxy: Proxy;
  controller: Controller;
  workers: readonly Child[];
  gateway: Child;
  netlify: Child;
  /** Process ids of `process-job`. */
  isolates: () => readonly number[];
  /** Where events go. */
  inngestUrl: string;
  close(): Promise<void>;
}

export interface SystemOptions {
  /** Settings of the product, as variables of its processes. */
  settings: Record<string, string>;
  log: (line: string) => void;
  /** For the database; removed at the end. Default: a new folder among the temporary ones. */
  disk?: SmallDisk;
}

/** Starts everything. Half-started parts are stopped when one fails. */
export async function startSystem({ settings, log, disk }: SystemOptions): Promise<System> {
  const folder = await mkdtemp(join(tmpdir(), 'hybrid-jobs-chaos-'));
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  if (disk) stops.push(() => disk.remove());
  const close = async (): Promise<void> => {
    for (let stop = stops.pop(); stop; stop = stops.pop()) await stop();
  };
  try {
    return { ...(await start(folder, join(disk?.folder ?? folder, 'data'), stops, settings, log)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  folder: string,
  dataDir: string,
  stops: (() => Promise<unknown>)[],
  settings: Record<string, string>,
  log: (line: string) => void,
): Promise<Omit<System, 'close'>> {
  const serverLog = createNodeLogger({ level: 'silent' });
  const server = await startServer(dataDir, serverLog);
  stops.push(() => server.stop());
  await migrate(server.url(), serverLog);
  const pools = reopening(server);
  stops.push(() => pools.close());
  await openLedger(pools.open());
  const proxy = await startProxy(server.port());
  stops.push(() => proxy.close());
  const controller = await startController();
  stops.push(() => controller.close());
  const [gatewayPort, netlifyPort] = [await fixedPort(), await fixedPort()];
  const cache = join(folder, 'deno');
  await mkdir(cache);
  const supabaseUrl = `http://127.0.0.1:${gatewayPort}`;
  const env = {
    DATABASE_URL: `postgres://postgres:postgres@127.0.0.1:${proxy.port}/postgres`,
    SUPABASE_URL: supabaseUrl,
    SUPABASE_SECRET_KEY: keys.secret,
    INNGEST_SIGNING_KEY: signingKey,
    CHAOS_CONTROLLER: controller.url,
    LOG_LEVEL: 'error',
    ...settings,
  };
  const child = async (name: string, file: string, more: Record<string, string> = {}): Promise<Child> => {
    const started = await startChild({ name, file, env: { ...env, ...more }, log });
    stops.push(() => started.close());
    return started;
  };
  const gateway = await child('gateway', 'gateway-process.ts', {
    PORT: String(gatewayPort),
    DENO_CACHE: cache,
  });
  const workers = [
    await child('worker 1', 'worker-process.ts'),
    await child('worker 2', 'worker-process.ts'),
  ];
  const netlify = await child('netlify', 'netlify-process.ts', { PORT: String(netlifyPort) });
  return {
    ...{ dataDir, server, proxy, controller, workers, gateway, netlify },
    pool: pools.open,
    isolates: () => gateway.children(),
    inngestUrl: `http://127.0.0.1:${netlifyPort}/api/inngest`,
  };
}

/** One that the system gives to no outgoing connection while its process is being started again. */
async function fixedPort(): Promise<number> {
  const first = 20_000 + 10 * (process.pid % 1000);
  return await getPort({ port: portNumbers(first, first + 9), host: '127.0.0.1' });
}

/** The server may come back on another port. */
function reopening(server: Server): { open: () => pg.Pool; close: () => Promise<void> } {
  const pools = new Map<string, pg.Pool>();
  return {
    open() {
      const known = pools.get(server.url());
      if (known) return known;
      const pool = new pg.Pool({ connectionString: server.url(), max: 4 });
      pool.on('error', () => undefined);
      pool.on('connect', (client) => client.on('error', () => undefined));
      pools.set(server.url(), pool);
      return pool;
    },
    close: async () => void (await Promise.all([...pools.values()].map((pool) => pool.end()))),
  };
}
