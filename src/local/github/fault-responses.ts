import type { Fault } from './faults.ts';
import type { GraphQLAnswer } from './graphql/execute.ts';
import { type Quota, rateLimitHeaders } from './rate-limit.ts';
import { badCredentials, errorResponse, notFound, rateLimitExceeded } from './rest/errors.ts';

const UNICORN = `<!DOCTYPE html>
<html>
  <head><title>Unicorn! &middot; GitHub</title></head>
  <body><h1>This page is taking too long to load.</h1><p>Sorry about that. Please try refreshing.</p></body>
</html>
`;

/**
 * The answer of a fault that needs no real one; undefined for those that spoil or delay a real answer.
 * @param now milliseconds since the epoch
 */
export function faultResponse(fault: Fault, quota: Quota, now: number): Response | undefined {
  switch (fault.kind) {
    case 'primary-limit':
      return withHeaders(rateLimitExceeded(fault.status ?? 403), exhausted(fault, quota, now));
    case 'secondary-limit':
      return rateLimitExceeded(fault.status ?? 403, fault.retryAfterSeconds ?? 60);
    case 'unauthorized':
      return badCredentials();
    case 'not-found':
      return notFound();
    case 'gone':
      return errorResponse(410, 'This issue was deleted');
    case 'unavailable-for-legal-reasons':
      return errorResponse(451, 'Repository access blocked');
    case 'server-error':
      return errorResponse(fault.status ?? 500, 'Server Error');
    case 'bad-gateway':
      return new Response(UNICORN, {
        status: fault.status ?? 502,
        headers: { 'content-type': 'text/html; charset=utf-8' },
      });
    case 'graphql-rate-limited':
      return withHeaders(
        Response.json(
          { errors: [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded for user ID 583231.' }] },
          { status: fault.status ?? 200 },
        ),
        exhausted(fault, quota, now),
      );
    case 'graphql-timeout':
      return Response.json(timeoutAnswer(), { status: fault.status ?? 200 });
    case 'hang':
    case 'truncated':
    case 'latency':
    case 'graphql-partial':
      return undefined;
  }
}

/** Replaces a part of the answer by null and says so, as GitHub does when one of its services is down. */
export function spoilAnswer(answer: GraphQLAnswer, fault: Fault): GraphQLAnswer {
  const data = structuredClone(answer.data ?? {});
  const path = fault.dataPath ?? Object.keys(data).slice(0, 1);
  let parent: unknown = data;
  for (const key of path.slice(0, -1)) parent = isRecord(parent) ? parent[key] : undefined;
  const last = path.at(-1);
  if (isRecord(parent) && last !== undefined) parent[last] = null;
  const error = { type: 'SERVICE_UNAVAILABLE', path, message: 'Something went wrong on our end.' };
  return { data, errors: [...(answer.errors ?? []), error] };
}

function isRecord(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}

function timeoutAnswer(): GraphQLAnswer {
  const message =
    'Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug. Please include `0:0:0` when reporting this issue.';
  return { data: null, errors: [{ message }] };
}

function exhausted(fault: Fault, quota: Quota, now: number): Record<string, string> {
  const resetAt = Math.ceil(now / 1000) + (fault.resetSeconds ?? 60);
  return rateLimitHeaders({ ...quota, remaining: 0, used: quota.limit, resetAt });
}

function withHeaders(response: Response, headers: Record<string, string>): Response {
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}
