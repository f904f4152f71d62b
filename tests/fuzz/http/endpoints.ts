import type pg from 'pg';
import { createAnalysisApp } from '../../../src/analysis/app.ts';
import { createSupabaseClientRpc } from '../../../src/database/supabase-rpc.ts';
import { createEventsApp } from '../../../src/events/app.ts';
import { catalog } from '../../../src/jobs/catalog.ts';
import { signAsInngest } from '../../../src/local/inngest-signature.ts';
import { createProcessJobHandler } from '../../../src/process-job/handler.ts';
import { createJobQueue } from '../../../src/queue/job-queue.ts';
import { embeddingsSet, type FunctionSet, hybridSet } from '../../../src/router/function-sets.ts';
import { createHybridApp } from '../../../src/router/hybrid-app.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import { startHealthEndpoint, type WorkerHealth } from '../../../src/worker/health.ts';
import type { JsonValue } from '../values/json-tree.ts';
import { fuzzKeys, openOutside, type Outside, userToken } from './outside.ts';
import type { HostileRequest } from './request.ts';

export interface FuzzedEndpoint {
  name: string;
  url: string;
  /** Most of the keys of the bodies. */
  words: string[];
  /** Bodies of honest requests. */
  samples: JsonValue[];
  paths: string[];
  handle: (request: Request) => Promise<Response>;
  /** What a trusted request brings. */
  credentials: (request: HostileRequest) => Promise<Record<string, string>> | Record<string, string>;
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

const types = catalog.map(({ type }) => type);

/** Every HTTP endpoint that is deployed, put together as its host does it. */
export async function openEndpoints(databaseUrl: string, log: Logger): Promise<Endpoints> {
  const outside = await openOutside(databaseUrl, log);
  const { pool } = outside;
  const health = await startHealthEndpoint({ port: 0, health: healthyWorker, now: () => new Date() });
  const all = [
    workerHealth(health.url),
    ...[processJob(outside), events(outside), analysisStart(outside, await userToken()), gateway(outside)],
    ...[inngest(hybridSet, outside), inngest(embeddingsSet, outside)],
  ];
  const close = async (): Promise<void> => {
    await health.close();
    await outside.close();
  };
  return { all, pool, close };
}

function healthyWorker(): WorkerHealth {
  const lastHeartbeat = new Date().toISOString();
  return { worker: 'fuzzed', lanes: ['worker'], running: 0, idle: true, lastHeartbeat, stopping: false };
}

/** The port that a worker's host asks. */
function workerHealth(url: string): FuzzedEndpoint {
  return {
    ...{ name: 'worker-health', url, words: ['live', 'ready'], samples: [{}] },
    paths: ['/live', '/ready', '/ready?x=1'],
    // Most requests are POST, which it refuses: they ask as a host does.
    handle: (request) =>
      fetch(request.method === 'POST' ? new Request(request.url, { headers: request.headers }) : request),
    credentials: () => ({}),
    refusesWhole: true,
  };
}

function processJob({ parts }: Outside): FuzzedEndpoint {
  const handler = createProcessJobHandler({
    ...{
      ...parts,
      acceptedKeys: [fuzzKeys.secret],
      queue: createJobQueue(parts.rpc),
      inngestEvents: null,
    },
    loadJobs: () => Promise.resolve({ catalog, github: parts.github }),
    ...{ worker: 'fuzzed', concurrency: 2, leaseSeconds: 30, startedAt: new Date(), wallSeconds: 1_000_000 },
    waitUntil: () => undefined,
    wake: () => Promise.resolve({ woken: false }),
  });
  return {
    ...{ name: 'process-job', url: 'https://project.test/functions/v1/process-job', paths: [''] },
    words: ['jobId', 'immediate'],
    samples: [{}, { jobId: crypto.randomUUID() }, { jobId: crypto.randomUUID(), immediate: true }],
    handle: (request) => handler.handle(request),
    credentials: () => ({ apikey: fuzzKeys.secret }),
    refusesWhole: true,
  };
}

function events({ parts, config }: Outside): FuzzedEndpoint {
  return {
    ...{ name: 'events', url: 'https://site.test/e' },
    words: ['name', 'data', 'id', 'ts', 'user', 'v', '_inngest'],
    samples: [
      { name: 'system/ping', data: { n: 1 }, id: 'one', ts: Date.now() },
      types.map((name) => ({ name, data: {} })),
    ],
    paths: [`/${fuzzKeys.event}`, `/${fuzzKeys.event}?wait=1`, '/wrong'],
    handle: createEventsApp({ ...parts, config, catalog }),
    credentials: () => ({}),
    refusesWhole: true,
  };
}

function analysisStart({ parts, config, gateway: { url } }: Outside, token: string): FuzzedEndpoint {
  return {
    ...{ name: 'analysis-start', url: 'https://site.test/api/analysis/start', paths: [''] },
    words: ['repo_id', 'github_token', 'openai_key'],
    samples: [{ repo_id: crypto.randomUUID() }, { repo_id: crypto.randomUUID(), github_token: 'ghu_0' }],
    handle: createAnalysisApp({
      ...{ ...parts, config, catalog },
      openAsUser: (accessToken) => createSupabaseClientRpc({ url, key: fuzzKeys.secret, accessToken }),
    }),
    credentials: () => ({ authorization: `Bearer ${token}` }),
    refusesWhole: true,
  };
}

function gateway({ gateway: { url } }: Outside): FuzzedEndpoint {
  const functions = ['enqueue_background_jobs', 'get_background_job', 'cancel_background_job', 'no_such'];
  return {
    ...{ name: 'gateway', url },
    words: ['jobs', 'type', 'payload', 'job_id', 'lane', 'run_at', 'idempotency_key'],
    samples: [{ jobs: [{ type: 'system/ping', payload: { n: 1 } }] }, { job_id: crypto.randomUUID() }],
    paths: functions.map((name) => `/rest/v1/rpc/${name}`),
    handle: (request) => fetch(request),
    credentials: () => ({ apikey: fuzzKeys.secret }),
    refusesWhole: true,
  };
}

function inngest(set: FunctionSet, { parts, config }: Outside): FuzzedEndpoint {
  const { appId, endpoint: name } = set;
  const app = createHybridApp({ ...parts, config, set, catalog });
  return {
    ...{ name, url: `https://site.test/api/${name}` },
    words: [
      'event',
      'events',
      'steps',
      'ctx',
      'attempt',
      'run_id',
      'fn_id',
      'stack',
      'version',
      'data',
      'name',
      'id',
      'ts',
    ],
    samples: types.slice(0, 3).map(inngestCall),
    paths: [
      ...['', '?fnId=unknown&stepId=step', `?fnId=${appId}-system-ping`],
      ...catalog.map(({ functionId }) => `?fnId=${appId}-${functionId}&stepId=step`),
    ],
    handle: (request) => app.handle(request),
    credentials: async ({ body }): Promise<Record<string, string>> => {
      if (body.kind !== 'json') return {};
      return { 'x-inngest-signature': await signAsInngest(body.value, fuzzKeys.signing, new Date()) };
    },
    refusesWhole: false,
    failsForTrusted: true,
  };
}

/** As Inngest calls an endpoint to run a function. */
function inngestCall(name: string): JsonValue {
  const event = { id: crypto.randomUUID(), name, data: { n: 1 }, ts: Date.now() };
  const ctx = {
    ...{ run_id: '01JABCDEFGHJKMNPQRSTVWXYZ0', attempt: 0, fn_id: crypto.randomUUID() },
    ...{ disable_immediate_execution: true, stack: { stack: [], current: 0 } },
  };
  return { version: 1, event, events: [event], steps: {}, use_api: false, ctx };
}
