import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Repository } from '../data/repository.ts';
import { type GitHubStandIn, startGitHubStandIn } from '../stand-in.ts';
import { createClients } from '../test-clients.ts';

let standIn: GitHubStandIn;
let truth: Repository;
let clients: ReturnType<typeof createClients>;

beforeAll(async () => {
  standIn = await startGitHubStandIn({
    repositories: [
      { owner: 'octo-org', name: 'history', commits: 45 },
      { owner: 'octo-org', name: 'unborn', commits: 0 },
    ],
  });
  clients = createClients(standIn);
  const repository = standIn.data.repository('octo-org/history');
  if (!repository) throw new Error('expected the repository of the recipe');
  truth = repository;
});
afterAll(() => standIn.close());

interface Answer {
  repository: {
    defaultBranchRef: {
      target: {
        history: {
          totalCount: number;
          pageInfo: { hasNextPage: boolean; endCursor: string | null };
          nodes: { oid: string; author: { date: string } }[];
        };
      };
    } | null;
  };
}

const query = `query ($name: String!, $after: String) {
  repository(owner: "octo-org", name: $name) {
    defaultBranchRef { target { ... on Commit { history(first: 20, after: $after) {
      totalCount pageInfo { hasNextPage endCursor }
      nodes { oid messageHeadline additions deletions parents { totalCount } author { name date user { login } } }
    } } } }
  }
}`;

test('the history of the default branch leads through all commits, with the clocks of their authors', async () => {
  const found: { oid: string; author: { date: string } }[] = [];
  for (let after: string | null = null, more = true; more;) {
    const { repository }: Answer = await clients.graphql<Answer>(query, { name: 'history', after });
    const page: NonNullable<typeof repository.defaultBranchRef>['target']['history'] | undefined =
      repository.defaultBranchRef?.target.history;
    expect(page?.totalCount).toBe(45);
    found.push(...(page?.nodes ?? []));
    after = page?.pageInfo.endCursor ?? null;
    more = page?.pageInfo.hasNextPage ?? false;
  }
  expect(found.map(({ oid }) => oid)).toEqual(truth.commits().map(({ oid }) => oid));
  expect(found.map(({ author }) => Date.parse(author.date))).toEqual(
    truth.commits().map(({ authoredAt }) => authoredAt),
  );
  expect(found.some(({ author }) => author.date.endsWith('+05:30'))).toBe(true);
});

test('a commit over REST has its files, and times in UTC', async () => {
  const [commit] = truth.commits();
  const { data } = await clients.octokit.rest.repos.getCommit({
    owner: 'octo-org',
    repo: 'history',
    ref: commit?.oid ?? '',
  });
  expect(data.files?.map(({ filename }) => filename)).toEqual(commit?.files.map(({ path }) => path));
  expect(data.commit.author?.date).toMatch(/Z$/);
});

test('an empty repository has no branch, and 409 over REST', async () => {
  const { repository } = await clients.graphql<Answer>(query, { name: 'unborn', after: null });
  expect(repository.defaultBranchRef).toBeNull();
  const commit = { owner: 'octo-org', repo: 'unborn', ref: 'a'.repeat(40) };
  await expect(clients.octokit.rest.repos.getCommit(commit)).rejects.toMatchObject({ status: 409 });
});
