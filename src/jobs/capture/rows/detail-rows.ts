import type {
  CapturePage,
  CommentRow,
  PullRequestRow,
  ReviewRow,
  SyncedPullRequest,
} from '../store/capture-page.ts';
import { nextCursor, type Connection } from './connection.ts';
import { ContributorRows } from './contributor-rows.ts';
import type { DetailedPullRequestNode, DetailLists, UnfinishedList } from './detail-lists.ts';
import {
  conversationFromGraphQL,
  reviewCommentFromGraphQL,
  reviewFromGraphQL,
} from './feedback-from-graphql.ts';
import { pullRequestFromGraphQL } from './rows-from-graphql.ts';

/** Where a list belongs. */
type Place = Omit<UnfinishedList, 'after'>;

/** Collects what one answer of GitHub says of pull requests, their reviews and their comments, as rows. */
export class DetailRows {
  readonly contributors = new ContributorRows();
  readonly pullRequests: (PullRequestRow | SyncedPullRequest)[] = [];
  readonly reviews: ReviewRow[] = [];
  readonly comments: CommentRow[] = [];
  /** Lists of which the answer has not the end. */
  readonly unfinished: UnfinishedList[] = [];

  /** @param asOf the database's time before the fetch; noted on the row when the answer has all of its lists */
  addPullRequest(node: DetailedPullRequestNode, asOf: string): void {
    const row = pullRequestFromGraphQL(node, this.contributors);
    if (row === null) return;
    const before = this.unfinished.length;
    for (const kind of ['reviews', 'conversation', 'threads'] as const)
      this.addList({ kind, of: node.id, pullRequest: row.github_id }, node);
    const isComplete = this.unfinished.length === before;
    this.pullRequests.push(isComplete ? { ...row, details_synced_at: asOf } : row);
  }

  /** A pull request that the database knows has all of its lists now. */
  addSynced(pullRequest: SyncedPullRequest): void {
    this.pullRequests.push(pullRequest);
  }

  /** Everything collected, for the one upsert. */
  toPage(asOf: string, repository: CapturePage['repository']): CapturePage {
    return {
      fetched_at: asOf,
      repository,
      contributors: this.contributors.all(),
      pull_requests: this.pullRequests,
      reviews: this.reviews,
      comments: this.comments,
    };
  }

  /** For the checkpoint. */
  counts(): { pullRequests: number; reviews: number; comments: number; unfinished: UnfinishedList[] } {
    const { pullRequests, reviews, comments, unfinished } = this;
    return {
      pullRequests: pullRequests.length,
      reviews: reviews.length,
      comments: comments.length,
      unfinished,
    };
  }

  /** Null lists are empty ones: GitHub's schema allows it, and has no other meaning for it. */
  addList(place: Place, lists: Partial<{ [Kind in keyof DetailLists]: DetailLists[Kind] | null }>): void {
    const { kind, pullRequest } = place;
    const { contributors } = this;
    const after = nextCursor(lists[kind]);
    if (after !== null) this.unfinished.push({ kind, of: place.of, after, pullRequest });
    switch (kind) {
      case 'reviews':
        return append(this.reviews, lists.reviews, (node) =>
          reviewFromGraphQL(node, pullRequest, contributors),
        );
      case 'conversation':
        return append(this.comments, lists.conversation, (node) =>
          conversationFromGraphQL(node, pullRequest, contributors),
        );
      case 'replies':
        return append(this.comments, lists.replies, (node) =>
          reviewCommentFromGraphQL(node, pullRequest, contributors),
        );
      case 'threads':
        for (const thread of lists.threads?.nodes ?? [])
          if (thread !== null) this.addList({ kind: 'replies', of: thread.id, pullRequest }, thread);
    }
  }
}

function append<Node, Row>(
  rows: Row[],
  list: Connection<Node> | null | undefined,
  toRow: (node: Node) => Row | null,
): void {
  for (const node of list?.nodes ?? []) {
    const row = node === null ? null : toRow(node);
    if (row !== null) rows.push(row);
  }
}
