import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { ServerType } from '@hono/node-server';

export interface Listening {
  /** Without a slash at its end. */
  url: string;
  /** Ends open connections, too. */
  close(): Promise<void>;
}

/**
 * A client reuses an idle connection for as long as the server says that it keeps it. With Node's 5 s, a machine that is busy
 * for a moment closes it under a request that is on its way.
 */
const keepAliveMs = 65_000;

/**
 * Listens on 127.0.0.1 at the preferred port or, when that one is taken, at any free one. Trying is the only way to
 * know: a port that was free a moment ago may be taken by another stack that starts at the same time.
 */
export async function listen(server: ServerType, preferredPort = 0): Promise<Listening> {
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = keepAliveMs;
  try {
    await bind(server, preferredPort);
  } catch (error) {
    if (preferredPort === 0 || !(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'))
      throw error;
    await bind(server, 0);
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed;
    },
  };
}

/** `once` rejects when the server says `error` instead. */
async function bind(server: ServerType, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}
