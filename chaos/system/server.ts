import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../../src/local/postgres-orphan.ts';
import { type PostgresServer, startPostgres } from '../../src/local/postgres.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { signal } from './signal.ts';

/** A Postgres that can be killed, and recovers from its log as after a power cut. */
export interface Server {
  port(): number;
  /** Of a connection past the proxy. */
  url(): string;
  /** kill -9 of the server and all of its processes, then a start. Resolves when it answers again. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

export async function startServer(dataDir: string, log: Logger): Promise<Server> {
  // Default durability: an acknowledged commit is on the disk.
  const start = (): Promise<PostgresServer> => startPostgres({ dataDir, persistent: true, log });
  let server = await start();

  return {
    port: () => server.port,
    url: () => server.url,
    async crash() {
      const pids = await processes(dataDir);
      pids.forEach((pid) => signal(pid, 'SIGKILL'));
      while (pids.some(isAlive)) await sleep(10);
      server = await start();
    },
    stop: () => server.stop(),
  };
}

async function processes(dataDir: string): Promise<number[]> {
  const [first] = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n');
  const postmaster = Number(first);
  const children = await readFile(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8');
  return [postmaster, ...children.trim().split(/\s+/).filter(Boolean).map(Number)];
}
