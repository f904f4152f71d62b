import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
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
  /** Starts it where it has given up by itself, and waits until it answers. */
  revive(): Promise<void>;
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
    async revive() {
      const [postmaster] = await processes(dataDir).catch(() => []);
      if (postmaster === undefined || !isAlive(postmaster)) server = await start();
      else await answers(server.url);
    },
    stop: () => server.stop(),
  };
}

/** While it recovers from its log it refuses connections. */
async function answers(url: string): Promise<void> {
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      return;
    } catch {
      await sleep(50);
    } finally {
      await client.end();
    }
  }
}

async function processes(dataDir: string): Promise<number[]> {
  const [first] = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n');
  const postmaster = Number(first);
  const children = await readFile(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8');
  return [postmaster, ...children.trim().split(/\s+/).filter(Boolean).map(Number)];
}
