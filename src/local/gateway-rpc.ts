import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import pg from 'pg';
import {
  createFunctionCalls,
  UnknownFunctionError,
  type FunctionCall,
  type FunctionCalls,
} from '../database/function-call.ts';
import { withClient } from '../database/pooled-client.ts';
import { DatabaseUnreachableError } from '../database/rpc.ts';
import { KeyError, type Caller, type KeyRing } from './gateway-keys.ts';
import { sqlstateToStatus } from './gateway-status.ts';

const UNDEFINED_FUNCTION = '42883';

/** The four keys of PostgREST's error body. */
interface Refusal {
  code: string;
  details: string | null;
  hint: string | null;
  message: string;
}

interface Answer {
  returns: FunctionCall['returns'];
  /** JSON text. */
  body: string | null;
}

class BadBodyError extends Error {
  override readonly name = 'BadBodyError';
}

/**
 * Answers `POST /rest/v1/rpc/:name` as PostgREST does: one call, in one transaction, as the caller's role. A caller who
 * goes away stops nothing, the statement runs on; `closing` cancels it.
 */
export function createRpcEndpoint(
  pool: pg.Pool,
  identify: KeyRing,
  closing: AbortSignal,
): (c: Context) => Promise<Response> {
  const calls = createFunctionCalls();
  return async (c) => {
    const name = c.req.param('name') ?? '';
    let caller: Caller | undefined;
    try {
      // Even of a stranger: an unread body would have the server end the connection under the caller's next request.
      const body = await c.req.text();
      caller = await identify(c.req.raw.headers);
      const args = readArguments(body);
      const work = runAs(caller, name, args, calls);
      return answer(await withClient(pool, work, closing));
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.code === UNDEFINED_FUNCTION) calls.forget(name);
      return refuse(c, error, caller);
    }
  };
}

/** An empty body calls without arguments. */
function readArguments(body: string): Record<string, unknown> {
  let args: unknown;
  try {
    args = body === '' ? {} : JSON.parse(body);
  } catch (cause) {
    throw new BadBodyError('Empty or invalid json', { cause });
  }
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    throw new BadBodyError('Expected the arguments as one JSON object');
  }
  return args as Record<string, unknown>;
}

function runAs(caller: Caller, name: string, args: Record<string, unknown>, calls: FunctionCalls) {
  return async (client: pg.PoolClient): Promise<Answer> => {
    const { text, values, returns } = await calls.write(client, name, args);
    await client.query(beginAs(caller));
    try {
      const { rows } = await client.query<{ body: string | null }>(text, values);
      await client.query('commit');
      return { returns, body: rows[0]?.body ?? null };
    } catch (error) {
      // An error of our own making: nobody answers there, and a connection that is given up ends its transaction.
      if (error instanceof pg.DatabaseError) await rollBack(client);
      throw error;
    }
  };
}

function beginAs({ role, claims }: Caller): string {
  const json = pg.escapeLiteral(JSON.stringify(claims));
  return `begin; set local role ${role}; select set_config('request.jwt.claims', ${json}, true)`;
}

async function rollBack(client: pg.PoolClient): Promise<void> {
  await client.query('rollback').catch(() => {
    // The connection is gone, and with it the transaction; the first error says why.
  });
}

function answer({ returns, body }: Answer): Response {
  if (returns === 'void') return new Response(null, { status: 204 });
  return new Response(body ?? 'null', { headers: { 'content-type': 'application/json; charset=utf-8' } });
}

function refuse(c: Context, error: unknown, caller: Caller | undefined): Response {
  if (error instanceof KeyError) {
    const { code, hint, message } = error;
    return c.json({ code, hint, message }, 401);
  }
  const { status, ...refusal } = describe(error, caller?.role ?? 'anon');
  return c.json(refusal, status as ContentfulStatusCode);
}

function describe(error: unknown, role: Caller['role']): Refusal & { status: number } {
  const nothing = { details: null, hint: null };
  if (error instanceof BadBodyError) {
    return { ...nothing, status: 400, code: 'PGRST102', message: error.message };
  }
  if (error instanceof UnknownFunctionError) {
    return { status: 404, code: error.code, details: error.details, hint: null, message: error.message };
  }
  if (error instanceof pg.DatabaseError) {
    const { code = 'XX000', detail: details = null, hint = null, message } = error;
    return { status: sqlstateToStatus(code, role), code, details, hint, message };
  }
  // PostgREST's own codes: no connection to be had, and a connection lost on the way.
  const code = error instanceof DatabaseUnreachableError ? 'PGRST000' : 'PGRST001';
  return { ...nothing, status: 503, code, message: 'Database connection error' };
}
