import { createAdaptorServer } from '@hono/node-server';
import { createDashboardBuild } from '../../src/local/dashboard-build.ts';
import { createDashboardSite } from '../../src/local/dashboard-site.ts';
import type { GatewayKeys } from '../../src/local/gateway-keys.ts';
import { startGateway } from '../../src/local/gateway.ts';
import { listen } from '../../src/local/listen.ts';
import { createOperatorSessions } from '../../src/local/operator-sessions.ts';
import type { Logger } from '../../src/runtime/logger.ts';

export interface DashboardHost {
  /** Of the dashboard. */
  url: string;
  gatewayUrl: string;
  /** A link that signs a browser in, once. */
  signInUrl(): string;
  close(): Promise<void>;
}

/** The built dashboard on a database, as the local stack serves it, with nothing around it. */
export async function startDashboardHost(options: {
  root: string;
  databaseUrl: string;
  keys: GatewayKeys;
  /** Sign-in by the printed link only. Default: true. */
  isLocal?: boolean;
  log: Logger;
}): Promise<DashboardHost> {
  const { root, databaseUrl, keys, isLocal = true, log } = options;
  const sessions = createOperatorSessions(keys.jwtSecret);
  const gateway = await startGateway({ databaseUrl, keys, sessions, log });
  const build = createDashboardBuild(root, log);
  const site = createDashboardSite(() => build.folder(), {
    supabaseUrl: gateway.url,
    publishableKey: keys.publishable,
    local: isLocal,
    inngestUrl: 'http://localhost:8288',
    githubUrl: 'https://github.com',
  });
  const server = await listen(createAdaptorServer({ fetch: site.fetch }));
  const url = `${server.url}/dashboard/`;
  return {
    url,
    gatewayUrl: gateway.url,
    signInUrl: () => `${url}#token_hash=${sessions.issueCode()}&type=magiclink`,
    close: async () => {
      await build.stop();
      await server.close();
      await gateway.close();
    },
  };
}
