import { graphql } from '@octokit/graphql';
import { Octokit } from '@octokit/rest';
import type { GitHubStandIn } from './stand-in.ts';

const ignore = (): void => undefined;

/** GitHub's own clients, pointed at the stand-in. */
export function createClients(standIn: GitHubStandIn, token = 'test-token') {
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  return {
    octokit: new Octokit({ baseUrl: standIn.url, auth: token, log }),
    graphql: graphql.defaults({ baseUrl: standIn.url, headers: { authorization: `token ${token}` } }),
  };
}
