import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import pg from 'pg';
import { watchForSilence } from '../database/silent-connections.ts';
import type { Logger } from '../runtime/logger.ts';
import { createAuthEndpoint } from './gateway-auth.ts';
import { createKeyRing, type GatewayKeys } from './gateway-keys.ts';
import { createRpcEndpoint } from './gateway-rpc.ts';
import { listen } from './listen.ts';
import type { OperatorSessions } from './operator-sessions.ts';

export interface GatewayOptions {
  /** Preferred TCP port on 127.0.0.1; another free one is taken when it is busy. */
  port?: number;
  /** Connection of a role that may become `anon`, `authenticated` and `service_role`. */
  databaseUrl: string;
  keys: GatewayKeys;
  /** Answers `/functions/v1/<name>`; undefined when there is no such function. */
  functions?: (name: string, request: Request) => Promise<Response | undefined>;
  /** Answers `/auth/v1/*`. Default: nobody can sign in. */
  sessions?: OperatorSessions;
  log: Logger;
}

export interface Gateway {
  url: string;
  /** Cancels the calls that are still running. */
  close(): Promise<void>;
}

/** A connection that carries nothing any more must not keep its place in the pool. */
const QUERY_TIMEOUT_MS = 20_000;

/** Nor, at its other end, locks: the statements of a call follow each other at once. */
const IDLE_IN_TRANSACTION_MS = 5_000;

const BODY_LIMIT_BYTES = 20 * 1024 * 1024;

/**
 * A local imitation of Supabase's API gateway, for what this project uses of it and no more: `POST /rest/v1/rpc/<name>`
 * answered as PostgREST answers it (no tables, no GET, no `Prefer`, no filters), `/functions/v1/<name>` handed on, and of
 * `/auth/v1` what signs one operator in. `GET /health` tells whether the database answers.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    max: 20,
    connectionTimeoutMillis: 10_000,
    query_timeout: QUERY_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  });
  pool.on('error', (error) =>
    options.log.warn({ error: error.message }, 'an idle database connection was lost'),
  );
  const closing = new AbortController();
  const server = createAdaptorServer({ fetch: createApp(pool, options, closing.signal).fetch });
  const listening = await listen(server, options.port);
  const connection = { connectionString: options.databaseUrl };
  const watch = watchForSilence({ pool, connection, log: options.log });
  return {
    url: listening.url,
    close: async () => {
      closing.abort();
      await listening.close();
      watch.stop();
      await pool.end();
    },
  };
}

function createApp(pool: pg.Pool, options: GatewayOptions, closing: AbortSignal): Hono {
  const { functions, sessions, log } = options;
  const app = new Hono();
  const identify = createKeyRing(options.keys);
  const tooLarge = bodyLimit({
    maxSize: BODY_LIMIT_BYTES,
    onError: (c) => c.json({ message: 'Request body is larger than 20 MB' }, 413),
  });
  app.use(cors());
  app.get('/health', async (c) => {
    await pool.query('select 1');
    return c.json({ status: 'ok' });
  });
  app.post('/rest/v1/rpc/:name', tooLarge, createRpcEndpoint(pool, identify, closing));
  app.all('/functions/v1/:name/*', async (c) => {
    const response = await functions?.(c.req.param('name'), c.req.raw);
    return response ?? c.json({ code: 'NOT_FOUND', message: 'Requested function was not found' }, 404);
  });
  if (sessions) app.route('/auth/v1', createAuthEndpoint(identify, sessions));
  app.notFound((c) => c.json({ message: 'no Route matched with those values' }, 404));
  app.onError((error, c) => {
    log.error({ error: error.message, path: c.req.path }, 'the gateway could not answer');
    return c.json({ message: 'The upstream did not answer' }, 503);
  });
  return app;
}
