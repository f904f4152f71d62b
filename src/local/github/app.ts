import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { Logger } from '../../runtime/logger.ts';
import { hang, truncate } from '../stand-in/broken-answers.ts';
import type { RequestLog } from '../stand-in/request-log.ts';
import type { World } from './data/world.ts';
import { faultResponse, spoilAnswer } from './fault-responses.ts';
import type { Fault, GitHubFaults } from './faults.ts';
import { executeGraphQL } from './graphql/execute.ts';
import { type GraphQLRequest, parseGraphQLRequest } from './graphql/request.ts';
import { type Quota, type RateLimit, rateLimitHeaders } from './rate-limit.ts';
import type { RecordedRequest } from './recorded-request.ts';
import { applyETag } from './rest/conditional.ts';
import { badCredentials, errorResponse, rateLimitExceeded } from './rest/errors.ts';
import { createRestRoutes } from './rest/routes.ts';

/** What the application is made of. */
export interface AppParts {
  world: World;
  faults: GitHubFaults;
  requestLog: RequestLog<RecordedRequest>;
  limits: { core: RateLimit; graphql: RateLimit };
  /** Undefined: any token will do. */
  acceptedTokens: readonly string[] | undefined;
  allowAnonymous: boolean;
  /** Nodes that a GraphQL query may return. */
  nodeLimit: number;
  /** Before every answer. */
  latencyMs: number;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Ends requests that hang. */
  closing: AbortSignal;
  log: Logger | undefined;
}

type AppContext = Context<{ Bindings: HttpBindings }>;

/** GitHub's two APIs behind one door, where faults, tokens and limits are checked. */
export function createApp(parts: AppParts): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  const rest = createRestRoutes(parts.world, parts.limits);
  rest.notFound(() => errorResponse(404, 'Not Found'));
  app.all('*', async (context) => {
    const isGraphQL = context.req.path === '/graphql' && context.req.method === 'POST';
    const request = isGraphQL ? parseGraphQLRequest(await context.req.text()) : null;
    const limit = isGraphQL ? parts.limits.graphql : parts.limits.core;
    const recorded = record(parts, context, request);
    const answer = async (fault: Fault | undefined): Promise<Response> =>
      isGraphQL ? await answerGraphQL(parts, request, fault) : await answerRest(parts, context, rest);
    return await admit(parts, context, recorded, limit, answer);
  });
  return app;
}

/** Applies the fault, if there is one for this request; else checks the token and answers. */
async function admit(
  parts: AppParts,
  context: AppContext,
  recorded: RecordedRequest,
  limit: RateLimit,
  answer: (fault: Fault | undefined) => Promise<Response>,
): Promise<Response> {
  const fault = parts.faults.take(recorded);
  recorded.fault = fault?.kind ?? null;
  const delay = parts.latencyMs + (fault?.kind === 'latency' ? (fault.latencyMs ?? 1000) : 0);
  if (delay > 0) await sleep(delay);
  if (fault?.kind === 'hang') return await hang(AbortSignal.any([context.req.raw.signal, parts.closing]));
  const response =
    (fault && faultResponse(fault, limit.quota(), parts.now())) ??
    (isAccepted(parts, context) ? await answer(fault) : badCredentials());
  const headers = { ...rateLimitHeaders(limit.quota()), 'x-github-request-id': requestId() };
  for (const [name, value] of Object.entries(headers)) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  recorded.status = response.status;
  parts.log?.debug({ ...recorded, graphql: recorded.graphql?.operationName }, 'GitHub stand-in answered');
  return fault?.kind === 'truncated' ? await truncate(context, response) : response;
}

async function answerRest(parts: AppParts, context: AppContext, rest: Hono): Promise<Response> {
  const { core } = parts.limits;
  const isFree = context.req.path === '/rate_limit';
  if (!isFree && core.quota().remaining === 0) return rateLimitExceeded(403);
  const plain = await rest.fetch(context.req.raw);
  const response = plain.status === 200 ? await applyETag(plain, context.req.header('if-none-match')) : plain;
  // An answer that the caller has already costs nothing.
  if (!isFree && response.status !== 304) core.spend(1);
  return response;
}

async function answerGraphQL(
  { world, limits, nodeLimit }: AppParts,
  request: GraphQLRequest | null,
  fault: Fault | undefined,
): Promise<Response> {
  if (request === null) return errorResponse(400, 'Problems parsing JSON');
  const spend = (points: number): Quota | null => limits.graphql.spend(points);
  const answer = await executeGraphQL(request, world, spend, nodeLimit);
  return Response.json(fault?.kind === 'graphql-partial' ? spoilAnswer(answer, fault) : answer);
}

function isAccepted({ acceptedTokens, allowAnonymous }: AppParts, context: AppContext): boolean {
  const token = context.req.header('authorization')?.replace(/^(bearer|token) /i, '');
  if (token === undefined) return allowAnonymous;
  return acceptedTokens?.includes(token) ?? true;
}

function record(parts: AppParts, context: AppContext, graphql: GraphQLRequest | null): RecordedRequest {
  const recorded: RecordedRequest = {
    method: context.req.method,
    path: context.req.path,
    search: new URL(context.req.url).search,
    graphql,
    authenticated: context.req.header('authorization') !== undefined,
    ifNoneMatch: context.req.header('if-none-match') ?? null,
    userAgent: context.req.header('user-agent') ?? null,
    receivedAt: parts.now(),
    status: null,
    fault: null,
  };
  parts.requestLog.add(recorded);
  return recorded;
}

/** In the form of GitHub's own: groups of hexadecimal digits. */
function requestId(): string {
  return randomUUID().toUpperCase().replaceAll('-', ':');
}
