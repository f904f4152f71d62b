import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { serve, type ServerType } from '@hono/node-server';
import type { Rpc } from '../../src/database/rpc.ts';
import type { JobDefinition } from '../../src/jobs/define-job.ts';
import { createHybridApp, type HybridApp } from '../../src/router/hybrid-app.ts';
import type { InngestConfig } from '../../src/runtime/config.ts';
import type { Logger } from '../../src/runtime/logger.ts';
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
  /** Default: development, unsigned. */
  inngest?: Partial<InngestConfig>;
  inlineBudgetSeconds?: number;
  log?: Logger;
}

/** `inngest-hybrid` on a port of its own, with a `process-job` beside it that only counts. */
export async function startHybridEndpoint(options: HybridEndpointOptions): Promise<HybridEndpoint> {
  const wakes: HybridEndpoint['wakes'] = [];
  const processJob = await listen(async (request) => {
    wakes.push({
      body: await request.text(),
      authorization: request.headers.get('authorization') ?? undefined,
    });
    return Response.json({ message: 'No jobs in queue', jobs: [] });
  });
  const inngest = {
    isDev: true,
    eventKey: undefined,
    signingKey: undefined,
    baseUrl: undefined,
    ...options.inngest,
  };
  const app = createHybridApp({
    config: {
      inngest,
      processJob: { url: processJob.url, key: 'sb_secret_test' },
      inlineBudgetSeconds: options.inlineBudgetSeconds ?? 10,
    },
    catalog: options.catalog,
    rpc: options.rpc,
    github: () => {
      throw new Error('these tests use no GitHub');
    },
    log: options.log ?? silentLogger,
    fetch,
    now: () => new Date(),
  });
  const server = await listen((request) => app.handle(request));
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

async function listen(handle: (request: Request) => Promise<Response>) {
  const server: ServerType = serve({ fetch: handle, port: 0, hostname: '127.0.0.1' });
  if (!server.listening) await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
