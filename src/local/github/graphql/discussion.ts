import type { GraphQLResolveInfo } from 'graphql';
import type { Discussion, DiscussionComment } from '../data/records.ts';
import type { Repository } from '../data/repository.ts';
import { renderAuthor } from './actor.ts';
import { connection, emptyConnection, type PageArguments } from './connection.ts';
import { renderText } from './feedback.ts';
import { smallId } from './ids.ts';
import { renderRepository } from './repository.ts';
import { TypedGraphQLError } from './typed-error.ts';

interface DiscussionPageArguments extends PageArguments {
  orderBy?: { field: string; direction: 'ASC' | 'DESC' } | null;
  states?: readonly string[] | null;
  answered?: boolean | null;
  categoryId?: string | null;
}

/** The discussions of a repository, as GitHub lists them: the latest update first unless asked otherwise. */
export function discussionPage(repository: Repository) {
  return (args: DiscussionPageArguments, _context: unknown, info: GraphQLResolveInfo): object => {
    const { field, direction } = args.orderBy ?? { field: 'UPDATED_AT', direction: 'DESC' };
    const sortBy = field === 'UPDATED_AT' ? 'updatedAt' : 'createdAt';
    if (args.answered != null || args.categoryId != null)
      throw new TypedGraphQLError('INTERNAL', 'The GitHub stand-in does not serve answered and categoryId.');
    const states = args.states ?? [];
    return connection(
      {
        items: repository.discussionOutlines.filter(
          ({ state }) => states.length === 0 || states.includes(state),
        ),
        positionOf: (outline) => [outline[sortBy], outline.number],
        direction,
        render: ({ number }) => findDiscussion(repository, number),
      },
      args,
      info,
    );
  };
}

export function findDiscussion(repository: Repository, number: number): object {
  const discussion = repository.discussion(number);
  if (discussion) return renderDiscussion(discussion, repository);
  throw new TypedGraphQLError('NOT_FOUND', `Could not resolve to a Discussion with the number of ${number}.`);
}

export function renderDiscussion(discussion: Discussion, repository: Repository): object {
  const url = urlOf(discussion, repository);
  const answer = discussion.comments.find(({ databaseId }) => databaseId === discussion.answerId);
  return {
    __typename: 'Discussion',
    id: discussion.nodeId,
    databaseId: smallId(discussion.databaseId),
    number: discussion.number,
    title: discussion.title,
    ...renderText(discussion.body),
    author: renderAuthor(discussion.author),
    authorAssociation: discussion.authorAssociation,
    category: renderCategory(discussion, repository),
    answer: () => answer && renderDiscussionComment(answer, discussion, repository),
    isAnswered: discussion.category.isAnswerable ? answer !== undefined : null,
    answerChosenAt: discussion.answerChosenAt,
    answerChosenBy: renderAuthor(discussion.answerChosenBy),
    upvoteCount: discussion.upvoteCount,
    locked: discussion.locked,
    activeLockReason: null,
    closed: discussion.state === 'CLOSED',
    closedAt: discussion.closedAt,
    stateReason: discussion.stateReason,
    createdAt: discussion.createdAt,
    updatedAt: discussion.updatedAt,
    publishedAt: discussion.createdAt,
    lastEditedAt: null,
    createdViaEmail: false,
    resourcePath: new URL(url).pathname,
    url,
    comments: commentPage(discussion, repository, null),
    labels: emptyConnection,
    reactions: emptyConnection,
    repository: () => renderRepository(repository),
  };
}

export function renderDiscussionComment(
  comment: DiscussionComment,
  discussion: Discussion,
  repository: Repository,
): object {
  const url = `${urlOf(discussion, repository)}#discussioncomment-${comment.databaseId}`;
  const parent = discussion.comments.find(({ databaseId }) => databaseId === comment.replyToId);
  return {
    __typename: 'DiscussionComment',
    id: comment.nodeId,
    databaseId: smallId(comment.databaseId),
    ...renderText(comment.body),
    author: renderAuthor(comment.author),
    authorAssociation: comment.authorAssociation,
    isAnswer: comment.databaseId === discussion.answerId,
    isMinimized: false,
    minimizedReason: null,
    upvoteCount: comment.upvoteCount,
    createdAt: comment.createdAt,
    updatedAt: comment.updatedAt,
    publishedAt: comment.createdAt,
    deletedAt: comment.deletedAt,
    lastEditedAt: null,
    createdViaEmail: false,
    resourcePath: url.replace('https://github.com', ''),
    url,
    discussion: () => renderDiscussion(discussion, repository),
    replyTo: () => parent && renderDiscussionComment(parent, discussion, repository),
    replies: commentPage(discussion, repository, comment.databaseId),
    reactions: emptyConnection,
  };
}

/** Comments at the top, or the replies to one of them, oldest first. */
function commentPage(discussion: Discussion, repository: Repository, replyToId: number | null) {
  return (args: PageArguments, _context: unknown, info: GraphQLResolveInfo): object =>
    connection(
      {
        items: discussion.comments.filter((comment) => comment.replyToId === replyToId),
        positionOf: (comment) => [comment.createdAt, comment.databaseId],
        render: (comment) => renderDiscussionComment(comment, discussion, repository),
      },
      args,
      info,
    );
}

function renderCategory({ category }: Discussion, repository: Repository): object {
  const { nodeId, name, slug, emoji, isAnswerable } = category;
  const { createdAt } = repository.fields;
  return { id: nodeId, name, slug, emoji, isAnswerable, description: null, createdAt, updatedAt: createdAt };
}

function urlOf({ number }: Discussion, { fullName }: Repository): string {
  return `https://github.com/${fullName}/discussions/${number}`;
}
