import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface WorkerHealth {
  worker: string;
  lanes: readonly string[];
  /** Jobs that run now. */
  running: number;
  idle: boolean;
  /** ISO time when the database last took this worker's sign of life; null: never. */
  lastHeartbeat: string | null;
  /** True from the signal to stop on. */
  stopping: boolean;
}

export interface HealthEndpoint {
  url: string;
  close(): Promise<void>;
}

/** A worker that has not reached the database for so long is not ready, in milliseconds. */
const staleAfterMs = 30_000;

/**
 * `GET /live`: 200 while the process answers. `GET /ready`: 200 while it takes jobs and reaches the database, else 503.
 * Both tell the state as JSON; it names no job and no payload.
 *
 * @param options.port - 0: any free one
 * @throws {Error} the port cannot be had
 */
export async function startHealthEndpoint(options: {
  port: number;
  health: () => WorkerHealth;
  now: () => Date;
}): Promise<HealthEndpoint> {
  const { health, now } = options;
  const server = createServer((request, response) => {
    const state = health();
    const status = statusOf(request.method, request.url, isReady(state, now()));
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(status === 404 ? '{"message":"expected GET /live or /ready"}' : JSON.stringify(state));
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.on('error', reject);
  server.listen(options.port, resolve);
  await promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function statusOf(method: string | undefined, url: string | undefined, ready: boolean): number {
  if (method !== 'GET') return 404;
  if (url === '/live') return 200;
  if (url !== '/ready') return 404;
  return ready ? 200 : 503;
}

function isReady({ stopping, lastHeartbeat }: WorkerHealth, now: Date): boolean {
  return !stopping && lastHeartbeat !== null && now.getTime() - Date.parse(lastHeartbeat) < staleAfterMs;
}
