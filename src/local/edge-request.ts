/** The function ended, or stayed silent, before it could take a request. */
class BootError extends Error {
  override readonly name = 'BootError';
}

/** A request with its body read, so that it can be sent twice. */
export interface ReceivedRequest {
  name: string;
  request: Request;
  body: ArrayBuffer;
}

/**
 * Passes a request to the child that listens at `listening` and returns its whole answer.
 * @throws {BootError} the child never listened
 * @throws {DOMException} named TimeoutError: no answer within `responseSeconds`
 */
export async function forward(
  listening: Promise<string>,
  { request, body }: ReceivedRequest,
  responseSeconds: number,
): Promise<Response> {
  const address = await listening.catch((cause: unknown) => {
    throw new BootError(cause instanceof Error ? cause.message : String(cause), { cause });
  });
  const { pathname, search } = new URL(request.url);
  // As on the platform, the function sees `/<name>/…`, without `/functions/v1`.
  const path = pathname.replace(/^\/functions\/v1(?=\/)/, '');
  const answer = await fetch(address + path + search, {
    method: request.method,
    headers: endToEndHeaders(request.headers),
    redirect: 'manual',
    signal: AbortSignal.timeout(responseSeconds * 1000),
    ...(body.byteLength > 0 && { body }),
  });
  const bodyAllowed = ![204, 205, 304].includes(answer.status);
  const content = await answer.arrayBuffer();
  return new Response(bodyAllowed ? content : null, {
    status: answer.status,
    headers: endToEndHeaders(answer.headers),
  });
}

/** Without the headers that belong to one connection or to an encoding that `fetch` has already undone. */
function endToEndHeaders(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of [
    'connection',
    'keep-alive',
    'host',
    'expect',
    'content-length',
    'content-encoding',
    'transfer-encoding',
  ])
    kept.delete(name);
  return kept;
}

/** The child's connection was refused: it saw nothing of the request. */
export function isConnectionRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}

/** The answer that the platform gives for a function that did not. */
export function refusalFor(error: unknown): Response {
  if (error instanceof BootError)
    return refusal(503, 'BOOT_ERROR', `Worker failed to boot (${error.message})`);
  if (error instanceof Error && error.name === 'TimeoutError')
    return refusal(504, 'IDLE_TIMEOUT', 'The function did not answer in time');
  return refusal(
    546,
    'WORKER_LIMIT',
    'Worker failed to respond due to an error or resource limit (please check logs)',
  );
}

/** An error in the shape of the platform's own. */
export function refusal(status: number, code: string, message: string): Response {
  return Response.json({ code, message }, { status });
}
