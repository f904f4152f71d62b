import pg from 'pg';
import { DatabaseUnreachableError } from './rpc.ts';

const CANCEL_CONNECT_MILLISECONDS = 5_000;

/**
 * Runs `work` on a client of the pool. After an error that did not come from the server the client is closed.
 *
 * On abort this rejects at once with the signal's reason; behind the scenes the running statement is cancelled and the
 * client closed, so that a late cancellation cannot hit the next user of the connection.
 *
 * @throws {DatabaseUnreachableError} no client to be had
 */
export async function withClient<Result>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  signal?.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(new Error('aborted'));
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([aborted, useClient(pool, work, signal)]);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

async function useClient<Result>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  const client = await connect(pool);
  let usable = true;
  const onError = () => (usable = false);
  const onAbort = () => {
    usable = false;
    void abandon(pool, client);
  };
  // Without a listener a connection lost during the work would end the process; its query rejects as well.
  client.on('error', onError);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    return await work(client);
  } catch (error) {
    usable &&= leavesUsable(error) || signal?.aborted === true;
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    if (usable) client.off('error', onError);
    client.release(!usable);
  }
}

/** After a FATAL error the server ends the session. */
function leavesUsable(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === 'ERROR';
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (cause) {
    throw new DatabaseUnreachableError('no connection to the database', { cause });
  }
}

async function abandon(pool: pg.Pool, client: pg.PoolClient): Promise<void> {
  await cancelStatement(pool, client).catch(() => {
    // Nobody waits for the answer any more, and the connection is closed either way.
  });
  await (client as pg.PoolClient & pg.Client).end();
}

async function cancelStatement(pool: pg.Pool, client: pg.PoolClient): Promise<void> {
  const { processID } = client as pg.PoolClient & { processID: number };
  const messenger = new pg.Client({ ...pool.options, connectionTimeoutMillis: CANCEL_CONNECT_MILLISECONDS });
  messenger.on('error', () => {});
  try {
    await messenger.connect();
    await messenger.query('select pg_cancel_backend($1)', [processID]);
  } finally {
    await messenger.end();
  }
}
