import { InvalidCursorError, NonRetryableError, QueryTooLargeError, SnoozeError } from '../jobs/outcomes.ts';
import { grantsNothing, rateLimitedUntil, resetTime, type ResponseHeaders } from './rate-limit.ts';

/** What a refused request was, for messages: never a header or a body, which may hold a secret. */
export interface Refusal {
  /** For example `GET /repos/octo/hello/pulls/7` or `GraphQL`. */
  request: string;
  graphql: boolean;
  status: number;
  headers: ResponseHeaders;
  message: string;
  cause: unknown;
}

/** Who asks, and when. */
export interface Asker {
  /** A sentence about the token, or that there is none, for when GitHub refuses it. */
  tokenAdvice: string;
  now: Date;
}

/** The outcome of a job whose request GitHub refused with an HTTP status of 400 or above. */
export function refusalToOutcome(refusal: Refusal, asker: Asker): Error {
  const { status, cause } = refusal;
  const said = `GitHub answered ${status} to ${refusal.request}: ${refusal.message}`;
  const until = rateLimitedUntil(refusal, asker.now);
  if (until !== null) return new SnoozeError(until, `GitHub's rate limit: ${refusal.message}`, { cause });
  if (status === 401 || grantsNothing(refusal.headers))
    return new NonRetryableError(`${said}. ${asker.tokenAdvice}`, { cause });
  // A gateway that gives up on a query has usually waited too long for it.
  if (refusal.graphql && (status === 502 || status === 504)) return new QueryTooLargeError(said, { cause });
  if (status >= 500 || status === 408) return new Error(said, { cause });
  return new NonRetryableError(said, { cause });
}

/** One entry of `errors` in a GraphQL answer: GitHub adds `type` (its failures) or `extensions.code` (a bad query). */
export interface GraphQLProblem {
  message: string;
  type?: string;
  path?: readonly (string | number)[];
  extensions?: { code?: string };
}

/** Types that another attempt may not meet again. GitHub documents none; these are the ones it has been seen to send. */
const passing = new Set(['INTERNAL', 'INTERNAL_SERVER_ERROR', 'LOADING', 'SERVICE_UNAVAILABLE']);
/** Types that say that the query asks for too much at once. */
const tooLarge = new Set(['MAX_NODE_LIMIT_EXCEEDED', 'RESOURCE_LIMITS_EXCEEDED', 'TIMEOUT']);
/** What GitHub says, without a type, when it ran out of time. */
const ranOutOfTime = /couldn't respond to your request in time|timeout|timedout/i;
const rateLimits = new Set(['RATE_LIMITED', 'RATE_LIMIT']);

/**
 * The outcome of a job whose GraphQL request came back with `errors` and HTTP status 200, or null when the errors are
 * harmless. Harmless means: there is data, and each error only says NOT_FOUND about something below the top level,
 * which is null in the data. So one missing pull request among several does not lose the others; whoever asked finds
 * the null. A missing repository is at the top level, and fails.
 */
export function problemsToOutcome(
  answer: { problems: readonly GraphQLProblem[]; hasData: boolean; headers: ResponseHeaders; cause: unknown },
  asker: Asker,
): Error | null {
  const { problems, cause } = answer;
  const message = `GitHub's GraphQL API: ${problems.map((problem) => problem.message).join('; ')}`;
  const limited = problems.some(
    ({ type, message: text }) => rateLimits.has(type ?? '') || /secondary rate limit/i.test(text),
  );
  if (limited) return new SnoozeError(resetTime(answer.headers, asker.now), message, { cause });
  if (answer.hasData && problems.every(isMissingPart)) return null;
  if (problems.some(({ type }) => type === 'INVALID_CURSOR_ARGUMENTS'))
    return new InvalidCursorError(message, { cause });
  if (problems.some(isTooLarge)) return new QueryTooLargeError(message, { cause });
  return problems.some(isPassing) ? new Error(message, { cause }) : new NonRetryableError(message, { cause });
}

function isMissingPart({ type, path }: GraphQLProblem): boolean {
  return type === 'NOT_FOUND' && (path?.length ?? 0) > 1;
}

function isTooLarge({ type, message }: GraphQLProblem): boolean {
  return type === undefined ? ranOutOfTime.test(message) : tooLarge.has(type);
}

function isPassing({ type, extensions }: GraphQLProblem): boolean {
  return type === undefined ? extensions?.code === undefined : passing.has(type);
}
