import { createAdaptorServer } from '@hono/node-server';
import { SignJWT } from 'jose';
import pg from 'pg';
import { createAnalysisApp } from '../../../src/analysis/app.ts';
import { createPgRpc } from '../../../src/database/pg-rpc.ts';
import { createSupabaseClientRpc } from '../../../src/database/supabase-rpc.ts';
import { createEventsApp } from '../../../src/events/app.ts';
import { catalog } from '../../../src/jobs/catalog.ts';
import { NonRetryableError } from '../../../src/jobs/outcomes.ts';
import { startGateway } from '../../../src/local/gateway.ts';
import { signAsInngest } from '../../../src/local/inngest-signature.ts';
import { listen } from '../../../src/local/listen.ts';
import { createProcessJobHandler } from '../../../src/process-job/handler.ts';
import { createJobQueue } from '../../../src/queue/job-queue.ts';
import { embeddingsSet, type FunctionSet, hybridSet } from '../../../src/router/function-sets.ts';
import { createHybridApp } from '../../../src/router/hybrid-app.ts';
import { createSecretBox } from '../../../src/secrets/secret-box.ts';
import { noOpenAi } from '../../support/no-openai.ts';
import type { JsonValue } from '../values/json-tree.ts';
import type { HostileRequest } from './request.ts';
import type { Watch } from './watch.ts';

export const fuzzKeys = {
  secret: 'sb_secret_of_the_fuzzer_0000000000',
  publishable: 'sb_publishable_of_the_fuzzer',
  jwtSecret: 'the fuzzer signs its tokens with this text',
  event: 'event-key-of-the-fuzzer-000000',
  signing: 'signkey-test-0123456789abcdef0123456789abcdef',
};

export interface FuzzedEndpoint {
  name: string;
  url: string;
  /** Most of the keys of the bodies. */
  words: string[];
  /** Bodies of honest requests. */
  samples: JsonValue[];
  paths: string[];
  handle(request: Request): Promise<Response>;
  /** What a trusted request brings. */
  credentials(request: HostileRequest): Promise<Record<string, string>> | Record<string, string>;
  /** An answer of 4xx means that no job was made. */
  refusesWhole: boolean;
  /**
   * Inngest, and who else can sign as Inngest, is told by 500 to come again later: to the SDK's protocol a call that it
   * cannot read, or of a function that it does not know, is one of another version of the app.
   */
  failsForTrusted?: true;
}

export interface Endpoints {
  all: FuzzedEndpoint[];
  pool: pg.Pool;
  close(): Promise<void>;
}

/** Every HTTP endpoint that is deployed, put together as its host does it, but for GitHub, OpenAI and what lies behind `fetch`. */
export async function openEndpoints(databaseUrl: string, { log }: Watch): Promise<Endpoints> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 5 });
  // Whatever still drains when the database is stopped.
  pool.on('error', () => undefined);
  const rpc = createPgRpc(pool);
  const gateway = await startGateway({
    databaseUrl,
    keys: fuzzKeys,
    functions: () => Promise.resolve(undefined),
    log,
  });
  const inngestApi = await listen(
    createAdaptorServer({ fetch: () => Response.json({ ok: true, modified: false }) }),
  );
  const outside = {
    ...{
      rpc,
      openai: noOpenAi,
      secrets: createSecretBox([new Uint8Array(32).fill(7)]),
      log,
      now: () => new Date(),
    },
    github: () => {
      throw new NonRetryableError('there is no GitHub here');
    },
    http: { fetch: () => Promise.resolve(Response.json({ jobs: [] })), resolve: () => Promise.resolve([]) },
  };
  const address = {
    baseUrl: inngestApi.url,
    branch: undefined,
    serveOrigin: undefined,
    servePath: undefined,
  };
  const config = {
    inngest: {
      environment: 'production' as const,
      isDev: false,
      eventKey: fuzzKeys.event,
      signingKey: fuzzKeys.signing,
      ...address,
    },
    processJob: { url: 'http://process-job.test', key: fuzzKeys.secret },
    ...{
      inlineBudgetSeconds: 2,
      sweepsByInngest: false,
      splitsOffEmbeddings: true,
      scheduler: 'inngest' as const,
    },
    allowedOrigins: [],
  };
  const user = await new SignJWT({ role: 'authenticated', sub: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('10h')
    .sign(new TextEncoder().encode(fuzzKeys.jwtSecret));
  const processJob = createProcessJobHandler({
    ...outside,
    ...{ acceptedKeys: [fuzzKeys.secret], queue: createJobQueue(rpc), catalog, inngestEvents: null },
    ...{ worker: 'fuzzed', concurrency: 2, leaseSeconds: 30, startedAt: new Date(), wallSeconds: 1_000_000 },
    waitUntil: () => undefined,
    wake: () => Promise.resolve({ woken: false }),
  });
  const events = createEventsApp({ ...outside, config, catalog });
  const analysis = createAnalysisApp({
    ...{ ...outside, config, catalog },
    openAsUser: (accessToken) =>
      createSupabaseClientRpc({ url: gateway.url, key: fuzzKeys.secret, accessToken }),
  });
  const types = catalog.map(({ type }) => type);
  const inngest = (set: FunctionSet): FuzzedEndpoint => ({
    name: set.endpoint,
    url: `https://site.test/api/${set.endpoint}`,
    words: [
      'event',
      'events',
      'steps',
      'ctx',
      'attempt',
      'run_id',
      'fn_id',
      'stack',
      'use_api',
      'version',
      'data',
      'name',
      'id',
      'ts',
    ],
    samples: types.slice(0, 3).map((name) => inngestCall(name)),
    paths: inngestPaths(set),
    handle: createHybridApp({ ...outside, config, set, catalog }).handle,
    credentials: async ({ body }) =>
      body.kind === 'json'
        ? { 'x-inngest-signature': await signAsInngest(body.value, fuzzKeys.signing, new Date()) }
        : {},
    refusesWhole: false,
    failsForTrusted: true,
  });
  return {
    pool,
    all: [
      {
        ...{
          name: 'process-job',
          url: 'https://project.test/functions/v1/process-job',
          paths: [''],
          refusesWhole: true,
        },
        words: ['jobId', 'immediate'],
        samples: [{}, { jobId: crypto.randomUUID() }, { jobId: crypto.randomUUID(), immediate: true }],
        handle: processJob.handle,
        credentials: () => ({ apikey: fuzzKeys.secret }),
      },
      {
        ...{ name: 'events', url: 'https://site.test/e', refusesWhole: true },
        words: ['name', 'data', 'id', 'ts', 'user', 'v', '_inngest'],
        samples: [
          { name: 'system/ping', data: { n: 1 }, id: 'one', ts: Date.now() },
          types.map((name) => ({ name, data: {} })),
        ],
        paths: [`/${fuzzKeys.event}`, `/${fuzzKeys.event}?wait=1`, '/wrong'],
        handle: events,
        credentials: () => ({}),
      },
      {
        ...{
          name: 'analysis-start',
          url: 'https://site.test/api/analysis/start',
          paths: [''],
          refusesWhole: true,
        },
        words: ['repo_id', 'github_token', 'openai_key'],
        samples: [{ repo_id: crypto.randomUUID() }, { repo_id: crypto.randomUUID(), github_token: 'ghu_0' }],
        handle: analysis,
        credentials: () => ({ authorization: `Bearer ${user}` }),
      },
      {
        ...{ name: 'gateway', url: gateway.url, refusesWhole: true },
        words: ['jobs', 'type', 'payload', 'job_id', 'lane', 'run_at', 'idempotency_key'],
        samples: [{ jobs: [{ type: 'system/ping', payload: { n: 1 } }] }, { job_id: crypto.randomUUID() }],
        paths: ['enqueue_background_jobs', 'get_background_job', 'cancel_background_job', 'no_such'].map(
          (name) => `/rest/v1/rpc/${name}`,
        ),
        handle: sendOverHttp,
        credentials: () => ({ apikey: fuzzKeys.secret }),
      },
      inngest(hybridSet),
      inngest(embeddingsSet),
    ],
    close: async () => {
      await gateway.close();
      await inngestApi.close();
      await pool.end();
    },
  };
}

/**
 * The gateway ends the connection under a body that it has no use for, and with it, now and then, the next request on it:
 * that one is sent again.
 */
async function sendOverHttp(request: Request, tries = 5): Promise<Response> {
  try {
    return await fetch(request.clone());
  } catch (error) {
    if (tries === 1) throw error;
    return await sendOverHttp(request, tries - 1);
  }
}

/** As Inngest calls an endpoint to run a function. */
function inngestCall(name: string): JsonValue {
  const event = { id: crypto.randomUUID(), name, data: { n: 1 }, ts: Date.now() };
  return {
    ...{ version: 1, event, events: [event], steps: {}, use_api: false },
    ctx: {
      run_id: '01JABCDEFGHJKMNPQRSTVWXYZ0',
      attempt: 0,
      fn_id: crypto.randomUUID(),
      disable_immediate_execution: true,
      stack: { stack: [], current: 0 },
    },
  };
}

function inngestPaths({ appId }: FunctionSet): string[] {
  const ids = catalog.map(({ functionId }) => `?fnId=${appId}-${functionId}&stepId=step`);
  return ['', '?fnId=unknown&stepId=step', `?fnId=${appId}-system-ping`, ...ids];
}
