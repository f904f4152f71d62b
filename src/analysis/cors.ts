type Handler = (request: Request) => Promise<Response>;

/**
 * Lets pages of these origins call the handler, and no others: https://fetch.spec.whatwg.org/#http-cors-protocol. Without
 * origins nothing is added, and a preflight is a request like any other.
 */
export function withCors(handle: Handler, allowedOrigins: readonly string[]): Handler {
  return async (request) => {
    const origin = request.headers.get('origin') ?? '';
    if (!allowedOrigins.includes(origin)) return await handle(request);
    const isPreflight = request.method === 'OPTIONS' && request.headers.has('access-control-request-method');
    const response = isPreflight ? preflight() : await handle(request);
    response.headers.set('access-control-allow-origin', origin);
    response.headers.append('vary', 'origin');
    return response;
  };
}

function preflight(): Response {
  const headers = {
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'authorization, content-type',
    'access-control-max-age': '600',
  };
  return new Response(null, { status: 204, headers });
}
