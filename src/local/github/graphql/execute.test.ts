import { GraphqlResponseError } from '@octokit/graphql';
import { isLeafType, isObjectType, getNamedType } from 'graphql';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Outline } from '../data/records.ts';
import type { Repository } from '../data/repository.ts';
import { type GitHubStandIn, startGitHubStandIn } from '../stand-in.ts';
import { createClients } from '../test-clients.ts';
import { renderIssue, renderPullRequest } from './item.ts';
import { renderRepository } from './repository.ts';
import { gitHubSchema } from './schema.ts';

const where = { owner: 'octo-org', name: 'hello-hybrid' };
let standIn: GitHubStandIn;
let truth: Repository;
let graphql: ReturnType<typeof createClients>['graphql'];

beforeAll(async () => {
  standIn = await startGitHubStandIn({
    repositories: [{ owner: 'octo-org', name: 'large', pullRequests: 10_000, historyDays: 900 }],
  });
  ({ graphql } = createClients(standIn));
  const repository = standIn.data.repository('octo-org/hello-hybrid');
  if (!repository) throw new Error('expected the default repository');
  truth = repository;
});

afterAll(async () => {
  await standIn.close();
});

interface Page<Node> {
  totalCount: number;
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
  nodes: Node[];
}
type PullPage = { repository: { pullRequests: Page<{ number: number; updatedAt: string }> } };

const PULLS = `query Pulls($owner: String!, $name: String!, $first: Int, $after: String, $last: Int, $before: String,
    $order: IssueOrder, $states: [PullRequestState!]) {
  repository(owner: $owner, name: $name) {
    pullRequests(first: $first, after: $after, last: $last, before: $before, orderBy: $order, states: $states) {
      totalCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes { number updatedAt }
    }
  }
}`;

const readPage = async (
  variables: Record<string, unknown>,
): Promise<PullPage['repository']['pullRequests']> =>
  (await graphql<PullPage>(PULLS, { ...where, ...variables })).repository.pullRequests;

async function readAll(variables: Record<string, unknown>): Promise<number[]> {
  const numbers: number[] = [];
  let after: string | null = null;
  do {
    const page = await readPage({ first: 100, after, ...variables });
    numbers.push(...page.nodes.map(({ number }) => number));
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  return numbers;
}

const expected = (compare: (a: Outline, b: Outline) => number): number[] =>
  truth.outlines
    .filter(({ kind }) => kind === 'pull request')
    .sort(compare)
    .map(({ number }) => number);

/** What the server says about a wrong query, and the data that came with it. */
async function refusalOf(query: string, variables: Record<string, unknown> = {}) {
  const failure: unknown = await graphql(query, variables).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof GraphqlResponseError))
    throw new Error('expected the query to be refused', { cause: failure });
  const response: { data?: unknown; errors?: unknown } = failure.response;
  return { data: response.data, errors: response.errors };
}

describe('pages of pull requests', () => {
  test('lead to every pull request, the newest first', async () => {
    const order = { field: 'CREATED_AT', direction: 'DESC' };
    expect(await readAll({ order })).toEqual(expected((a, b) => b.number - a.number));
  });

  test('follow the last update when asked to, in both directions', async () => {
    const ascending = expected((a, b) =>
      a.updatedAt < b.updatedAt ? -1 : Number(a.updatedAt > b.updatedAt),
    );
    expect(await readAll({ order: { field: 'UPDATED_AT', direction: 'ASC' } })).toEqual(ascending);
    expect(await readAll({ order: { field: 'UPDATED_AT', direction: 'DESC' } })).toEqual(ascending.reverse());
  });

  test('start with the oldest by default and can be limited to some states', async () => {
    const merged = truth.pullRequests().filter(({ state }) => state === 'MERGED');
    expect(await readAll({ states: ['MERGED'], first: 50 })).toEqual(merged.map(({ number }) => number));
  });

  test('can be read backwards from the end', async () => {
    const oldestFirst = expected((a, b) => a.number - b.number);
    const tail = await readPage({ last: 10 });
    expect(tail.nodes.map(({ number }) => number)).toEqual(oldestFirst.slice(-10));
    expect(tail.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: false });
    const before = await readPage({ last: 10, before: tail.pageInfo.startCursor });
    expect(before.nodes.map(({ number }) => number)).toEqual(oldestFirst.slice(-20, -10));
    expect(before.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: true });
  });

  test('give every item a cursor to go on from', async () => {
    const read = async (after: string | null) =>
      await graphql<{
        repository: { pullRequests: { edges: { cursor: string; node: { number: number } }[] } };
      }>(
        `
          query ($owner: String!, $name: String!, $after: String) {
            repository(owner: $owner, name: $name) {
              pullRequests(first: 3, after: $after) {
                edges {
                  cursor
                  node {
                    number
                  }
                }
              }
            }
          }
        `,
        { ...where, after },
      );
    const [, second, third] = (await read(null)).repository.pullRequests.edges;
    const next = await read(second?.cursor ?? null);
    expect(next.repository.pullRequests.edges[0]).toEqual(third);
  });

  test('of an empty repository are empty', async () => {
    expect(await readPage({ name: 'empty', first: 5 })).toEqual({
      totalCount: 0,
      nodes: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
    });
  });

  test('of ten thousand are all there', async () => {
    const page = await readPage({
      name: 'large',
      first: 100,
      order: { field: 'UPDATED_AT', direction: 'DESC' },
    });
    expect(page.totalCount).toBe(10_000);
    const times = page.nodes.map(({ updatedAt }) => updatedAt);
    expect(times).toEqual(times.toSorted().reverse());
  });
});

describe('a pull request', () => {
  const FEEDBACK = `query ($owner: String!, $name: String!, $number: Int!, $after: String) {
    repository(owner: $owner, name: $name) { pullRequest(number: $number) {
      reviews(first: 100, after: $after) {
        totalCount pageInfo { hasNextPage endCursor }
        nodes { fullDatabaseId databaseId state submittedAt author { __typename login } commit { oid }
          comments(first: 100) { nodes { fullDatabaseId replyTo { fullDatabaseId } pullRequestReview { fullDatabaseId } } } }
      }
      reviewThreads(first: 100) { totalCount nodes { id isResolved isOutdated path line
        comments(first: 100) { nodes { fullDatabaseId body diffHunk outdated createdAt url } } } }
      comments(first: 100) { totalCount nodes { fullDatabaseId body author { login } createdAt updatedAt url } }
    } }
  }`;
  interface Feedback {
    repository: {
      pullRequest: {
        reviews: Page<{ fullDatabaseId: string; databaseId: number | null; state: string }>;
        reviewThreads: Page<{ comments: { nodes: { fullDatabaseId: string }[] } }>;
        comments: Page<{ fullDatabaseId: string }>;
      };
    };
  }

  test('shows all its feedback over several pages', async () => {
    const pull = truth.pullRequest(truth.busyNumber ?? 0);
    const read = async (after: string | null) =>
      (await graphql<Feedback>(FEEDBACK, { ...where, number: pull?.number, after })).repository.pullRequest;
    const first = await read(null);
    const second = await read(first.reviews.pageInfo.endCursor);
    expect(second.reviews.pageInfo.hasNextPage).toBe(false);
    expect(
      [...first.reviews.nodes, ...second.reviews.nodes].map(({ fullDatabaseId }) => Number(fullDatabaseId)),
    ).toEqual(pull?.reviews.map(({ databaseId }) => databaseId));
    expect(first.comments.totalCount).toBe(pull?.comments.length);
    const roots = pull?.reviewComments.filter(({ inReplyToId }) => inReplyToId === null);
    expect(first.reviewThreads.totalCount).toBe(roots?.length);
    // Ids that need more than 32 bits do not fit into `databaseId`.
    expect(first.reviews.nodes[0]?.databaseId).toBeNull();
  });

  test('has no author when the account is gone, and tells people, bots and mannequins apart', async () => {
    const pulls = truth.pullRequests();
    for (const type of ['User', 'Bot', 'Mannequin', undefined] as const) {
      const pull = pulls.find(({ author }) => author?.type === type);
      const { repository } = await graphql<{ repository: { pullRequest: { author: unknown } } }>(
        `
          query ($owner: String!, $name: String!, $number: Int!) {
            repository(owner: $owner, name: $name) {
              pullRequest(number: $number) {
                author {
                  __typename
                  login
                  ... on User {
                    databaseId
                    name
                  }
                }
              }
            }
          }
        `,
        { ...where, number: pull?.number },
      );
      const { author } = repository.pullRequest;
      if (type === undefined) expect(author).toBeNull();
      else
        expect(author).toMatchObject({ __typename: type, login: pull?.author?.login.replace('[bot]', '') });
    }
  });

  test('has an empty body where REST has null', async () => {
    const pull = truth.pullRequests().find(({ body }) => body === null);
    const answer = await graphql(
      `
        query ($owner: String!, $name: String!, $number: Int!) {
          repository(owner: $owner, name: $name) {
            pullRequest(number: $number) {
              body
            }
          }
        }
      `,
      { ...where, number: pull?.number },
    );
    expect(answer).toEqual({ repository: { pullRequest: { body: '' } } });
  });
});

describe('every field that the stand-in serves', () => {
  const leavesOf = (typeName: string, rendered: object): string => {
    const type = gitHubSchema().getType(typeName);
    if (!isObjectType(type)) throw new Error(`expected an object type, got ${typeName}`);
    const known = type.getFields();
    const names = Object.keys(rendered).filter((name) => name !== '__typename');
    expect(names.filter((name) => !(name in known))).toEqual([]);
    return names.filter((name) => isLeafType(getNamedType(known[name]?.type))).join(' ');
  };

  test('exists on GitHub and has a value of its type', async () => {
    const [pull, issue] = [truth.pullRequests()[5], truth.issues()[5]];
    if (!pull || !issue) throw new Error('expected a pull request and an issue');
    const answer = await graphql<{ repository: { pullRequest: { title: string } } }>(
      `query ($owner: String!, $name: String!, $pull: Int!, $issue: Int!) {
        repository(owner: $owner, name: $name) {
          ${leavesOf('Repository', renderRepository(truth))}
          owner { login ... on Organization { databaseId name } }
          primaryLanguage { name color } defaultBranchRef { name } watchers { totalCount }
          pullRequest(number: $pull) {
            ${leavesOf('PullRequest', renderPullRequest(pull, truth))}
            commits { totalCount } mergedBy { login } mergeCommit { oid } labels(first: 5) { nodes { name color } }
            assignees(first: 5) { nodes { login } } reviewRequests(first: 5) { nodes { id } }
            baseRepository { nameWithOwner } headRepositoryOwner { login }
          }
          issue(number: $issue) { ${leavesOf('Issue', renderIssue(issue, truth))} comments(first: 9) { nodes { body } } }
          issueOrPullRequest(number: $pull) { __typename ... on PullRequest { number } }
          issues(first: 100, filterBy: { since: "2020-01-01T00:00:00Z" }) { totalCount }
        }
        viewer { login }
      }`,
      { ...where, pull: pull.number, issue: issue.number },
    );
    expect(answer).toMatchObject({
      viewer: { login: 'octocat' },
      repository: {
        nameWithOwner: 'octo-org/hello-hybrid',
        pullRequest: { title: pull.title, state: pull.state, fullDatabaseId: String(pull.databaseId) },
        issue: { title: issue.title, url: `https://github.com/octo-org/hello-hybrid/issues/${issue.number}` },
        issueOrPullRequest: { __typename: 'PullRequest', number: pull.number },
        issues: { totalCount: 60 },
      },
    });
  });

  test('and no other is silently null', async () => {
    const { errors } = await refusalOf('{ viewer { bio } }');
    expect(errors).toMatchObject([{ message: 'The GitHub stand-in does not serve User.bio.' }]);
  });
});

describe('a wrong query', () => {
  const inside = (selection: string): string =>
    `{ repository(owner: "octo-org", name: "single") { ${selection} } }`;

  test.for([
    [
      'nope',
      { code: 'undefinedField', typeName: 'Repository', fieldName: 'nope' },
      "Field 'nope' doesn't exist on type 'Repository'",
    ],
    [
      'pullRequests(frist: 3) { totalCount }',
      { code: 'argumentNotAccepted', name: 'pullRequests', typeName: 'Field', argumentName: 'frist' },
      "Field 'pullRequests' doesn't accept argument 'frist'",
    ],
    [
      'pullRequest { title }',
      { code: 'missingRequiredArguments', className: 'Field', name: 'pullRequest', arguments: 'number' },
      "Field 'pullRequest' is missing required arguments: number",
    ],
    [
      'owner',
      { code: 'selectionMismatch', nodeName: "field 'owner'", typeName: 'RepositoryOwner' },
      "Field must have selections (field 'owner' returns RepositoryOwner but has no selections. Did you mean 'owner { ... }'?)",
    ],
  ] as const)(
    'that asks for { %s } is refused in GitHub’s words',
    async ([selection, extensions, message]) => {
      const { data, errors } = await refusalOf(inside(selection));
      expect(data).toBeUndefined();
      const name = /^\w+/.exec(selection)?.[0];
      const path = [
        'query',
        'repository',
        name,
        ...('argumentName' in extensions ? [extensions.argumentName] : []),
      ];
      expect(errors).toEqual([
        { path, extensions, locations: [{ line: 1, column: expect.any(Number) as number }], message },
      ]);
    },
  );

  test('gets HTTP 200 nevertheless', async () => {
    const response = await fetch(standIn.graphqlUrl, {
      method: 'POST',
      body: JSON.stringify({ query: inside('nope') }),
    });
    expect(response.status).toBe(200);
    const garbage = await fetch(standIn.graphqlUrl, { method: 'POST', body: '{' });
    expect([garbage.status, await garbage.json()]).toMatchObject([400, { message: 'Problems parsing JSON' }]);
  });

  test('for a repository that does not exist says NOT_FOUND beside data', async () => {
    expect(await refusalOf('{ repository(owner: "octo-org", name: "nope") { id } }')).toEqual({
      data: { repository: null },
      errors: [
        {
          type: 'NOT_FOUND',
          path: ['repository'],
          locations: [{ line: 1, column: 3 }],
          message: "Could not resolve to a Repository with the name 'octo-org/nope'.",
        },
      ],
    });
  });

  test('for one of several pull requests that does not exist still answers the others', async () => {
    const query = inside('one: pullRequest(number: 1) { number } two: pullRequest(number: 2) { number }');
    expect(await refusalOf(query)).toMatchObject({
      data: { repository: { one: { number: 1 }, two: null } },
      errors: [{ type: 'NOT_FOUND', path: ['repository', 'two'] }],
    });
  });

  test.for([
    ['pullRequests(first: 101) { nodes { id } }', 'EXCESSIVE_PAGINATION'],
    ['pullRequests { nodes { id } }', 'MISSING_PAGINATION_BOUNDARIES'],
    ['pullRequests(first: 1, after: "x") { nodes { id } }', 'INVALID_CURSOR_ARGUMENTS'],
    [
      'pullRequests(first: 100) { nodes { reviews(first: 100) { nodes { comments(first: 100) { totalCount } } } } }',
      'MAX_NODE_LIMIT_EXCEEDED',
    ],
  ] as const)('that asks for { %s } says %s', async ([selection, type]) => {
    expect((await refusalOf(inside(selection))).errors).toMatchObject([{ type }]);
  });
});

test('nodes are found by the ids that GitHub gave them, and one that is not there costs no other', async () => {
  const pull = truth.pullRequest(truth.busyNumber ?? 0);
  const root = pull?.reviewComments.find(({ inReplyToId }) => inReplyToId === null);
  const { repository } = await graphql<{
    repository: { pullRequest: { id: string; reviewThreads: { nodes: { id: string }[] } } };
  }>(
    `
      query ($owner: String!, $name: String!, $number: Int!) {
        repository(owner: $owner, name: $name) {
          pullRequest(number: $number) {
            id
            reviewThreads(first: 1) {
              nodes {
                id
              }
            }
          }
        }
      }
    `,
    { ...where, number: pull?.number },
  );
  const { id, reviewThreads } = repository.pullRequest;
  const query = `query ($ids: [ID!]!) { nodes(ids: $ids) {
    ... on PullRequest { number }
    ... on PullRequestReviewThread { comments(first: 1) { nodes { fullDatabaseId } } }
  } }`;
  const thread = { comments: { nodes: [{ fullDatabaseId: String(root?.databaseId) }] } };
  const known = [id, reviewThreads.nodes[0]?.id];
  expect(await graphql(query, { ids: known })).toEqual({ nodes: [{ number: pull?.number }, thread] });
  const answer = await fetch(standIn.graphqlUrl, {
    method: 'POST',
    body: JSON.stringify({ query, variables: { ids: [...known, 'PR_kwDOffffffffffff'] } }),
  });
  expect(await answer.json()).toMatchObject({
    data: { nodes: [{ number: pull?.number }, thread, null] },
    errors: [{ type: 'NOT_FOUND', path: ['nodes', 2] }],
  });
});

test('the limit of nodes can be another one', async () => {
  const strict = await startGitHubStandIn({ nodeLimit: 50 });
  onTestFinished(() => strict.close());
  const { graphql } = createClients(strict);
  const ask = async (first: number): Promise<unknown> =>
    await graphql(
      `
        query ($owner: String!, $name: String!, $first: Int!) {
          repository(owner: $owner, name: $name) {
            pullRequests(first: $first) {
              nodes {
                number
              }
            }
          }
        }
      `,
      { ...where, first },
    );
  await expect(ask(50)).resolves.toBeDefined();
  await expect(ask(51)).rejects.toThrow('up to 51 possible nodes which exceeds the maximum limit of 50');
});

test('the cost of a query follows GitHub’s formula, and only what it costs is taken', async () => {
  const query = `{
    repository(owner: "octo-org", name: "hello-hybrid") {
      pullRequests(first: 50) { nodes { reviews(first: 10) { nodes { comments(first: 5) { totalCount } } } } }
    }
    rateLimit { cost remaining nodeCount limit used }
  }`;
  const read = async () =>
    (
      await graphql<{ rateLimit: Record<'cost' | 'remaining' | 'nodeCount' | 'limit' | 'used', number> }>(
        query,
      )
    ).rateLimit;
  const [first, second] = [await read(), await read()];
  // 1 + 50 + 500 requests; 50 + 500 + 2,500 nodes.
  expect(first).toMatchObject({ cost: 6, nodeCount: 3050, limit: 5000 });
  expect(second.remaining).toBe(first.remaining - 6);
  expect(second.used).toBe(second.limit - second.remaining);
});
