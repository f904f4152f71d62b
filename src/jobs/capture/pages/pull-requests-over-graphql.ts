import type { GitHub } from '../../../github/github.ts';
import { NonRetryableError } from '../../outcomes.ts';
import { actorFields } from '../rows/actor-from-graphql.ts';
import { nextCursor, type Connection } from '../rows/connection.ts';
import { ContributorRows } from '../rows/contributor-rows.ts';
import type { PullRequestList, RepositoryName } from './pull-request-list.ts';
import {
  pullRequestFields,
  pullRequestFromGraphQL,
  rateLimitField,
  repositoryFields,
  repositoryFromGraphQL,
  type PullRequestNode,
  type RepositoryNode,
} from '../rows/rows-from-graphql.ts';

const order = 'orderBy: { field: UPDATED_AT, direction: DESC }';

const query = `query changedPullRequests($owner: String!, $name: String!, $first: Int!, $after: String) {
  ${rateLimitField}
  repository(owner: $owner, name: $name) {
    ...repositoryFields
    newest: pullRequests(first: 1, ${order}) { nodes { updatedAt } }
    pullRequests(first: $first, after: $after, ${order}) {
      pageInfo { hasNextPage endCursor }
      nodes { ...pullRequestFields }
    }
  }
}
${repositoryFields}
${pullRequestFields}
${actorFields}`;

interface Answer {
  repository:
    | (RepositoryNode & {
        newest: Pick<Connection<{ updatedAt: string }>, 'nodes'>;
        pullRequests: Connection<PullRequestNode>;
      })
    | null;
}

/** So many pull requests after a cursor, and in the same request when the newest one changed. */
export async function listOverGraphQL(
  github: GitHub,
  { owner, repo }: RepositoryName,
  page: { first: number; after: string | null },
): Promise<PullRequestList> {
  const { repository } = await github.graphql<Answer>(query, { owner, name: repo, ...page });
  if (repository === null) throw new NonRetryableError(`GitHub has no repository ${owner}/${repo}`);
  const contributors = new ContributorRows();
  const nodes = repository.pullRequests.nodes ?? [];
  const end = nextCursor(repository.pullRequests);
  const pullRequests = nodes
    .map((node) => node && pullRequestFromGraphQL(node, contributors))
    .filter((row) => row !== null);
  const first = page.after === null ? pullRequests[0]?.updated_at : undefined;
  return {
    repository: repositoryFromGraphQL(repository),
    pullRequests,
    contributors: contributors.all(),
    newest: repository.newest.nodes?.[0]?.updatedAt ?? first ?? null,
    next: end === null ? null : { api: 'graphql', after: end },
  };
}
