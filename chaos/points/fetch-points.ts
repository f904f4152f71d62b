import type { Mortal } from './mortal.ts';

/** The SQL or Edge Function that a request calls. */
const called = /\/(?:rest\/v1\/rpc|functions\/v1)\/([\w-]+)/;

/** A `fetch` that passes the points of calls over HTTP. */
export function mortalFetch(mortal: Mortal, fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    return mortal.pass(called.exec(url)?.[1] ?? '', () => fetch(input, init));
  };
}
