import { databaseIdOf } from '../data/conversation.ts';
import type { PullRequest } from '../data/records.ts';
import type { Repository } from '../data/repository.ts';
import type { World } from '../data/world.ts';
import { renderDiscussion, renderDiscussionComment } from './discussion.ts';
import { renderThread } from './feedback.ts';
import { renderPullRequest } from './item.ts';
import { TypedGraphQLError } from './typed-error.ts';

/** What `node(id:)` answers. Served are discussions and their comments, pull requests and threads of review comments. */
export function findNode(world: World, id: string): object {
  return (
    findDiscussion(world, id) ??
    findDiscussionComment(world, id) ??
    findPullRequest(world, id) ??
    findThread(world, id) ??
    notFound(id)
  );
}

function findPullRequest(world: World, id: string): object | undefined {
  const found = pullRequestWithId(world, databaseIdOf('PR', id));
  return found && renderPullRequest(found.pull, found.repository);
}

/** A thread has the number of its first comment, and that begins with the number of the pull request. */
function findThread(world: World, id: string): object | undefined {
  const rootId = databaseIdOf('PRRT', id);
  const found = pullRequestWithId(world, rootId && Math.floor(rootId / 1000));
  const root = found?.pull.reviewComments.find(({ databaseId }) => databaseId === rootId);
  if (!found || !root) return undefined;
  const { pull, repository } = found;
  return renderThread(root, pull, `https://github.com/${repository.fullName}/pull/${pull.number}`);
}

function pullRequestWithId(
  { repositories }: World,
  databaseId: number | null,
): { pull: PullRequest; repository: Repository } | undefined {
  if (databaseId === null) return undefined;
  for (const repository of repositories) {
    const [{ number: first } = { number: 0 }] = repository.outlines;
    const item = repository.pullRequest(first) ?? repository.issue(first);
    const pull = item && repository.pullRequest(databaseId - item.databaseId + first);
    if (pull) return { pull, repository };
  }
  return undefined;
}

function findDiscussion({ repositories }: World, id: string): object | undefined {
  const databaseId = databaseIdOf('D', id);
  if (databaseId === null) return undefined;
  for (const repository of repositories) {
    const found = repository.discussionWithId(databaseId);
    if (found) return renderDiscussion(found, repository);
  }
  return undefined;
}

function findDiscussionComment(world: World, id: string): object | undefined {
  const databaseId = databaseIdOf('DC', id);
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
