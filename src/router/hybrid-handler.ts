import type { Inngest, InngestFunction } from 'inngest';
import { serve } from 'inngest/edge';
import { readBodyText } from '../runtime/body-text.ts';
import type { Logger } from '../runtime/logger.ts';
import { atFirstRequest } from './first-request.ts';

export interface HybridHandlerOptions {
  /** Of the endpoint, for people. */
  name: string;
  client: Inngest;
  functions: InngestFunction.Any[];
  log: Logger;
  /** Called once, at the first request, and after a failure at the next; it delays nobody. */
  onFirstRequest: () => Promise<void>;
  /** Keeps the host alive until the promise is settled. */
  waitUntil: (promise: Promise<unknown>) => void;
  /** Where Inngest is to call; what is left out comes from each request. */
  address: ServeAddress;
}

/** A URL in the two parts that Inngest's SDK takes. */
export interface ServeAddress {
  serveOrigin?: string;
  servePath?: string;
}

/**
 * The settings win over the address that the host knows. A host behind a gateway knows one: it sees other URLs than
 * Inngest has to call, and the SDK rightly trusts no `X-Forwarded-Host`.
 */
export function serveAddress(
  settings: { serveOrigin: string | undefined; servePath: string | undefined },
  servedAt?: string,
): ServeAddress {
  const known = servedAt === undefined ? undefined : new URL(servedAt);
  const serveOrigin = settings.serveOrigin ?? known?.origin;
  const servePath = settings.servePath ?? known?.pathname;
  return {
    ...(serveOrigin === undefined ? {} : { serveOrigin }),
    ...(servePath === undefined ? {} : { servePath }),
  };
}

/** Netlify's limit for a request's body. */
const bodyLimitBytes = 6 * 1024 * 1024;

/**
 * Inngest's endpoint: the official SDK does the protocol (GET introspection, PUT registration, POST execution,
 * signatures). In development the GET answer also lists the functions. In the cloud nothing is served without a
 * signing key.
 */
export function createHybridHandler(options: HybridHandlerOptions): (request: Request) => Promise<Response> {
  const { client, functions } = options;
  const inngest = serve({ client, functions, ...options.address });
  const start = atFirstRequest({
    work: options.onFirstRequest,
    failure: 'could not mirror the job types into the database',
    log: options.log,
    waitUntil: options.waitUntil,
  });

  return async (request) => {
    if (client.mode === 'cloud' && !client.signingKey) return refuse(options);
    const read = await withReadBody(request);
    if (read === null) return Response.json({ message: 'request body over 6 MB' }, { status: 413 });
    start();
    const answer = await inngest(withHost(read)).catch((error: unknown) => answerFailure(error, options));
    return request.method === 'GET' && client.mode === 'dev' && answer.ok
      ? await listFunctions(answer, options)
      : answer;
  };
}

function refuse({ name, log }: HybridHandlerOptions): Response {
  log.error(
    {},
    'INNGEST_SIGNING_KEY: expected a signing key in cloud mode, got nothing; set INNGEST_DEV=1 to develop',
  );
  return Response.json({ message: `${name} is not configured to serve` }, { status: 500 });
}

/** The SDK throws at a body that is not JSON; what else it throws is a fault of ours, worth Inngest's retry. */
function answerFailure(error: unknown, { name, log }: HybridHandlerOptions): Response {
  if (error instanceof SyntaxError)
    return Response.json({ message: 'request body: expected JSON' }, { status: 400 });
  log.error({ err: error }, `${name} failed`);
  return Response.json({ message: 'internal error' }, { status: 500 });
}

/** The SDK reads whatever comes; a request need not say how long it is. @returns null when its body is too long */
async function withReadBody(request: Request): Promise<Request | null> {
  if (Number(request.headers.get('content-length') ?? 0) > bodyLimitBytes) return null;
  if (request.body === null) return request;
  const body = await readBodyText(request, bodyLimitBytes);
  if (body === null) return null;
  const { url, method, headers } = request;
  return new Request(url, { method, headers, body });
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
  // The SDK counts the failure handlers, too.
  const body = { ...introspection, function_count: listed.length, functions: listed };
  return Response.json(body, { headers: withoutLength(answer.headers) });
}

function withoutLength(headers: Headers): Headers {
  const kept = new Headers(headers);
  kept.delete('content-length');
  return kept;
}
