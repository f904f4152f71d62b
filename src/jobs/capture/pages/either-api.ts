import type { JobContext } from '../../job-context.ts';
import { NonRetryableError, SnoozeError } from '../../outcomes.ts';

/** What was read, and why not over GraphQL; null when it was. */
export interface Served<Answer> {
  answer: Answer;
  fallback: string | null;
}

/**
 * Reads over GraphQL, and over REST when GraphQL cannot serve: its rate limit is exhausted, there is no token, which it
 * needs, or it fails in a way that may pass (5xx, no answer in time, too large a query). Not when the repository is
 * missing or the token is refused: REST would say the same. An aborted signal goes through.
 *
 * @param options.unless - errors that go through, for the caller asks GraphQL in another way
 * @throws {SnoozeError} both are rate limited, until the first of them answers again
 */
export async function preferGraphQL<Answer>(
  { signal, log }: Pick<JobContext<unknown>, 'signal' | 'log'>,
  graphql: () => Promise<Answer>,
  rest: () => Promise<Answer>,
  options: { unless: (error: unknown) => boolean },
): Promise<Served<Answer>> {
  let refusal: unknown;
  try {
    return { answer: await graphql(), fallback: null };
  } catch (error) {
    signal.throwIfAborted();
    if (options.unless(error)) throw error;
    if (error instanceof NonRetryableError && !isForWantOfToken(error)) throw error;
    refusal = error;
  }
  const fallback = refusal instanceof Error ? refusal.message : String(refusal);
  log.warn({ reason: fallback }, 'GraphQL cannot serve, REST does');
  try {
    return { answer: await rest(), fallback };
  } catch (error) {
    if (error instanceof SnoozeError && refusal instanceof SnoozeError && refusal.until < error.until)
      throw refusal;
    throw error;
  }
}

/** GitHub answers in the same way to a token that it refuses; what tells them apart is the request that it refused. */
function isForWantOfToken({ cause }: NonRetryableError): boolean {
  const refused = cause as
    { status?: number; request?: { headers?: { authorization?: string } } } | undefined;
  const isRefused = refused?.status === 401 || refused?.status === 403;
  return isRefused && refused.request?.headers?.authorization === undefined;
}
