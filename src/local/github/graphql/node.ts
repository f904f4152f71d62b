import { discussionCommentId } from '../data/discussion.ts';
import type { World } from '../data/world.ts';
import { renderDiscussionComment } from './discussion.ts';
import { TypedGraphQLError } from './typed-error.ts';

/** What `node(id:)` answers. Served are the kinds that cannot be reached in another way: comments of discussions. */
export function findNode(world: World, id: string): object {
  return findDiscussionComment(world, id) ?? notFound(id);
}

function findDiscussionComment(world: World, id: string): object | undefined {
  const databaseId = discussionCommentId(id);
  if (databaseId === null) return undefined;
  for (const repository of world.repositories) {
    const found = repository.discussionComment(databaseId);
    if (found) return renderDiscussionComment(found.comment, found.discussion, repository);
  }
  return undefined;
}

function notFound(id: string): never {
  throw new TypedGraphQLError('NOT_FOUND', `Could not resolve to a node with the global id of '${id}'`);
}
