import pg from 'pg';
import { createPgRpc } from '../database/pg-rpc.ts';
import type { UncheckedRpc } from '../database/rpc.ts';
import { watchForSilence } from '../database/silent-connections.ts';
import type { Logger } from '../runtime/logger.ts';

/** The queue needs few connections: claims, heartbeats and completions are batched. Housekeeping holds up to three. */
const queuePoolSize = 8;

/** Calls of jobs wait for each other beyond this. */
const jobPoolSize = 10;

/** A database that does not answer for so long counts as away, in milliseconds. */
const connectTimeoutMs = 10_000;
const queryTimeoutMs = 60_000;
/**
 * The queue's own calls take milliseconds. A connection that both ends believe to be open, and that carries nothing any
 * more, is found out after this long: nothing is swept until then.
 */
const queueQueryTimeoutMs = 15_000;

/** What a worker has open to its database. Connections are made when they are needed. */
export interface Connections {
  /** For a connection of one's own. */
  config: pg.ClientConfig;
  /** For the queue and its upkeep. */
  pool: pg.Pool;
  rpc: UncheckedRpc;
  /** For what jobs ask. Apart, so that jobs that wait for a lock hold up no heartbeat. */
  jobRpc: UncheckedRpc;
  close(): Promise<void>;
}

/** @param name - shown in `pg_stat_activity` */
export function openConnections(databaseUrl: string, name: string, log: Logger): Connections {
  const config: pg.ClientConfig = {
    connectionString: databaseUrl,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: name,
  };
  const lost = (error: Error): void => log.warn({ error: error.message }, 'a connection was lost');

  function openPool(max: number, queryTimeout: number): pg.Pool {
    const pool = new pg.Pool({ ...config, max, query_timeout: queryTimeout });
    // An idle connection, and one in use: an error event that nobody hears would end the process.
    pool.on('error', lost);
    pool.on('connect', (client) => client.on('error', lost));
    return pool;
  }

  const pool = openPool(queuePoolSize, queueQueryTimeoutMs);
  const jobPool = openPool(jobPoolSize, queryTimeoutMs);
  const watch = watchForSilence({ pool: jobPool, connection: config, log });
  return {
    config,
    pool,
    rpc: createPgRpc(pool, { prepare: true }),
    jobRpc: createPgRpc(jobPool, { prepare: true }),
    async close() {
      watch.stop();
      await Promise.all([pool.end(), jobPool.end()]);
    },
  };
}
