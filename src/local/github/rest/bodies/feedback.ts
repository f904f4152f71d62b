import type { Comment, Issue, PullRequest, Review, ReviewComment } from '../../data/records.ts';
import { apiUrl, type Links, pageUrl, type Schema } from './schema.ts';
import { authorBody, userBody } from './user.ts';

/** Of all authors, only a review's is null in REST when the account has been deleted. */
export function reviewBody(links: Links, pull: PullRequest, review: Review): Schema<'pull-request-review'> {
  const pullUrl = apiUrl(links, `/pulls/${pull.number}`);
  const htmlUrl = pageUrl(links, `/pull/${pull.number}#pullrequestreview-${review.databaseId}`);
  return {
    id: review.databaseId,
    node_id: review.nodeId,
    user: review.author && userBody(links.api, review.author),
    body: review.body,
    state: review.state,
    html_url: htmlUrl,
    pull_request_url: pullUrl,
    _links: { html: { href: htmlUrl }, pull_request: { href: pullUrl } },
    // Absent, not null, while it is pending.
    ...(review.submittedAt === null ? {} : { submitted_at: review.submittedAt }),
    commit_id: review.commitOid,
    author_association: review.authorAssociation,
  };
}

export function reviewCommentBody(
  links: Links,
  pull: PullRequest,
  comment: ReviewComment,
): Schema<'pull-request-review-comment'> {
  const url = apiUrl(links, `/pulls/comments/${comment.databaseId}`);
  const pullUrl = apiUrl(links, `/pulls/${pull.number}`);
  const htmlUrl = pageUrl(links, `/pull/${pull.number}#discussion_r${comment.databaseId}`);
  return {
    url,
    pull_request_review_id: comment.reviewId,
    id: comment.databaseId,
    node_id: comment.nodeId,
    diff_hunk: comment.diffHunk,
    path: comment.path,
    commit_id: comment.commitOid,
    original_commit_id: comment.commitOid,
    user: authorBody(links.api, comment.author),
    body: comment.body,
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    html_url: htmlUrl,
    pull_request_url: pullUrl,
    author_association: comment.authorAssociation,
    _links: { self: { href: url }, html: { href: htmlUrl }, pull_request: { href: pullUrl } },
    start_line: null,
    original_start_line: null,
    start_side: null,
    line: comment.line ?? undefined,
    original_line: comment.originalLine,
    position: comment.line ?? undefined,
    original_position: comment.originalLine,
    side: 'RIGHT',
    subject_type: 'line',
    // Absent, not null, on the first comment of a thread.
    ...(comment.inReplyToId === null ? {} : { in_reply_to_id: comment.inReplyToId }),
  };
}

export function issueCommentBody(
  links: Links,
  { kind, number }: Issue | PullRequest,
  comment: Comment,
): Schema<'issue-comment'> {
  const { databaseId } = comment;
  const page = kind === 'issue' ? 'issues' : 'pull';
  return {
    id: databaseId,
    node_id: comment.nodeId,
    url: apiUrl(links, `/issues/comments/${databaseId}`),
    html_url: pageUrl(links, `/${page}/${number}#issuecomment-${databaseId}`),
    issue_url: apiUrl(links, `/issues/${number}`),
    body: comment.body,
    user: authorBody(links.api, comment.author),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: comment.authorAssociation,
  };
}
