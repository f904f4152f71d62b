import { DatabaseUnreachableError, type Rpc, RpcError } from '../database/rpc.ts';
import { NonRetryableError } from '../jobs/outcomes.ts';
import { mayPass } from '../queue/persist.ts';
import type { Logger } from '../runtime/logger.ts';
import type { SecretBox } from '../secrets/secret-box.ts';
import type { createSendEvent } from './send-event.ts';
import { refuseBadToken } from './signed-in-rpc.ts';
import { readStartRequest, RefusedRequestError, type StartRequest } from './start-request.ts';

export interface StartHandlerOptions {
  /** The database as `service_role`. */
  rpc: Rpc;
  /** The database as the user of an access token, which only the database's gateway checks. */
  openAsUser: (accessToken: string) => Rpc;
  secrets: SecretBox;
  send: ReturnType<typeof createSendEvent>;
  /** Called at every request of a signed-in user; none waits for it. */
  onRequest: () => void;
  log: Logger;
}

interface Started {
  id: string;
  user_id: string;
  status: 'pending' | 'running';
  created: boolean;
}

/**
 * `POST {repo_id}` by a signed-in user: 202 when the analysis waits to be run, 200 when it is running already, both
 * `{id, status}`; else `{error}`. Calling again is harmless: a pending analysis is handed to the queue again, in case it
 * never got there.
 */
export function createStartHandler(options: StartHandlerOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      const asked = await readStartRequest(request);
      const asUser = refuseBadToken(options.openAsUser(asked.accessToken), options.log);
      await keepSecrets(asked, asUser, options);
      const { id, status, created, user_id: userId } = await start(asUser, asked.repo_id);
      options.onRequest();
      if (status === 'running') return answer(200, { id, status });
      const data = { jobId: id, userId, repoId: asked.repo_id };
      await options.send({ id, name: 'repo/analyze.requested', data }, { isRepeated: !created });
      return answer(202, { id, status });
    } catch (error) {
      return answerFailure(error, options.log);
    }
  };
}

async function start(asUser: Rpc, repoId: string): Promise<Started> {
  const [started] = await asUser<Started[]>('start_analysis', { repo_id: repoId });
  if (!started) throw new Error('start_analysis answered no row');
  return started;
}

/** Before the start, since an own key lifts the plan's limit. */
async function keepSecrets(
  { github_token, openai_key }: StartRequest,
  asUser: Rpc,
  { rpc, secrets }: StartHandlerOptions,
): Promise<void> {
  const given = Object.entries({ github: github_token, openai: openai_key });
  if (given.every(([, secret]) => secret === undefined)) return;
  const userId = await asUser<string>('get_signed_in_user');
  for (const [provider, secret] of given) {
    if (secret === undefined) continue;
    const { sealed, keyId } = await secrets.seal(secret, { userId, purpose: provider });
    await rpc('store_user_credential', { user_id: userId, provider, ciphertext: sealed, key_id: keyId });
  }
}

function answerFailure(error: unknown, log: Logger): Response {
  if (error instanceof RefusedRequestError) return refuse(error.status, error.message);
  // Only `seal` throws one: there is no key to seal with.
  if (error instanceof NonRetryableError) return refuse(400, `github_token, openai_key: ${error.message}`);
  if (error instanceof RpcError) {
    const said = error.message.slice(error.functionName.length + 2);
    if (error.code === 'PT402') return answer(402, { error: said, reason: 'plan_limit' });
    if (error.code === 'PT404') return refuse(404, said);
  }
  log.error({ err: error }, 'could not start an analysis');
  if (error instanceof DatabaseUnreachableError || (error instanceof RpcError && mayPass(error)))
    return refuse(503, 'the database is away, try again');
  return refuse(500, 'internal error');
}

function refuse(status: number, error: string): Response {
  return answer(status, { error });
}

const headersOf: Readonly<Record<number, Record<string, string>>> = {
  401: { 'www-authenticate': 'Bearer' },
  405: { allow: 'POST' },
  503: { 'retry-after': '5' },
};

function answer(status: number, body: object): Response {
  return Response.json(body, { status, headers: { 'cache-control': 'no-store', ...headersOf[status] } });
}
