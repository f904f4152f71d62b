import { accountFromGraphQL, type Actor } from './actor-from-graphql.ts';
import { storable, storableBody } from './captured-text.ts';
import type { Connection } from './connection.ts';
import type { ContributorRows } from './contributor-rows.ts';
import type { DiscussionCommentRow, DiscussionRow } from '../store/discussions-page.ts';

/** What {@link discussionFields} asks for. */
export interface DiscussionNode {
  id: string;
  databaseId: number | null;
  author: Actor | null;
  number: number;
  title: string;
  body: string;
  category: { name: string };
  closed: boolean;
  stateReason: string | null;
  locked: boolean;
  isAnswered: boolean | null;
  answer: { databaseId: number | null } | null;
  answerChosenAt: string | null;
  answerChosenBy: Actor | null;
  upvoteCount: number;
  url: string;
  createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  comments: Connection<CommentNode>;
}

/** What {@link commentFields} asks for. */
export interface CommentNode {
  id: string;
  databaseId: number | null;
  author: Actor | null;
  body: string;
  isAnswer: boolean;
  upvoteCount: number;
  url: string;
  createdAt: string;
  updatedAt: string;
  deletedAt: string | null;
  /** Replies have none. */
  replies?: Connection<CommentNode>;
}

const pageInfo = 'pageInfo { hasNextPage endCursor }';

/** Of a comment or reply; for every query that asks for them. */
export const commentFields = `fragment commentFields on DiscussionComment {
  id databaseId author { ...actorFields } body isAnswer upvoteCount url createdAt updatedAt deletedAt
}`;

/**
 * Asks for comments at the top of a discussion, each with the beginning of its replies.
 * @param page - arguments of the connection
 */
export function commentsAtTop(page: string): string {
  return `comments(${page}) { ${pageInfo} nodes { ...commentFields ${replies('first: 10')} } }`;
}

/** Asks for the replies to a comment. */
export function replies(page: string): string {
  return `replies(${page}) { ${pageInfo} nodes { ...commentFields } }`;
}

/**
 * A discussion with its first comments, so many that few have more. For a page of 25: 776 requests, which are 8 points,
 * and at most 8,275 nodes, where GitHub allows 500,000.
 * Source: "Rate limits and query limits for the GraphQL API" in GitHub's documentation.
 */
export const discussionFields = `fragment discussionFields on Discussion {
  id databaseId author { ...actorFields } number title body category { name } closed stateReason locked isAnswered
  answer { databaseId } answerChosenAt answerChosenBy { ...actorFields } upvoteCount url createdAt updatedAt closedAt
  ${commentsAtTop('first: 30')}
}
${commentFields}`;

/** Null for a discussion without an id: it could not be recognised again. */
export function discussionFromGraphQL(
  discussion: DiscussionNode,
  contributors: ContributorRows,
): DiscussionRow | null {
  if (discussion.databaseId === null) return null;
  return {
    github_id: discussion.databaseId,
    author_github_id: contributors.add(accountFromGraphQL(discussion.author)),
    number: discussion.number,
    title: storable(discussion.title),
    body: storableBody(discussion.body),
    category: storable(discussion.category.name),
    state: discussion.closed ? 'closed' : 'open',
    state_reason: discussion.stateReason?.toLowerCase() ?? null,
    locked: discussion.locked,
    is_answered: discussion.isAnswered,
    answer_github_id: discussion.answer?.databaseId ?? null,
    answer_chosen_at: discussion.answerChosenAt,
    answer_chosen_by_github_id: contributors.add(accountFromGraphQL(discussion.answerChosenBy)),
    upvotes: discussion.upvoteCount,
    html_url: discussion.url,
    created_at: discussion.createdAt,
    updated_at: discussion.updatedAt,
    closed_at: discussion.closedAt,
  };
}

/** Null for a comment without an id. */
export function discussionCommentFromGraphQL(
  comment: CommentNode,
  place: { discussion: number; parent: number | null },
  contributors: ContributorRows,
): DiscussionCommentRow | null {
  if (comment.databaseId === null) return null;
  return {
    github_id: comment.databaseId,
    discussion_github_id: place.discussion,
    author_github_id: contributors.add(accountFromGraphQL(comment.author)),
    parent_github_id: place.parent,
    is_answer: comment.isAnswer,
    upvotes: comment.upvoteCount,
    body: storableBody(comment.body),
    html_url: comment.url,
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    deleted_at: comment.deletedAt,
  };
}
