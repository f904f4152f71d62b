import { createHash } from 'node:crypto';
import pg from 'pg';
import { createFunctionCalls, UnknownFunctionError } from './function-call.ts';
import { withClient } from './pooled-client.ts';
import { DatabaseUnreachableError, RpcError, type UncheckedRpc } from './rpc.ts';
import { underLease } from './under-lease.ts';
import { meansUnreachable } from './unreachable.ts';

const UNDEFINED_FUNCTION = '42883';

/**
 * The `Rpc` port over TCP. The first call of a function reads its signature; later ones are one round trip.
 *
 * An aborted call rejects at once with the signal's reason. Its statement is cancelled where the connection is direct;
 * behind a transaction pooler, which hides the real backend, it may run on.
 *
 * @param pool - the caller's; its time-outs apply and count as an unreachable database
 * @param options.prepare - use named prepared statements: saves planning, but only on direct or session connections,
 *   a transaction pooler (Supabase port 6543) breaks them. Default false.
 */
export function createPgRpc(pool: pg.Pool, { prepare = false }: { prepare?: boolean } = {}): UncheckedRpc {
  return underLease(createCalls(prepare, (work, signal) => withClient(pool, work, signal)));
}

/** The `Rpc` port over one session, the caller's: its calls are prepared, wait for each other, and cannot be aborted. */
export function createSessionRpc(client: pg.ClientBase): UncheckedRpc {
  let turn: Promise<unknown> = Promise.resolve();
  return createCalls(true, (work) => {
    const done = turn.then(() => work(client));
    turn = done.catch(() => undefined);
    return done;
  });
}

type Work = (client: pg.ClientBase) => Promise<string | null>;

function createCalls(
  prepare: boolean,
  onClient: (work: Work, signal?: AbortSignal) => Promise<string | null>,
): UncheckedRpc {
  const calls = createFunctionCalls();
  const nameOf = createStatementNames();
  return async <Result>(...[name, args = {}, { signal } = {}]: Parameters<UncheckedRpc>) => {
    signal?.throwIfAborted();
    try {
      const work: Work = async (client) => {
        const { text, values } = await calls.write(client, name, args);
        const { rows } = await client.query<{ body: string | null }>(
          prepare ? { name: nameOf(text), text, values } : { text, values },
        );
        return rows[0]?.body ?? null;
      };
      const body = await onClient(work, signal);
      return (body === null ? null : JSON.parse(body)) as Result;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof pg.DatabaseError && error.code === UNDEFINED_FUNCTION) calls.forget(name);
      throw toFailure(name, error);
    }
  };
}

/** Statement names are at most 63 bytes long: the hash of the text. */
function createStatementNames(): (text: string) => string {
  const names = new Map<string, string>();
  return (text) => {
    const known = names.get(text) ?? createHash('sha256').update(text).digest('hex').slice(0, 32);
    names.set(text, known);
    return known;
  };
}

function toFailure(name: string, error: unknown): unknown {
  if (error instanceof UnknownFunctionError) return new RpcError(name, error, { cause: error });
  if (error instanceof pg.DatabaseError && !meansUnreachable(error.code ?? ''))
    return toRpcError(name, error);
  // An argument that JSON cannot hold: the caller's mistake, nothing was sent.
  if (error instanceof TypeError) return error;
  return new DatabaseUnreachableError(`${name}: the database did not answer`, { cause: error });
}

function toRpcError(name: string, error: pg.DatabaseError): RpcError {
  const { code = 'XX000', message, detail, hint } = error;
  return new RpcError(name, { code, message, details: detail, hint }, { cause: error });
}
