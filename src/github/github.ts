import type { Octokit } from '@octokit/rest';

/**
 * GitHub as a job sees it: REST over @octokit/rest, GraphQL over @octokit/graphql, both counted. Every request ends
 * in an answer or in one of the outcomes of `jobs/outcomes.ts`: rate limits snooze, refusals are non-retryable, and
 * everything else (5xx, network, time-out, cut body) is an ordinary error, which is retried.
 */
export interface GitHub {
  /** Octokit's typed endpoint methods, for example `github.rest.pulls.get({ owner, repo, pull_number })`. */
  readonly rest: Octokit['rest'];
  /** All pages of a REST list endpoint. */
  readonly paginate: Octokit['paginate'];
  /**
   * One GraphQL request. Variables must not be named like a request option: `query`, `method`, `url`, `baseUrl`,
   * `headers`, `request`, `mediaType`, `operationName`.
   */
  graphql<Data>(
    query: string,
    variables: Record<string, unknown>,
    options?: { signal?: AbortSignal },
  ): Promise<Data>;
  /** Requests made so far by this instance. */
  readonly requestCount: number;
  /**
   * The same GitHub for one piece of work: `signal` ends each of its requests, also those of `paginate`, and its
   * `requestCount` starts at 0.
   */
  withSignal(signal: AbortSignal): GitHub;
  /**
   * The same GitHub asked as somebody else, with a quota and a `requestCount` of its own.
   * @param refusal - ends the message of the error when GitHub refuses the token: a sentence that says what to do
   */
  withToken(token: string, refusal: string): GitHub;
}
