import { describe, expect, test } from 'vitest';
import { generateRepository, type RepositoryRecipe } from './repository.ts';
import { createWorld } from './world.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const DAY = 86_400_000;

const hello = createWorld({ seed: 1, now: NOW }).repository('octo-org/hello-hybrid');
if (!hello) throw new Error('expected the default repository octo-org/hello-hybrid');

describe('a generated repository', () => {
  test('is the same for the same seed and another one for another seed', () => {
    const recipe: RepositoryRecipe = { owner: 'o', name: 'n', pullRequests: 20, issues: 5, now: NOW };
    const [first, second, other] = [1, 1, 2].map((seed) => generateRepository({ ...recipe, seed }));
    expect(first?.pullRequests()).toEqual(second?.pullRequests());
    expect(first?.issues()).toEqual(second?.issues());
    expect(first?.pullRequests()).not.toEqual(other?.pullRequests());
  });

  test('gives the same pull request whether or not others were asked for before', () => {
    const recipe: RepositoryRecipe = { owner: 'o', name: 'n', pullRequests: 1200, now: NOW };
    const read = generateRepository(recipe);
    read.pullRequests();
    expect(read.pullRequest(7)).toEqual(generateRepository(recipe).pullRequest(7));
  });

  test('has exactly as many pull requests and issues as asked for, in one sequence of numbers', () => {
    expect(hello.pullRequests()).toHaveLength(340);
    expect(hello.issues()).toHaveLength(60);
    expect(hello.outlines.map(({ number }) => number)).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
    expect(
      hello
        .pullRequests()
        .slice(0, 20)
        .some((pull, index) => pull.number !== index + 1),
    ).toBe(true);
  });

  test('opens its items in the order of their numbers, none in the future', () => {
    const created = hello.outlines.map(({ createdAt }) => Date.parse(createdAt));
    expect(created).toEqual(created.toSorted((a, b) => a - b));
    expect(created.at(-1)).toBeLessThanOrEqual(NOW);
    expect(created.filter((time) => time > NOW - 30 * DAY).length).toBeGreaterThan(50);
  });

  test('keeps every moment of a pull request between its opening and its last update', () => {
    for (const pull of hello.pullRequests()) {
      const times = [
        ...(pull.closedAt ? [pull.closedAt] : []),
        ...pull.reviews.flatMap(({ submittedAt }) => submittedAt ?? []),
        ...[...pull.comments, ...pull.reviewComments].map(({ createdAt }) => createdAt),
      ];
      for (const time of times) {
        expect(time >= pull.createdAt && time <= pull.updatedAt, `${time} in #${pull.number}`).toBe(true);
      }
      expect(Date.parse(pull.updatedAt)).toBeLessThanOrEqual(NOW);
      expect(pull.mergedAt !== null).toBe(pull.state === 'MERGED');
    }
  });

  test('gives every pull request, review and comment an id of its own that needs more than 32 bits', () => {
    const pulls = hello.pullRequests();
    for (const entries of [
      pulls,
      pulls.flatMap(({ reviews }) => reviews),
      pulls.flatMap(({ reviewComments }) => reviewComments),
      [...pulls, ...hello.issues()].flatMap(({ comments }) => comments),
    ]) {
      const ids = entries.map(({ databaseId }) => databaseId);
      expect(new Set(ids).size).toBe(ids.length);
      expect(Math.min(...ids)).toBeGreaterThan(2 ** 31);
      expect(new Set(entries.map(({ nodeId }) => nodeId)).size).toBe(ids.length);
    }
  });

  test('lets replies belong to the thread they answer', () => {
    const replies = hello
      .pullRequests()
      .flatMap((pull) => pull.reviewComments.map((comment) => ({ pull, comment })))
      .filter(({ comment }) => comment.inReplyToId !== null);
    expect(replies.length).toBeGreaterThan(10);
    for (const { pull, comment } of replies) {
      const root = pull.reviewComments.find(({ databaseId }) => databaseId === comment.inReplyToId);
      expect(root).toMatchObject({ inReplyToId: null, path: comment.path });
    }
  });

  test('contains what real repositories surprise their readers with', () => {
    const pulls = hello.pullRequests();
    const bodies = pulls.map(({ body }) => body);
    const seen = {
      'a deleted author': pulls.some(({ author }) => author === null),
      'a bot': pulls.some(({ author }) => author?.type === 'Bot' && author.login === 'dependabot[bot]'),
      'a mannequin': pulls.some(({ author }) => author?.type === 'Mannequin'),
      'a draft': pulls.some(({ isDraft }) => isDraft),
      'a body never written': bodies.includes(null),
      'an empty body': bodies.includes(''),
      'a code fence': bodies.some((body) => body?.includes('```')),
      emoji: bodies.some((body) => body?.includes('👩‍👩‍👧‍👦')),
      'right-to-left text': bodies.some((body) => body && /\p{Script=Arabic}/u.test(body)),
      'Chinese, Japanese and Korean': bodies.some(
        (body) => body && /\p{Script=Han}.*\p{Script=Hangul}/su.test(body),
      ),
    };
    expect(Object.entries(seen).filter(([, present]) => !present)).toEqual([]);
    expect(new Set(pulls.map(({ state }) => state))).toEqual(new Set(['OPEN', 'CLOSED', 'MERGED']));
    expect(new Set(pulls.flatMap(({ reviews }) => reviews.map(({ state }) => state)))).toEqual(
      new Set(['APPROVED', 'CHANGES_REQUESTED', 'COMMENTED', 'DISMISSED']),
    );
  });

  test('has one pull request with more feedback than a page holds, and one with a body of 60 kB', () => {
    const busy = hello.pullRequest(hello.busyNumber ?? 0);
    for (const feedback of [busy?.reviews, busy?.reviewComments, busy?.comments]) {
      expect(feedback?.length).toBeGreaterThan(100);
    }
    expect(hello.pullRequest(hello.longBodyNumber ?? 0)?.body?.length).toBeGreaterThan(60_000);
  });

  test('shows an edit in the list and in the pull request itself', () => {
    const repository = generateRepository({ owner: 'o', name: 'n', pullRequests: 3, now: NOW });
    repository.editPullRequest(2, { title: 'Renamed', updatedAt: '2026-11-20T13:00:00Z', state: 'CLOSED' });
    expect(repository.pullRequest(2)).toMatchObject({ title: 'Renamed', state: 'CLOSED' });
    expect(repository.outlines[1]).toMatchObject({ updatedAt: '2026-11-20T13:00:00Z', state: 'CLOSED' });
    expect(() => repository.editPullRequest(9, { title: 'Nobody' })).toThrow(/expected a pull request/);
  });
});

describe('the default world', () => {
  test('has an empty repository and one with a single pull request', () => {
    const world = createWorld({ seed: 1, now: NOW });
    expect(world.repository('octo-org/empty')?.outlines).toEqual([]);
    expect(world.repository('Octo-Org/Single')?.pullRequests()).toHaveLength(1);
    expect(world.repository('octo-org/missing')).toBeUndefined();
  });
});
