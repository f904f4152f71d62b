import type { Label, PullRequest } from '../../data/records.ts';
import type { Repository } from '../../data/repository.ts';
import { repositoryBody } from './repository.ts';
import { apiUrl, type Links, pageUrl, type Schema } from './schema.ts';
import { authorBody, userBody } from './user.ts';

/** A pull request as lists show it: without sizes and counts. */
export function pullRequestSimpleBody(
  links: Links,
  repository: Repository,
  pull: PullRequest,
): Schema<'pull-request-simple'> {
  return { ...commonBody(links, repository, pull), state: openOrClosed(pull) };
}

/** A pull request as its own endpoint answers it. */
export function pullRequestBody(
  links: Links,
  repository: Repository,
  pull: PullRequest,
): Schema<'pull-request'> {
  return {
    ...commonBody(links, repository, pull),
    state: openOrClosed(pull),
    merged: pull.state === 'MERGED',
    merged_by: pull.mergedBy && userBody(links.api, pull.mergedBy),
    mergeable: pull.state === 'OPEN' ? true : null,
    rebaseable: pull.state === 'OPEN' ? true : null,
    mergeable_state: pull.isDraft ? 'draft' : pull.state === 'OPEN' ? 'clean' : 'unknown',
    maintainer_can_modify: false,
    comments: pull.comments.length,
    review_comments: pull.reviewComments.length,
    commits: pull.commits,
    additions: pull.additions,
    deletions: pull.deletions,
    changed_files: pull.changedFiles,
  };
}

export function labelBodies(links: Links, labels: readonly Label[]) {
  return labels.map((label) => ({
    id: label.databaseId,
    node_id: label.nodeId,
    url: apiUrl(links, `/labels/${encodeURIComponent(label.name)}`),
    name: label.name,
    description: label.description,
    color: label.color,
    default: false,
  }));
}

function openOrClosed(pull: PullRequest): 'open' | 'closed' {
  return pull.state === 'OPEN' ? 'open' : 'closed';
}

function commonBody(links: Links, repository: Repository, pull: PullRequest) {
  const repo = repositoryBody(links, repository);
  const url = apiUrl(links, `/pulls/${pull.number}`);
  const issueUrl = apiUrl(links, `/issues/${pull.number}`);
  const statusesUrl = apiUrl(links, `/statuses/${pull.headRefOid}`);
  const htmlUrl = pageUrl(links, `/pull/${pull.number}`);
  const reviewCommentUrl = apiUrl(links, '/pulls/comments{/number}');
  return {
    url,
    id: pull.databaseId,
    node_id: pull.nodeId,
    html_url: htmlUrl,
    diff_url: `${htmlUrl}.diff`,
    patch_url: `${htmlUrl}.patch`,
    issue_url: issueUrl,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: reviewCommentUrl,
    comments_url: `${issueUrl}/comments`,
    statuses_url: statusesUrl,
    number: pull.number,
    locked: pull.locked,
    title: pull.title,
    user: authorBody(links.api, pull.author),
    body: pull.body,
    labels: labelBodies(links, pull.labels),
    milestone: null,
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommitOid,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    head: branchBody(repo, pull.headRefName, pull.headRefOid),
    base: branchBody(repo, pull.baseRefName, pull.baseRefOid),
    _links: {
      self: { href: url },
      html: { href: htmlUrl },
      issue: { href: issueUrl },
      comments: { href: `${issueUrl}/comments` },
      review_comments: { href: `${url}/comments` },
      review_comment: { href: reviewCommentUrl },
      commits: { href: `${url}/commits` },
      statuses: { href: statusesUrl },
    },
    author_association: pull.authorAssociation,
    auto_merge: null,
    active_lock_reason: null,
    draft: pull.isDraft,
  };
}

function branchBody(repo: Schema<'repository'>, ref: string, sha: string) {
  return { label: `${repo.owner.login}:${ref}`, ref, sha, user: repo.owner, repo };
}
