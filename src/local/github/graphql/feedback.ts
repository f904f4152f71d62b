import type { GraphQLResolveInfo } from 'graphql';
import type { Comment, PullRequest, Review, ReviewComment } from '../data/records.ts';
import { renderAuthor } from './actor.ts';
import { connection, type PageArguments } from './connection.ts';
import { renderIds } from './ids.ts';

type Page<Extra = object> = (
  args: PageArguments & Extra,
  context: unknown,
  info: GraphQLResolveInfo,
) => object;

/** Conversation comments of a pull request or issue; GitHub's only order is by `UPDATED_AT`, the default by creation. */
export function commentPage(comments: readonly Comment[], url: string): Page {
  return (args, _context, info) =>
    connection(
      {
        items: comments,
        positionOf: (comment) => [comment.createdAt, comment.databaseId],
        render: (comment) => ({
          ...renderIds(comment),
          author: renderAuthor(comment.author),
          ...renderText(comment.body),
          authorAssociation: comment.authorAssociation,
          createdAt: comment.createdAt,
          updatedAt: comment.updatedAt,
          publishedAt: comment.createdAt,
          lastEditedAt: null,
          isMinimized: false,
          url: `${url}#issuecomment-${comment.databaseId}`,
        }),
      },
      args,
      info,
    );
}

/** Reviews, oldest first. */
export function reviewPage(
  pull: PullRequest,
  url: string,
): Page<{ states?: string[] | null; author?: string }> {
  return (args, _context, info) =>
    connection(
      {
        items: pull.reviews.filter(
          (review) =>
            (args.states?.includes(review.state) ?? true) &&
            (args.author === undefined || review.author?.login === args.author),
        ),
        positionOf: (review) => [review.submittedAt ?? pull.updatedAt, review.databaseId],
        render: (review) => renderReview(review, pull, url),
      },
      args,
      info,
    );
}

/** Threads of review comments in the order of their first comments. */
export function reviewThreadPage(pull: PullRequest, url: string): Page {
  return (args, _context, info) =>
    connection(
      {
        items: pull.reviewComments.filter((comment) => comment.inReplyToId === null),
        positionOf: (root) => [root.createdAt, root.databaseId],
        render: (root) => renderThread(root, pull, url),
      },
      args,
      info,
    );
}

function renderReview(review: Review, pull: PullRequest, url: string): object {
  const createdAt = review.submittedAt ?? pull.updatedAt;
  return {
    ...renderIds(review),
    author: renderAuthor(review.author),
    authorAssociation: review.authorAssociation,
    state: review.state,
    ...renderText(review.body),
    commit: review.commitOid === null ? null : { oid: review.commitOid },
    createdAt,
    submittedAt: review.submittedAt,
    publishedAt: review.submittedAt,
    updatedAt: createdAt,
    lastEditedAt: null,
    url: `${url}#pullrequestreview-${review.databaseId}`,
    comments: reviewCommentPage(
      pull.reviewComments.filter((comment) => comment.reviewId === review.databaseId),
      pull,
      url,
    ),
  };
}

export function renderThread(root: ReviewComment, pull: PullRequest, url: string): object {
  return {
    __typename: 'PullRequestReviewThread',
    id: root.nodeId.replace('PRRC_', 'PRRT_'),
    isResolved: root.databaseId % 2 === 0,
    isCollapsed: root.databaseId % 2 === 0,
    isOutdated: root.line === null,
    path: root.path,
    line: root.line,
    originalLine: root.originalLine,
    startLine: null,
    diffSide: 'RIGHT',
    subjectType: 'LINE',
    comments: reviewCommentPage(
      pull.reviewComments.filter(({ databaseId, inReplyToId }) =>
        [databaseId, inReplyToId].includes(root.databaseId),
      ),
      pull,
      url,
    ),
  };
}

function reviewCommentPage(comments: readonly ReviewComment[], pull: PullRequest, url: string): Page {
  return (args, _context, info) =>
    connection(
      {
        items: comments,
        positionOf: (comment) => [comment.createdAt, comment.databaseId],
        render: (comment) => renderReviewComment(comment, pull, url),
      },
      args,
      info,
    );
}

function renderReviewComment(comment: ReviewComment, pull: PullRequest, url: string): object {
  const review = pull.reviews.find(({ databaseId }) => databaseId === comment.reviewId);
  const parent = pull.reviewComments.find(({ databaseId }) => databaseId === comment.inReplyToId);
  return {
    ...renderIds(comment),
    author: renderAuthor(comment.author),
    authorAssociation: comment.authorAssociation,
    ...renderText(comment.body),
    path: comment.path,
    line: comment.line,
    originalLine: comment.originalLine,
    position: comment.line,
    originalPosition: comment.originalLine,
    startLine: null,
    originalStartLine: null,
    outdated: comment.line === null,
    diffHunk: comment.diffHunk,
    commit: { oid: comment.commitOid },
    originalCommit: { oid: comment.commitOid },
    state: 'SUBMITTED',
    subjectType: 'LINE',
    createdAt: comment.createdAt,
    draftedAt: comment.createdAt,
    publishedAt: comment.createdAt,
    updatedAt: comment.updatedAt,
    lastEditedAt: null,
    isMinimized: false,
    url: `${url}#discussion_r${comment.databaseId}`,
    replyTo: () => parent && renderReviewComment(parent, pull, url),
    pullRequestReview: () => review && renderReview(review, pull, url),
  };
}

/** GraphQL's `body` is never null. Rendered HTML is not imitated. */
export function renderText(body: string | null): object {
  return { body: body ?? '', bodyText: body ?? '' };
}
