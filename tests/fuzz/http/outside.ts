import { createAdaptorServer } from '@hono/node-server';
import { SignJWT } from 'jose';
import pg from 'pg';
import { createPgRpc } from '../../../src/database/pg-rpc.ts';
import { NonRetryableError } from '../../../src/jobs/outcomes.ts';
import { type Gateway, startGateway } from '../../../src/local/gateway.ts';
import { listen } from '../../../src/local/listen.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import { createSecretBox } from '../../../src/secrets/secret-box.ts';
import { noOpenAi } from '../../support/no-openai.ts';

export const fuzzKeys = {
  secret: 'sb_secret_of_the_fuzzer_0000000000',
  publishable: 'sb_publishable_of_the_fuzzer',
  jwtSecret: 'the fuzzer signs its tokens with this text',
  event: 'event-key-of-the-fuzzer-000000',
  signing: 'signkey-test-0123456789abcdef0123456789abcdef',
};

/** The access token of a user who has signed in for the day. */
export async function userToken(): Promise<string> {
  return await new SignJWT({ role: 'authenticated', sub: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('24h')
    .sign(new TextEncoder().encode(fuzzKeys.jwtSecret));
}

export type Outside = Awaited<ReturnType<typeof openOutside>>;

/** What endpoints are put together from: a real database and its gateway; no GitHub, no OpenAI, an Inngest that says yes. */
export async function openOutside(databaseUrl: string, log: Logger) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 5 });
  // Whatever still drains when the database is stopped.
  pool.on('error', () => undefined);
  const functions = () => Promise.resolve(undefined);
  const gateway: Gateway = await startGateway({ databaseUrl, keys: fuzzKeys, functions, log });
  const inngestApi = await listen(
    createAdaptorServer({ fetch: () => Response.json({ ok: true, modified: false }) }),
  );
  return {
    pool,
    gateway,
    parts: {
      ...{ rpc: createPgRpc(pool), openai: noOpenAi, log, now: () => new Date() },
      secrets: createSecretBox([new Uint8Array(32).fill(7)]),
      github: () => {
        throw new NonRetryableError('there is no GitHub here');
      },
      http: {
        fetch: () => Promise.resolve(Response.json({ jobs: [] })),
        postTo: () => Promise.resolve(new Response(null)),
        resolve: () => Promise.resolve([]),
      },
    },
    config: {
      inngest: {
        ...{
          environment: 'production' as const,
          isDev: false,
          eventKey: fuzzKeys.event,
          signingKey: fuzzKeys.signing,
        },
        ...{ baseUrl: inngestApi.url, branch: undefined, serveOrigin: undefined, servePath: undefined },
      },
      processJob: { url: 'http://process-job.test', key: fuzzKeys.secret },
      ...{
        inlineBudgetSeconds: 2,
        sweepsByInngest: false,
        splitsOffEmbeddings: true,
        scheduler: 'inngest' as const,
      },
      allowedOrigins: [],
    },
    close: async () => {
      await gateway.close();
      await inngestApi.close();
      await pool.end();
    },
  };
}
