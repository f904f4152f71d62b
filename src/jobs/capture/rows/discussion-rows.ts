import type { RepositoryRow } from '../store/capture-page.ts';
import { nextCursor, type Connection } from './connection.ts';
import { ContributorRows } from './contributor-rows.ts';
import {
  discussionCommentFromGraphQL,
  discussionFromGraphQL,
  type CommentNode,
  type DiscussionNode,
} from './discussions-from-graphql.ts';
import type {
  DiscussionCommentRow,
  DiscussionRow,
  DiscussionsPage,
  DiscussionsProgress,
} from '../store/discussions-page.ts';

/** Comments or replies of which GitHub has more than what is captured. It travels in checkpoints. */
export interface UnfinishedThread {
  /** GraphQL's id of the discussion or, for replies, of the comment. */
  of: string;
  /** GitHub's id of the discussion. */
  discussion: number;
  /** GitHub's id of the comment; null for the comments at the top. */
  parent: number | null;
  /** Cursor. */
  after: string;
}

/** Collects the rows of one page, and the threads that did not fit on it. */
export class DiscussionRows {
  readonly #contributors = new ContributorRows();
  readonly #discussions: DiscussionRow[] = [];
  readonly #comments: DiscussionCommentRow[] = [];
  readonly unfinished: UnfinishedThread[] = [];

  addDiscussion(node: DiscussionNode): void {
    const row = discussionFromGraphQL(node, this.#contributors);
    if (row === null) return;
    this.#discussions.push(row);
    this.addThread(node.comments, { of: node.id, discussion: row.github_id, parent: null });
  }

  addThread(thread: Connection<CommentNode>, place: Omit<UnfinishedThread, 'after'>): void {
    for (const node of thread.nodes ?? []) {
      const row = node && discussionCommentFromGraphQL(node, place, this.#contributors);
      if (!node || !row) continue;
      this.#comments.push(row);
      if (node.replies) this.addThread(node.replies, { ...place, of: node.id, parent: row.github_id });
    }
    const after = nextCursor(thread);
    if (after !== null) this.unfinished.push({ ...place, after });
  }

  /** Numbers of the discussions on the page. */
  get numbers(): number[] {
    return this.#discussions.map(({ number }) => number);
  }

  /** How many comments and replies it has. */
  get comments(): number {
    return this.#comments.length;
  }

  toPage(
    fetched_at: string,
    repository: RepositoryRow | Pick<RepositoryRow, 'github_id'>,
    progress: DiscussionsProgress,
  ): DiscussionsPage {
    return {
      ...{ fetched_at, repository, progress },
      contributors: this.#contributors.all(),
      discussions: this.#discussions,
      discussion_comments: this.#comments,
    };
  }
}
