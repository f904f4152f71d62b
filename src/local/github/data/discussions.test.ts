import { describe, expect, test } from 'vitest';
import { generateRepository } from './repository.ts';
import { createWorld } from './world.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const hello = createWorld({ seed: 1, now: NOW }).repository('octo-org/hello-hybrid');
if (!hello) throw new Error('expected the default repository octo-org/hello-hybrid');

describe('the discussions of a generated repository', () => {
  test('are as many as asked for, numbered after the pull requests and issues, the same every time', () => {
    const numbers = hello.discussions().map(({ number }) => number);
    expect(numbers).toEqual(Array.from({ length: 40 }, (_, index) => 401 + index));
    const again = createWorld({ seed: 1, now: NOW }).repository('octo-org/hello-hybrid');
    expect(again?.discussions()).toEqual(hello.discussions());
    const other = createWorld({ seed: 2, now: NOW }).repository('octo-org/hello-hybrid');
    expect(other?.discussions()).not.toEqual(hello.discussions());
  });

  test('are none unless asked for, and at most 1,000', () => {
    const recipe = { owner: 'o', name: 'n', now: NOW };
    expect(generateRepository(recipe).discussions()).toEqual([]);
    expect(generateRepository({ ...recipe, discussions: 1000 }).discussionOutlines).toHaveLength(1000);
    expect(() => generateRepository({ ...recipe, discussions: 1001 })).toThrow(/at most 1000 discussions/);
  });

  test('have ids of their own that fit into 32 bits', () => {
    const discussions = hello.discussions();
    for (const entries of [discussions, discussions.flatMap(({ comments }) => comments)]) {
      const ids = entries.map(({ databaseId }) => databaseId);
      expect(new Set(ids).size).toBe(ids.length);
      expect(Math.max(...ids)).toBeLessThan(2 ** 31);
      expect(new Set(entries.map(({ nodeId }) => nodeId)).size).toBe(ids.length);
    }
  });

  test('keep every moment between opening and last update, and every reply after its comment', () => {
    for (const { comments, createdAt, updatedAt } of hello.discussions())
      for (const comment of comments) {
        const parent = comments.find(({ databaseId }) => databaseId === comment.replyToId);
        expect(comment.createdAt >= (parent ?? { createdAt }).createdAt).toBe(true);
        expect(comment.createdAt <= updatedAt).toBe(true);
        expect(parent?.replyToId ?? null).toBeNull();
      }
  });

  test('surprise their readers as real ones do', () => {
    const discussions = hello.discussions();
    const comments = discussions.flatMap((discussion) => discussion.comments);
    const seen = {
      'a deleted author': discussions.some(({ author }) => author === null),
      'a deleted commenter': comments.some(({ author }) => author === null),
      'a bot': comments.some(({ author }) => author?.type === 'Bot'),
      'an answer': discussions.some(({ answerId }) => answerId !== null),
      'a reply as the answer': discussions.some(({ answerId }) =>
        comments.some(({ databaseId, replyToId }) => databaseId === answerId && replyToId !== null),
      ),
      'a question without an answer': discussions.some(
        ({ answerId, category }) => answerId === null && category.isAnswerable,
      ),
      'a category without answers': discussions.some(({ category }) => !category.isAnswerable),
      'a deleted comment': comments.some(({ deletedAt }) => deletedAt !== null),
      'an empty body': discussions.some(({ body }) => body === ''),
      'no comment': discussions.some((discussion) => discussion.comments.length === 0),
      'one that is closed': discussions.some(({ state }) => state === 'CLOSED'),
    };
    expect(Object.entries(seen).filter(([, present]) => !present)).toEqual([]);
  });

  test('have one with more comments than a page holds, one of which has more replies', () => {
    const busy = hello.discussion(hello.busyDiscussionNumber ?? 0);
    const replies = Map.groupBy(busy?.comments ?? [], ({ replyToId }) => replyToId);
    expect(replies.get(null)?.length).toBeGreaterThan(100);
    expect(Math.max(...[...replies].map(([id, list]) => (id === null ? 0 : list.length)))).toBeGreaterThan(
      100,
    );
  });

  test('and issues can be edited, which their lists show', () => {
    const repository = generateRepository({ owner: 'o', name: 'n', issues: 2, discussions: 2, now: NOW });
    const updatedAt = '2026-11-20T13:00:00Z';
    repository.editIssue(2, { title: 'Renamed', updatedAt, state: 'CLOSED' });
    expect(repository.issue(2)).toMatchObject({ title: 'Renamed', state: 'CLOSED' });
    expect(repository.outlines[1]).toMatchObject({ updatedAt, state: 'CLOSED' });
    repository.editDiscussion(3, { title: 'Renamed', updatedAt, comments: [] });
    expect(repository.discussion(3)).toMatchObject({ title: 'Renamed', comments: [] });
    expect(repository.discussionOutlines[0]).toMatchObject({ updatedAt });
    expect(() => repository.editIssue(3, { title: 'Nobody' })).toThrow(/expected an issue/);
    expect(() => repository.editDiscussion(2, { title: 'Nobody' })).toThrow(/expected a discussion/);
  });
});
