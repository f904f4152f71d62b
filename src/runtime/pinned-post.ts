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
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const sent = request(url, { method: 'POST', headers, signal, agent: false, lookup: always(addresses) });
  sent.on('error', reject);
  sent.on('response', (answer) => {
    const { statusCode: status = 502, headersDistinct } = answer;
    answer.destroy();
    const pairs = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
      values.map((value): [string, string] => [name, value]),
    );
    resolve(new Response(null, { status, headers: pairs }));
  });
  sent.end(body);
  return await promise;
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
