import type { Account, PullRequest } from '../../src/local/github/data/records.ts';
import type { TestDatabase } from './database.ts';

/** The stored reviews of a pull request, with the names of their authors. */
export async function reviewRows({ pool }: TestDatabase, prNumber: number): Promise<unknown[]> {
  const { rows } = await pool.query<object>(
    `select review.*, reviewer.username from reviews review
     join pull_requests pull on pull.id = review.pull_request_id
     left join contributors reviewer on reviewer.id = review.reviewer_id
     where pull.number = $1 order by review.github_id`,
    [prNumber],
  );
  return rows;
}

/** The stored comments of a pull request: on code first, then in the conversation. */
export async function commentRows({ pool }: TestDatabase, prNumber: number): Promise<unknown[]> {
  const { rows } = await pool.query<object>(
    `select comment.*, commenter.username from comments comment
     join pull_requests pull on pull.id = comment.pull_request_id
     left join contributors commenter on commenter.id = comment.commenter_id
     where pull.number = $1 order by comment.comment_type desc, comment.github_id`,
    [prNumber],
  );
  return rows;
}

const login = (account: Account | null): string | null => account && account.login;
const byId = (a: { github_id: string }, b: { github_id: string }): number =>
  Number(a.github_id) - Number(b.github_id);

/** What `reviewRows` should be, from what the stand-in knows. */
export function trueReviews(pull: PullRequest): unknown[] {
  return pull.reviews
    .map((review) => ({
      github_id: String(review.databaseId),
      username: login(review.author),
      state: review.state,
      body: review.body || null,
      commit_sha: review.commitOid,
      submitted_at: review.submittedAt && new Date(review.submittedAt),
    }))
    .sort(byId);
}

/** What `commentRows` should be. */
export function trueComments(pull: PullRequest): unknown[] {
  const onCode = pull.reviewComments.map((comment) => ({
    github_id: String(comment.databaseId),
    comment_type: 'review_comment',
    username: login(comment.author),
    body: comment.body || null,
    in_reply_to_github_id: comment.inReplyToId === null ? null : String(comment.inReplyToId),
    review_github_id: comment.reviewId && String(comment.reviewId),
    path: comment.path,
    line: comment.line,
    created_at: new Date(comment.createdAt),
    updated_at: new Date(comment.updatedAt),
  }));
  const inConversation = pull.comments.map((comment) => ({
    github_id: String(comment.databaseId),
    comment_type: 'issue_comment',
    username: login(comment.author),
    body: comment.body || null,
    in_reply_to_github_id: null,
    review_github_id: null,
    path: null,
    line: null,
    created_at: new Date(comment.createdAt),
    updated_at: new Date(comment.updatedAt),
  }));
  return [...onCode.sort(byId), ...inConversation.sort(byId)];
}
