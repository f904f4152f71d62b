import pg from 'pg';
import { SIGNATURE_QUERY, writeCall, type Signature } from './function-call.ts';
import { DatabaseUnreachableError, RpcError, type Rpc } from './rpc.ts';

/**
 * The `Rpc` port over TCP. A function's signature is read at its first call and kept, so later calls are one round trip.
 */
export function createPgRpc(pool: pg.Pool): Rpc {
  const signatures = new Map<string, Signature[]>();
  return async <Result>(name: string, args: Record<string, unknown> = {}): Promise<Result> => {
    try {
      let known = signatures.get(name);
      if (!known) {
        const { rows } = await pool.query<{ signature: Signature }>(SIGNATURE_QUERY, [name]);
        known = rows.map(({ signature }) => signature);
        if (known.length > 0) signatures.set(name, known);
      }
      const call = writeCall(name, known, args);
      const { rows } = await pool.query<{ body: string | null }>(call.text, call.values);
      const body = rows[0]?.body ?? null;
      return (body === null ? null : JSON.parse(body)) as Result;
    } catch (error) {
      throw toRpcFailure(name, error);
    }
  };
}

function toRpcFailure(name: string, error: unknown): Error {
  if (error instanceof RpcError) return error;
  if (error instanceof pg.DatabaseError) {
    return new RpcError(
      name,
      { code: error.code ?? 'XX000', message: error.message, details: error.detail, hint: error.hint },
      { cause: error },
    );
  }
  return new DatabaseUnreachableError(`${name}: the database did not answer`, { cause: error });
}
