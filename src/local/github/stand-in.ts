import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Logger } from '../../runtime/logger.ts';
import { listen } from '../listen.ts';
import { createControlSurface } from '../stand-in/control-surface.ts';
import { createRequestLog } from '../stand-in/request-log.ts';
import { createApp } from './app.ts';
import type { RepositoryRecipe } from './data/repository.ts';
import { createWorld, type World } from './data/world.ts';
import { createGitHubFaults, faultSchema, type GitHubFaults } from './faults.ts';
import { createRateLimit, type RateLimitOptions } from './rate-limit.ts';
import type { RecordedRequest } from './recorded-request.ts';

export interface GitHubStandInOptions {
  /** Default: any free port. It listens on 127.0.0.1 only. */
  port?: number;
  /** Of the default repositories and of recipes without one. Default 1. */
  seed?: number;
  /** Milliseconds since the epoch that all generated times are relative to. Default: the start. */
  now?: number;
  /** Repositories beside the default ones; one of the same name takes a default one's place. */
  repositories?: readonly RepositoryRecipe[];
  /** Delay before every answer. Default 0. */
  latencyMs?: number;
  /** Of REST and of GraphQL, each with a bucket of its own. */
  rateLimit?: RateLimitOptions;
  /** Nodes that a GraphQL query may return. Default 500,000, GitHub's figure. */
  nodeLimit?: number;
  /** Any other token gets 401. Default: any token will do. */
  acceptedTokens?: readonly string[];
  /** Whether requests without a token are served. Default true. */
  allowAnonymous?: boolean;
  log?: Logger;
}

export interface GitHubStandIn {
  /** Base of the REST API, without a slash at its end; octokit's `baseUrl` for REST and for GraphQL. */
  url: string;
  graphqlUrl: string;
  faults: GitHubFaults;
  /** The truth to compare with. */
  data: World;
  /** The latest 5,000, oldest first. */
  requests: readonly RecordedRequest[];
  close(): Promise<void>;
}

/**
 * Stands in for GitHub on localhost, in tests and in a local stack without a token.
 */
export async function startGitHubStandIn(options: GitHubStandInOptions = {}): Promise<GitHubStandIn> {
  const now = (): number => Date.now();
  const world = createWorld({
    seed: options.seed ?? 1,
    now: options.now ?? now(),
    recipes: options.repositories ?? [],
  });
  const faults = createGitHubFaults();
  const requestLog = createRequestLog<RecordedRequest>();
  const closing = new AbortController();
  const app = createApp({
    world,
    faults,
    requestLog,
    limits: {
      core: createRateLimit('core', options.rateLimit ?? {}, now),
      graphql: createRateLimit('graphql', options.rateLimit ?? {}, now),
    },
    acceptedTokens: options.acceptedTokens,
    allowAnonymous: options.allowAnonymous ?? true,
    nodeLimit: options.nodeLimit ?? 500_000,
    latencyMs: options.latencyMs ?? 0,
    now,
    closing: closing.signal,
    log: options.log,
  });
  const door = new Hono<{ Bindings: HttpBindings }>()
    .route('/', createControlSurface(faultSchema, faults, requestLog))
    .route('/', app);
  const server = createAdaptorServer({ fetch: door.fetch });
  const listening = await listen(server, options.port);
  const { url } = listening;
  return {
    url,
    graphqlUrl: `${url}/graphql`,
    faults,
    data: world,
    requests: requestLog.requests,
    close: async () => {
      closing.abort();
      await listening.close();
    },
  };
}
