import { once } from 'node:events';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';

/** Answers nothing until the caller gives up or the stand-in closes. */
export async function hang(ended: AbortSignal): Promise<Response> {
  if (!ended.aborted) await once(ended, 'abort');
  return RESPONSE_ALREADY_SENT;
}

/** Promises the whole body, sends half of it, and drops the connection. */
export async function truncate(
  context: Context<{ Bindings: HttpBindings }>,
  response: Response,
): Promise<Response> {
  const body = Buffer.from(await response.arrayBuffer());
  const { outgoing } = context.env;
  outgoing.writeHead(response.status, {
    ...Object.fromEntries(response.headers),
    'content-length': String(body.length),
  });
  outgoing.write(body.subarray(0, Math.floor(body.length / 2)), () => outgoing.destroy());
  return RESPONSE_ALREADY_SENT;
}
