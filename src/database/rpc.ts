import type { RpcCall, RpcOptions } from './rpc-call.ts';

/**
 * The one seam between this project and its database: every read and write is a call of a SQL function by name.
 * Two drivers implement it: `supabase-rpc.ts` (HTTP, PostgREST) and `pg-rpc.ts` (TCP). Both give the same JSON:
 * a set-returning function gives an array of row objects, a scalar function its bare value, a void one null.
 *
 * `call` is `name, args?, options?`: a SQL function in schema `public` and its arguments by name; undefined ones are
 * left to the function's defaults. The compiler checks both against `generated-types.ts`.
 *
 * @throws {RpcError} the database refused the call
 * @throws {DatabaseUnreachableError} no answer from the database: nothing is known about the outcome
 * @throws {LeaseLostError} the call was to happen under a lease, which is lost
 */
export type Rpc = <Result>(...call: RpcCall) => Promise<Result>;

/** What the drivers implement: {@link Rpc} for functions of any name, which only the database checks. */
export type UncheckedRpc = <Result>(
  name: string,
  args?: Record<string, unknown>,
  options?: RpcOptions,
) => Promise<Result>;

/** The database answered with an error. `code` is the SQLSTATE (or PostgREST's own `PGRST…` code). */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly functionName: string;
  readonly code: string;
  readonly details: string | null;
  readonly hint: string | null;

  constructor(
    functionName: string,
    answer: { code: string; message: string; details?: string | null; hint?: string | null },
    options?: ErrorOptions,
  ) {
    super(`${functionName}: ${answer.message}`, options);
    this.functionName = functionName;
    this.code = answer.code;
    this.details = answer.details ?? null;
    this.hint = answer.hint ?? null;
  }
}

/** The database lacks migrations that this code was made with; the message says which versions. */
export class SchemaOutdatedError extends RpcError {}

/** The database did not answer: refused connection, time-out, cut connection, or a gateway's 502/503/504. */
export class DatabaseUnreachableError extends Error {
  override readonly name = 'DatabaseUnreachableError';
}

/** The call was to happen under a lease, which is lost: nothing happened. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}
