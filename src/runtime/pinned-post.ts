import type { IncomingMessage } from 'node:http';
import type { LookupFunction } from 'node:net';

/** What is posted; the signal covers the call until the answer's head is there. */
export interface PostInit {
  headers: Record<string, string>;
  body: string;
  signal: AbortSignal;
}

/**
 * Posts to the host of `url` at one of `addresses`, whatever its name resolves to by now: what was checked is what is
 * connected to. Certificate and `Host` are those of the name, which `fetch` cannot do with a given address. Follows no
 * redirect and uses no proxy.
 *
 * @returns the answer without its body
 */
export async function pinnedPost(
  addresses: readonly string[],
  url: string,
  { headers, body, signal }: PostInit,
): Promise<Response> {
  const { request } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = request(url, { method: 'POST', headers, signal, agent: false, lookup: always(addresses) });
  sent.on('error', reject);
  sent.on('response', resolve);
  sent.end(body);
  const answer = await promise;
  answer.destroy();
  return toResponse(answer);
}

/** @throws {RangeError} the status is none of HTTP's, e.g. 999: a stranger may answer anything */
function toResponse({ statusCode: status = 502, headersDistinct }: IncomingMessage): Response {
  if (status < 200 || status > 599) throw new RangeError(`expected a status from 200 to 599, got ${status}`);
  const headers = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  return new Response(null, { status, headers });
}

/** A resolver that has one answer. */
function always(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  return (host, { all }, answer) => {
    const [first] = found;
    if (!first) answer(new Error(`no address for ${host}`), '');
    else if (all) answer(null, found);
    else answer(null, first.address, first.family);
  };
}
