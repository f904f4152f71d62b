import type { Inngest, InngestFunction } from 'inngest';
import { serve } from 'inngest/edge';
import type { Logger } from '../runtime/logger.ts';

export interface HybridHandlerOptions {
  client: Inngest;
  functions: InngestFunction.Any[];
  log: Logger;
  /** Called once, at the first request, and after a failure at the next; it delays nobody. */
  onFirstRequest: () => Promise<void>;
}

/** Netlify's limit for a request's body. */
const bodyLimitBytes = 6 * 1024 * 1024;

/**
 * Inngest's endpoint: the official SDK does the protocol (GET introspection, PUT registration, POST execution,
 * signatures). In development the GET answer also lists the functions. In the cloud nothing is served without a
 * signing key.
 */
export function createHybridHandler(options: HybridHandlerOptions): (request: Request) => Promise<Response> {
  const { client, functions, log } = options;
  const inngest = serve({ client, functions });
  let started = false;

  function start(): void {
    if (started) return;
    started = true;
    options.onFirstRequest().catch((error: unknown) => {
      started = false;
      log.error({ error: String(error) }, 'could not mirror the job types into the database');
    });
  }

  return async (request) => {
    if (client.mode === 'cloud' && !client.signingKey) return refuse(log);
    const length = Number(request.headers.get('content-length') ?? 0);
    if (length > bodyLimitBytes) return Response.json({ message: 'request body over 6 MB' }, { status: 413 });
    start();
    const answer = await inngest(withHost(request)).catch((error: unknown) => answerFailure(error, log));
    return request.method === 'GET' && client.mode === 'dev' && answer.ok
      ? await listFunctions(answer, options)
      : answer;
  };
}

function refuse(log: Logger): Response {
  log.error(
    {},
    'INNGEST_SIGNING_KEY: expected a signing key in cloud mode, got nothing; set INNGEST_DEV=1 to develop',
  );
  return Response.json({ message: 'inngest-hybrid is not configured to serve' }, { status: 500 });
}

/** The SDK throws at a body that is not JSON; what else it throws is a fault of ours, worth Inngest's retry. */
function answerFailure(error: unknown, log: Logger): Response {
  if (error instanceof SyntaxError)
    return Response.json({ message: 'request body: expected JSON' }, { status: 400 });
  log.error({ err: error }, 'inngest-hybrid failed');
  return Response.json({ message: 'internal error' }, { status: 500 });
}

/** The SDK builds its URL from this header, which a request made in the same process lacks. */
function withHost(request: Request): Request {
  if (request.headers.has('host')) return request;
  const headers = new Headers(request.headers);
  headers.set('host', new URL(request.url).host);
  return new Request(request, { headers });
}

async function listFunctions(
  answer: Response,
  { client, functions }: HybridHandlerOptions,
): Promise<Response> {
  const introspection = (await answer.json()) as object;
  const listed = functions.map((fn) => ({
    id: fn.id(client.id),
    name: fn.name,
    triggers: fn.opts.triggers as unknown,
  }));
  return Response.json({ ...introspection, functions: listed }, { headers: withoutLength(answer.headers) });
}

function withoutLength(headers: Headers): Headers {
  const kept = new Headers(headers);
  kept.delete('content-length');
  return kept;
}
