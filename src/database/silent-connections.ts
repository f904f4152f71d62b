import pg from 'pg';
import type { Logger } from '../runtime/logger.ts';

/** A connection that answers one question must not be waited for either, in milliseconds. */
const connectTimeoutMs = 5_000;

/** Those of our backends that wait for us, and have for `$2` milliseconds, while we wait for them. */
const waitingForUs = `
  select pid from pg_catalog.pg_stat_activity
  where pid = any($1::integer[]) and application_name = current_setting('application_name') and state like 'idle%'
    and state_change < clock_timestamp() - $2 * interval '1 millisecond'`;

/** Looks after the calls of a pool that wait long. */
export interface SilenceWatch {
  stop(): void;
}

/**
 * Finds connections that both ends believe to be open, and that carry nothing any more, long before a call on them would
 * time out: the database, asked on a new connection, says that it works on nothing for them. Their calls fail as those of
 * an unreachable database. A call that the database does work on may take its time.
 *
 * Behind a pooler that hides the real backends nothing is found, and the pool's own time-out has to do.
 *
 * @param options.pool - whose clients are taken for one call at a time; one that only listens would be taken for silent
 * @param options.connection - of the same role and application name
 * @param options.everyMs - a call is asked about when it has waited for one to two times as long. Default: 5,000
 */
export function watchForSilence(options: {
  pool: pg.Pool;
  connection: pg.ClientConfig;
  log: Logger;
  everyMs?: number;
}): SilenceWatch {
  const { pool, connection, log, everyMs = 5_000 } = options;
  /** Clients in use, and whether they already were at the last look. */
  const inUse = new Map<pg.PoolClient, 'new' | 'seen'>();
  let asking = false;

  async function look(): Promise<void> {
    const suspects = [...inUse].flatMap(([client, age]) => (age === 'seen' ? [client] : []));
    for (const client of inUse.keys()) inUse.set(client, 'seen');
    if (suspects.length === 0 || asking) return;
    asking = true;
    try {
      log.debug({ calls: suspects.length }, 'calls wait long, asking whether the database works on them');
      const silent = await askWhich(connection, suspects.map(pidOf), everyMs);
      for (const client of suspects)
        if (silent.has(pidOf(client)) && inUse.get(client) === 'seen') giveUp(client);
    } catch (error) {
      log.warn({ error: String(error) }, 'could not ask about calls that wait long');
    } finally {
      asking = false;
    }
  }

  function giveUp(client: pg.PoolClient): void {
    log.warn({ pid: pidOf(client) }, 'a connection carries nothing any more, closing it');
    void (client as pg.PoolClient & pg.Client).end();
  }

  pool.on('acquire', (client) => inUse.set(client, 'new'));
  pool.on('release', (_error, client) => inUse.delete(client));
  const timer = setInterval(() => void look(), everyMs);
  return { stop: () => clearInterval(timer) };
}

function pidOf(client: pg.PoolClient): number {
  return (client as pg.PoolClient & { processID: number }).processID;
}

async function askWhich(connection: pg.ClientConfig, pids: number[], idleMs: number): Promise<Set<number>> {
  const times = { connectionTimeoutMillis: connectTimeoutMs, query_timeout: connectTimeoutMs };
  const client = new pg.Client({ ...connection, ...times });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ pid: number }>(waitingForUs, [pids, idleMs]);
    return new Set(rows.map(({ pid }) => pid));
  } finally {
    await client.end();
  }
}
