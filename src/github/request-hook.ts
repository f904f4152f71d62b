import type { Octokit } from '@octokit/rest';
import { QueryTooLargeError } from '../jobs/outcomes.ts';
import type { QuotaLedger } from '../quotas/quota-ledger.ts';
import type { ResponseHeaders } from './rate-limit.ts';
import { problemsToOutcome, refusalToOutcome, type Asker, type GraphQLProblem } from './refusals.ts';
import { requestQuota } from './request-quota.ts';

type Request = Parameters<Octokit['request']['endpoint']['parse']>[0];

/** What Octokit resolves to, and what the errors of refused requests carry. */
interface Answer {
  status: number;
  headers: ResponseHeaders;
  data: unknown;
}

export interface RequestHookOptions {
  /** Ends every request; null: only the request's own signal does. */
  signal: AbortSignal | null;
  /** A sentence about the token, or that there is none, for when GitHub refuses it. */
  tokenAdvice: string;
  /** Null: requests are sent whatever is left. */
  quotas: QuotaLedger | null;
  now: () => Date;
  /** For one request, body included. */
  timeoutMs: number;
}

/**
 * Puts every request of this client, REST and GraphQL, under one roof: it is counted, it stays within its quota, it ends
 * with its signal or after `timeoutMs`, and whatever goes wrong becomes a job's outcome here and nowhere else.
 */
export function wrapRequests(octokit: Octokit, options: RequestHookOptions): { readonly requests: number } {
  const counter = { requests: 0 };
  octokit.hook.wrap('request', async (send, request) => {
    const name = nameOf(octokit, request);
    const graphql = name === graphqlName;
    const asker = (): Asker => ({ tokenAdvice: options.tokenAdvice, now: options.now() });
    const own = request.request;
    const quota = requestQuota(options.quotas, { graphql });
    try {
      quota.admit();
      counter.requests += 1;
      const answer = await sendInTime(
        (signal) => {
          // Inner hooks see this very object whatever is passed on; its `request` may be shared by all requests.
          request.request = { ...own, signal };
          return send(request);
        },
        [options.signal, own.signal],
        options.timeoutMs,
        (error) => {
          const refusal = answerIn(error);
          if (refusal !== null) quota.learn(refusal);
          return outcomeOf(error, name, asker());
        },
        graphql ? QueryTooLargeError : Error,
      );
      quota.learn(answer);
      return { ...answer, data: usableData(answer, name, asker()) };
    } catch (error) {
      await quota.refused(error);
      throw error;
    }
  });
  return counter;
}

const graphqlName = 'a GraphQL query';

/** Names a request without its query, headers and body, for messages. */
function nameOf(octokit: Octokit, request: Request): string {
  const { method, url } = octokit.request.endpoint.parse(request);
  const { pathname } = new URL(url);
  // By the method, too: there are repositories of that name.
  return method === 'POST' && pathname.endsWith('/graphql') ? graphqlName : `${method} ${pathname}`;
}

/** An aborted caller gets its own reason, a request out of time an ordinary error, the rest what `toOutcome` says. */
async function sendInTime<Sent>(
  send: (signal: AbortSignal) => Sent | Promise<Sent>,
  callers: readonly (AbortSignal | null | undefined)[],
  timeoutMs: number,
  toOutcome: (error: unknown) => Error,
  OutOfTime: new (message: string, options?: ErrorOptions) => Error,
): Promise<Sent> {
  const caller = AbortSignal.any(callers.filter((signal) => signal != null));
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  const either = AbortSignal.any([caller, clock.signal]);
  try {
    const sent = await send(either);
    // Octokit takes a body whose reading was aborted for an empty one.
    either.throwIfAborted();
    return sent;
  } catch (error) {
    caller.throwIfAborted();
    if (!clock.signal.aborted) throw toOutcome(error);
    const { message } = toOutcome(clock.signal.reason);
    throw new OutOfTime(message, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function outcomeOf(error: unknown, name: string, asker: Asker): Error {
  const message = error instanceof Error ? error.message.slice(0, 500) : String(error);
  const answer = answerIn(error);
  if (answer === null) return new Error(`GitHub could not be asked (${name}): ${message}`, { cause: error });
  return refusalToOutcome(
    { ...answer, request: name, graphql: name === graphqlName, message, cause: error },
    asker,
  );
}

function answerIn(error: unknown): Answer | null {
  const answer =
    typeof error === 'object' && error !== null && 'response' in error ? error.response : undefined;
  return (answer as Answer | undefined) ?? null;
}

/** The answer's data, when it is whole and has no GraphQL errors that matter. */
function usableData({ data, headers, status }: Answer, name: string, asker: Asker): unknown {
  // Octokit gives the raw text, or '', where a body breaks off or is a proxy's page.
  if (
    status === 200 &&
    typeof data === 'string' &&
    /json|html|^$/.test(String(headers['content-type'] ?? ''))
  )
    throw new Error(`GitHub's answer to ${name} broke off or is not JSON`, { cause: data.slice(0, 500) });
  if (!hasProblems(data)) return data;
  const { errors: problems, ...rest } = data;
  const outcome = problemsToOutcome(
    { problems, hasData: rest.data != null, headers, cause: problems },
    asker,
  );
  if (outcome !== null) throw outcome;
  return rest;
}

function hasProblems(data: unknown): data is { errors: GraphQLProblem[]; data?: unknown } {
  return typeof data === 'object' && data !== null && 'errors' in data && Array.isArray(data.errors);
}
