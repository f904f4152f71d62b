import { getNamedType, isLeafType, isObjectType } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Discussion } from '../data/records.ts';
import type { Repository } from '../data/repository.ts';
import { type GitHubStandIn, startGitHubStandIn } from '../stand-in.ts';
import { createClients } from '../test-clients.ts';
import { renderDiscussion, renderDiscussionComment } from './discussion.ts';
import { gitHubSchema } from './schema.ts';

let standIn: GitHubStandIn;
let truth: Repository;
let answered: Discussion;
let inRepository: (selection: string) => Promise<Record<string, unknown>>;

beforeAll(async () => {
  standIn = await startGitHubStandIn();
  const { graphql } = createClients(standIn);
  const found = standIn.data.repository('octo-org/hello-hybrid');
  const discussion = found?.discussions().find(({ answerId }) => answerId !== null);
  if (!found || !discussion) throw new Error('expected the default repository with an answered discussion');
  [truth, answered] = [found, discussion];
  inRepository = async (selection) => {
    const query = `{ repository(owner: "octo-org", name: "hello-hybrid") { ${selection} } }`;
    return (await graphql<{ repository: Record<string, unknown> }>(query)).repository;
  };
});

afterAll(() => standIn.close());

/** The scalar fields that are served of a type, none of which GitHub does not have. */
function leavesOf(typeName: string, rendered: object): string {
  const type = gitHubSchema().getType(typeName);
  if (!isObjectType(type)) throw new Error(`expected an object type, got ${typeName}`);
  const known = type.getFields();
  const names = Object.keys(rendered).filter((name) => name !== '__typename');
  expect(names.filter((name) => !(name in known))).toEqual([]);
  return names.filter((name) => isLeafType(getNamedType(known[name]?.type))).join(' ');
}

test('a discussion and its comments have every field with a value of GitHub’s type', async () => {
  const [comment] = answered.comments;
  if (!comment) throw new Error('an answered discussion has a comment');
  const commentLeaves = leavesOf('DiscussionComment', renderDiscussionComment(comment, answered, truth));
  const { hasDiscussionsEnabled, discussion } = await inRepository(`hasDiscussionsEnabled
    discussion(number: ${answered.number}) {
      ${leavesOf('Discussion', renderDiscussion(answered, truth))}
      author { login } answerChosenBy { login } category { id name slug emoji isAnswerable createdAt }
      answer { databaseId isAnswer replyTo { databaseId } }
      comments(first: 100) {
        totalCount
        nodes { ${commentLeaves} author { login } discussion { number } replies(first: 5) { totalCount nodes { databaseId } } }
      }
      labels(first: 1) { totalCount }
      repository { name }
    }`);
  expect(hasDiscussionsEnabled).toBe(true);
  const top = answered.comments.filter(({ replyToId }) => replyToId === null);
  expect(discussion).toMatchObject({
    databaseId: answered.databaseId,
    title: answered.title,
    isAnswered: true,
    category: { name: answered.category.name, isAnswerable: true },
    answer: { databaseId: answered.answerId, isAnswer: true },
    comments: { totalCount: top.length, nodes: top.map(({ databaseId }) => ({ databaseId })) },
  });
});

test('discussions are listed by their latest update, or as asked for', async () => {
  const { latest, oldest, closed } = await inRepository(`
    latest: discussions(first: 3) { totalCount nodes { number } }
    oldest: discussions(first: 3, orderBy: { field: CREATED_AT, direction: ASC }) { nodes { number } }
    closed: discussions(states: [CLOSED]) { totalCount }`);
  const byUpdate = truth.discussionOutlines
    .toSorted((a, b) => b.updatedAt.localeCompare(a.updatedAt))
    .slice(0, 3);
  expect(latest).toEqual({ totalCount: 40, nodes: byUpdate.map(({ number }) => ({ number })) });
  expect(oldest).toEqual({ nodes: [401, 402, 403].map((number) => ({ number })) });
  const count = truth.discussions().filter(({ state }) => state === 'CLOSED').length;
  expect(closed).toEqual({ totalCount: count });
});

test('the rest of a discussion’s comments, and of a comment’s replies, is found by its id', async () => {
  const busy = truth.discussion(truth.busyDiscussionNumber ?? 0);
  const parent = busy?.comments.find(
    ({ databaseId }) =>
      (busy?.comments ?? []).filter(({ replyToId }) => replyToId === databaseId).length > 100,
  );
  const query = `query ($id: ID!) { node(id: $id) { ... on DiscussionComment { replies(first: 100) { totalCount } } } }`;
  const { graphql } = createClients(standIn);
  const count = busy?.comments.filter(({ replyToId }) => replyToId === parent?.databaseId).length;
  expect(await graphql(query, { id: parent?.nodeId })).toEqual({ node: { replies: { totalCount: count } } });
  expect(
    await graphql('query ($id: ID!) { node(id: $id) { ... on Discussion { number } } }', {
      id: busy?.nodeId,
    }),
  ).toEqual({ node: { number: busy?.number } });
  await expect(graphql(query, { id: 'DC_kwDOffffffffffff' })).rejects.toThrow(/Could not resolve to a node/);
});
