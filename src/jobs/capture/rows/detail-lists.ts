import type { Connection } from './connection.ts';
import {
  conversationFields,
  reviewCommentFields,
  reviewFields,
  type ConversationNode,
  type ReviewCommentNode,
  type ReviewNode,
} from './feedback-from-graphql.ts';
import type { PullRequestNode } from './rows-from-graphql.ts';

interface ThreadNode {
  id: string;
  replies: Connection<ReviewCommentNode>;
}

/** The lists under a pull request, and those under its threads: `replies`. */
export interface DetailLists {
  reviews: Connection<ReviewNode>;
  conversation: Connection<ConversationNode>;
  threads: Connection<ThreadNode>;
  replies: Connection<ReviewCommentNode>;
}

/** A list of which GitHub has more than what is captured. It travels in checkpoints. */
export interface UnfinishedList {
  kind: keyof DetailLists;
  /** GraphQL's id of the pull request or, for `replies`, of the thread. */
  of: string;
  /** Cursor. */
  after: string;
  /** GitHub's id of the pull request. */
  pullRequest: number;
}

const connection = (node: string): string => `{ pageInfo { hasNextPage endCursor } nodes { ${node} } }`;

/**
 * How a list is asked for. GitHub counts each list as a request, 100 of which cost one point, and may return as many
 * nodes as its size says: threads, each with a list of its own, are what makes a query expensive.
 *
 * @param size - entries of the list; of each thread, at most 50 comments come along
 * @param after - GraphQL's expression for the cursor; default: from the beginning
 */
export function askForList(kind: keyof DetailLists, size: number, after?: string): string {
  const page = `(first: ${size}${after === undefined ? '' : `, after: ${after}`})`;
  switch (kind) {
    case 'reviews':
      return `reviews${page} ${connection(reviewFields)}`;
    case 'conversation':
      return `conversation: comments${page} ${connection(conversationFields)}`;
    case 'threads':
      return `threads: reviewThreads${page} ${connection(`id ${askForList('replies', 50)}`)}`;
    case 'replies':
      return `replies: comments${page} ${connection(reviewCommentFields)}`;
  }
}

/** What {@link detailFields} asks for, next to a pull request's own fields. */
export type DetailedPullRequestNode = PullRequestNode & { id: string } & Omit<
    { [Kind in keyof DetailLists]: DetailLists[Kind] | null },
    'replies'
  >;

/**
 * The beginnings of all lists of a pull request, so long that few pull requests have more. For a page of 100: 1,301
 * requests, which are 13 points, and at most 61,100 nodes, where GitHub allows 500,000.
 * Source: "Rate limits and query limits for the GraphQL API" in GitHub's documentation.
 */
export const detailFields = `fragment detailFields on PullRequest {
  id
  ${askForList('reviews', 50)}
  ${askForList('conversation', 50)}
  ${askForList('threads', 10)}
}`;
