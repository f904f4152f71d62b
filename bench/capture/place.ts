import pg from 'pg';
import { createPgRpc } from '../../src/database/pg-rpc.ts';
import type { GitHubStandInOptions } from '../../src/local/github/stand-in.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';
import { milliseconds } from '../measure.ts';
import { countCalls, type CountedRpc } from './counted-rpc.ts';
import { startGitHub, type MeasuredGitHub } from './github.ts';

/** A process that captures: its connections, its GitHub, and what both are asked. */
export interface Place {
  pool: pg.Pool;
  database: CountedRpc;
  github: MeasuredGitHub;
  log: Logger;
  close(): Promise<void>;
}

export async function openPlace(databaseUrl: string, options: GitHubStandInOptions): Promise<Place> {
  const log = createNodeLogger({ level: 'warn' });
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  // A connection that the server cuts while it closes must not end the process.
  pool.on('error', () => {});
  const database = countCalls(createPgRpc(pool, { prepare: true }));
  const github = await startGitHub(options, { rpc: database.rpc, log });
  const close = async (): Promise<void> => {
    await github.close();
    await pool.end();
  };
  return { pool, database, github, log, close };
}

export interface Measured {
  totalMs: number;
  /** Part of `totalMs` spent waiting for GitHub. */
  githubMs: number;
  /** The rest: our own code and the database. */
  ownMs: number;
  githubRequests: number;
  /** CPU time of this process: neither Postgres nor the stand-in is in it. */
  cpuMs: number;
}

export async function measured({ github }: Place, work: () => Promise<unknown>): Promise<Measured> {
  github.take();
  const cpuBefore = process.cpuUsage();
  const totalMs = await milliseconds(work);
  const { user, system } = process.cpuUsage(cpuBefore);
  const { requests: githubRequests, milliseconds: githubMs } = github.take();
  return { totalMs, githubMs, ownMs: totalMs - githubMs, githubRequests, cpuMs: (user + system) / 1000 };
}
