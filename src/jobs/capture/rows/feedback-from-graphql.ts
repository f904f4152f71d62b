import { accountFromGraphQL, type Actor } from './actor-from-graphql.ts';
import type { CommentRow, ReviewRow } from '../store/capture-page.ts';
import { storable, storableBody } from './captured-text.ts';
import type { ContributorRows } from './contributor-rows.ts';
import { githubId } from './rows-from-graphql.ts';

interface Identified {
  fullDatabaseId: string | null;
}

/** What {@link reviewFields} asks for. */
export interface ReviewNode extends Identified {
  author: Actor | null;
  state: string;
  body: string;
  commit: { oid: string } | null;
  url: string;
  submittedAt: string | null;
}

/** What {@link conversationFields} asks for. */
export interface ConversationNode extends Identified {
  author: Actor | null;
  body: string;
  url: string;
  createdAt: string;
  updatedAt: string;
}

/** What {@link reviewCommentFields} asks for. */
export interface ReviewCommentNode extends ConversationNode {
  state: 'PENDING' | 'SUBMITTED';
  replyTo: Identified | null;
  pullRequestReview: Identified | null;
  path: string;
  line: number | null;
}

export const reviewFields = `fullDatabaseId author { ...actorFields } state body commit { oid } url submittedAt`;

export const conversationFields = `fullDatabaseId author { ...actorFields } body url createdAt updatedAt`;

export const reviewCommentFields = `${conversationFields} state replyTo { fullDatabaseId }
  pullRequestReview { fullDatabaseId } path line`;

/** Null, here and below: the thing has no id to recognise it by. */
export function reviewFromGraphQL(
  review: ReviewNode,
  pullId: number,
  contributors: ContributorRows,
): ReviewRow | null {
  const id = githubId(review);
  if (id === null) return null;
  return {
    github_id: id,
    pull_request_github_id: pullId,
    reviewer_github_id: contributors.add(accountFromGraphQL(review.author)),
    state: review.state,
    body: storableBody(review.body),
    commit_sha: review.commit?.oid ?? null,
    html_url: review.url,
    submitted_at: review.submittedAt,
  };
}

/** Null also for a comment of a pending review, which REST does not list: only its author sees it. */
export function reviewCommentFromGraphQL(
  comment: ReviewCommentNode,
  pullId: number,
  contributors: ContributorRows,
): CommentRow | null {
  const id = githubId(comment);
  if (id === null || comment.state === 'PENDING') return null;
  return {
    github_id: id,
    comment_type: 'review_comment',
    pull_request_github_id: pullId,
    commenter_github_id: contributors.add(accountFromGraphQL(comment.author)),
    in_reply_to_github_id: comment.replyTo && githubId(comment.replyTo),
    review_github_id: comment.pullRequestReview && githubId(comment.pullRequestReview),
    body: storableBody(comment.body),
    path: storable(comment.path),
    line: comment.line,
    html_url: comment.url,
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
  };
}

export function conversationFromGraphQL(
  comment: ConversationNode,
  pullId: number,
  contributors: ContributorRows,
): CommentRow | null {
  const id = githubId(comment);
  if (id === null) return null;
  return {
    github_id: id,
    comment_type: 'issue_comment',
    pull_request_github_id: pullId,
    commenter_github_id: contributors.add(accountFromGraphQL(comment.author)),
    in_reply_to_github_id: null,
    review_github_id: null,
    body: storableBody(comment.body),
    path: null,
    line: null,
    html_url: comment.url,
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
  };
}
