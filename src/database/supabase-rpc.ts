import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { toJson } from './json.ts';
import { DatabaseUnreachableError, RpcError, type UncheckedRpc } from './rpc.ts';
import { explainMissing } from './schema-check.ts';
import { underLease } from './under-lease.ts';
import { meansUnreachable } from './unreachable.ts';

/** What supabase-js answers; it never throws. */
interface Answer {
  data: unknown;
  error: { code?: string; message: string; details?: string | null; hint?: string | null } | null;
  status: number;
}

/**
 * The `Rpc` port over HTTP (PostgREST) on an existing supabase-js client. A call is sent once: whether it may be
 * repeated, only the caller knows. An aborted call rejects with the signal's reason; the database may still finish it.
 *
 * @param options.timeoutMs - a call without an answer for so long has an unreachable database. Default: 60,000
 */
export function createSupabaseRpc(
  client: Pick<SupabaseClient, 'rpc'>,
  { timeoutMs = 60_000 }: { timeoutMs?: number } = {},
): UncheckedRpc {
  return underLease(async <Result>(...[name, args = {}, { signal } = {}]: Parameters<UncheckedRpc>) => {
    signal?.throwIfAborted();
    const answer: Answer = await withinTime(timeoutMs, signal, (either) =>
      client.rpc(name, args).abortSignal(either),
    );
    if (!answer.error) return answer.data as Result;
    signal?.throwIfAborted();
    // supabase-js reports arguments that JSON cannot hold as a lost connection; here they throw their TypeError.
    if (answer.status === 0) toJson(args);
    throw toFailure(name, answer.status, answer.error);
  });
}

/**
 * @param options.url - of the Supabase project, e.g. `https://abcdefgh.supabase.co`
 * @param options.key - secret key (`sb_secret_…`) or the legacy service role key
 * @param options.accessToken - of a signed-in user, as whom to call. Default: as `service_role`, by the key
 * @param options.timeoutMs - as for {@link createSupabaseRpc}
 */
export function createSupabaseClientRpc(options: {
  url: string;
  key: string;
  accessToken?: string;
  fetch?: typeof fetch;
  timeoutMs?: number;
}): UncheckedRpc {
  const { accessToken } = options;
  const headers: Record<string, string> =
    accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` };
  const client = createClient(options.url, options.key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch: options.fetch, headers },
  });
  return explainMissing(createSupabaseRpc(client, options));
}

/** Without it a silent gateway would keep a drain, and every outcome that it has to write, waiting for ever. */
async function withinTime<Result>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  send: (signal: AbortSignal) => PromiseLike<Result>,
): Promise<Result> {
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    return await send(signal ? AbortSignal.any([signal, clock.signal]) : clock.signal);
  } finally {
    clearTimeout(timer);
  }
}

function toFailure(name: string, status: number, error: NonNullable<Answer['error']>): Error {
  const code = error.code ?? '';
  if (meansUnreachable(code) || (code === '' && isOutage(status))) {
    const reason = status === 0 ? error.message : `status ${status}`;
    return new DatabaseUnreachableError(`${name}: the database did not answer (${reason})`, { cause: error });
  }
  // A gateway in front of PostgREST refuses without a code, e.g. an unknown key.
  return new RpcError(name, { ...error, code: code === '' ? `HTTP${status}` : code }, { cause: error });
}

/** No connection at all (0), a gateway without its upstream (502–504), or Cloudflare without its origin (520–530). */
function isOutage(status: number): boolean {
  return status === 0 || (status >= 502 && status <= 504) || (status >= 520 && status <= 530);
}
