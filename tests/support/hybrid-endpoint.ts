import { createAdaptorServer } from '@hono/node-server';
import type { Rpc } from '../../src/database/rpc.ts';
import type { JobDefinition } from '../../src/jobs/define-job.ts';
import { listen, type Listening } from '../../src/local/listen.ts';
import { type FunctionSet, hybridSet } from '../../src/router/function-sets.ts';
import { createHybridApp, type HybridApp } from '../../src/router/hybrid-app.ts';
import type { Scheduler } from '../../src/runtime/config.ts';
import type { InngestConfig } from '../../src/runtime/inngest-config.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { createOutsideHttp } from '../../src/runtime/outside-http.ts';
import { noOpenAi } from './no-openai.ts';
import { silentLogger } from './silent-logger.ts';

export interface HybridEndpoint extends HybridApp {
  /** Where Inngest would call it. */
  url: string;
  /** Bodies and keys of the wake calls that `process-job` got. */
  wakes: { body: string; authorization: string | undefined }[];
  close(): Promise<void>;
}

export interface HybridEndpointOptions {
  rpc: Rpc;
  catalog: readonly JobDefinition[];
  /** Default: everything, as `inngest-hybrid`. */
  set?: FunctionSet;
  /** Default: development, unsigned. */
  inngest?: Partial<InngestConfig>;
  inlineBudgetSeconds?: number;
  sweepsByInngest?: boolean;
  splitsOffEmbeddings?: boolean;
  scheduler?: Scheduler;
  log?: Logger;
  /** Default: the real clock. */
  now?: () => Date;
}

/** `inngest-hybrid` on a port of its own, with a `process-job` beside it that only counts. */
export async function startHybridEndpoint(options: HybridEndpointOptions): Promise<HybridEndpoint> {
  const wakes: HybridEndpoint['wakes'] = [];
  const processJob = await serve(async (request) => {
    wakes.push({
      body: await request.text(),
      authorization: request.headers.get('authorization') ?? undefined,
    });
    return Response.json({ message: 'No jobs in queue', jobs: [] });
  });
  const inngest: InngestConfig = {
    environment: 'local',
    isDev: true,
    eventKey: undefined,
    signingKey: undefined,
    baseUrl: undefined,
    branch: undefined,
    serveOrigin: undefined,
    servePath: undefined,
    ...options.inngest,
  };
  const app = createHybridApp({
    config: {
      inngest,
      processJob: { url: processJob.url, key: 'sb_secret_test' },
      inlineBudgetSeconds: options.inlineBudgetSeconds ?? 10,
      sweepsByInngest: options.sweepsByInngest ?? false,
      splitsOffEmbeddings: options.splitsOffEmbeddings ?? false,
      scheduler: options.scheduler ?? 'inngest',
    },
    set: options.set ?? hybridSet,
    catalog: options.catalog,
    rpc: options.rpc,
    github: () => {
      throw new Error('these tests use no GitHub');
    },
    openai: noOpenAi,
    log: options.log ?? silentLogger,
    http: createOutsideHttp(),
    now: options.now ?? (() => new Date()),
  });
  const server = await serve((request) => app.handle(request));
  return {
    ...app,
    url: `${server.url}/api/inngest`,
    wakes,
    close: async () => {
      await server.close();
      await processJob.close();
    },
  };
}

const serve = async (handle: (request: Request) => Promise<Response>): Promise<Listening> =>
  await listen(createAdaptorServer({ fetch: handle }));
