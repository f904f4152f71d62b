import type { Octokit } from '@octokit/rest';

/** GitHub as a job sees it: REST over @octokit/rest, GraphQL over @octokit/graphql, both counted. */
export interface GitHub {
  /** Octokit's typed endpoint methods, for example `github.rest.pulls.get({ owner, repo, pull_number, request: { signal } })`. */
  readonly rest: Octokit['rest'];
  /** All pages of a REST list endpoint. */
  readonly paginate: Octokit['paginate'];
  /** One GraphQL request. */
  graphql<Data>(query: string, variables: Record<string, unknown>, options?: { signal?: AbortSignal }): Promise<Data>;
  /** Requests made so far by this instance. */
  readonly requestCount: number;
}
