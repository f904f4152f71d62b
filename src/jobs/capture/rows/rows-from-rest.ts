import type { RestEndpointMethodTypes } from '@octokit/rest';
import type {
  CommentRow,
  IssueRow,
  ListedPullRequestRow,
  PullRequestRow,
  RepositoryRow,
  ReviewRow,
} from '../store/capture-page.ts';
import { storable, storableBody, storableOrNull } from './captured-text.ts';
import type { Account, ContributorRows } from './contributor-rows.ts';

type PullRequest = RestEndpointMethodTypes['pulls']['get']['response']['data'];
type Repository = PullRequest['base']['repo'] | RestEndpointMethodTypes['repos']['get']['response']['data'];
type Issue = RestEndpointMethodTypes['issues']['get']['response']['data'];
type ListedPullRequest = RestEndpointMethodTypes['pulls']['list']['response']['data'][number];
/** What both tell about a pull request. */
type AnyPullRequest = Pick<PullRequest | ListedPullRequest, keyof PullRequest & keyof ListedPullRequest>;
type Review = RestEndpointMethodTypes['pulls']['listReviews']['response']['data'][number];
type ReviewComment = RestEndpointMethodTypes['pulls']['listReviewComments']['response']['data'][number];
type IssueComment = RestEndpointMethodTypes['issues']['listComments']['response']['data'][number];
type User = { id: number; login: string; type: string; avatar_url: string } | null | undefined;

/** github.com/ghost, whom REST shows in the place of a deleted account; GraphQL has null there. */
const ghost = 10137;

function account(user: User): Account | null {
  if (user == null || user.id === ghost) return null;
  return { id: user.id, login: user.login, type: user.type, avatarUrl: user.avatar_url };
}

export function repositoryFromRest(repository: Repository): RepositoryRow {
  return {
    github_id: repository.id,
    owner: repository.owner.login,
    name: repository.name,
    description: storableBody(repository.description),
    private: repository.private,
    fork: repository.fork,
    archived: repository.archived,
    default_branch: repository.default_branch,
    language: repository.language,
    stargazers_count: repository.stargazers_count,
    html_url: repository.html_url,
    created_at: repository.created_at,
    updated_at: repository.updated_at,
    pushed_at: repository.pushed_at,
  };
}

export function pullRequestFromRest(pull: PullRequest, contributors: ContributorRows): PullRequestRow {
  return {
    ...listedPullRequestFromRest(pull, contributors),
    merged_by_github_id: contributors.add(account(pull.merged_by)),
    additions: pull.additions,
    deletions: pull.deletions,
    changed_files: pull.changed_files,
    commits: pull.commits,
  };
}

/** What a list tells about each of its pull requests. */
export function listedPullRequestFromRest(
  pull: AnyPullRequest,
  contributors: ContributorRows,
): ListedPullRequestRow {
  return {
    github_id: pull.id,
    author_github_id: contributors.add(account(pull.user)),
    number: pull.number,
    title: storable(pull.title),
    body: storableBody(pull.body),
    state: pull.state === 'open' ? 'open' : 'closed',
    draft: pull.draft ?? false,
    merged: pull.merged_at !== null,
    base_branch: storable(pull.base.ref),
    head_branch: storable(pull.head.ref),
    head_sha: pull.head.sha,
    html_url: pull.html_url,
    created_at: pull.created_at,
    updated_at: pull.updated_at,
    closed_at: pull.closed_at,
    merged_at: pull.merged_at,
  };
}

/** For an issue that is none of the pull requests that REST lists among them. */
export function issueFromRest(issue: Issue, contributors: ContributorRows): IssueRow {
  return {
    github_id: issue.id,
    author_github_id: contributors.add(account(issue.user)),
    number: issue.number,
    title: storable(issue.title),
    body: storableBody(issue.body),
    state: issue.state === 'open' ? 'open' : 'closed',
    state_reason: issue.state_reason ?? null,
    html_url: issue.html_url,
    created_at: issue.created_at,
    updated_at: issue.updated_at,
    closed_at: issue.closed_at,
  };
}

export function reviewFromRest(review: Review, pullId: number, contributors: ContributorRows): ReviewRow {
  return {
    github_id: review.id,
    pull_request_github_id: pullId,
    reviewer_github_id: contributors.add(account(review.user)),
    state: review.state.toUpperCase(),
    body: storableBody(review.body),
    commit_sha: review.commit_id,
    html_url: review.html_url,
    // Absent while the review is pending.
    submitted_at: review.submitted_at ?? null,
  };
}

export function reviewCommentFromRest(
  comment: ReviewComment,
  pullId: number,
  contributors: ContributorRows,
): CommentRow {
  return {
    github_id: comment.id,
    comment_type: 'review_comment',
    pull_request_github_id: pullId,
    commenter_github_id: contributors.add(account(comment.user)),
    in_reply_to_github_id: comment.in_reply_to_id ?? null,
    review_github_id: comment.pull_request_review_id,
    body: storableBody(comment.body),
    path: storableOrNull(comment.path),
    line: comment.line ?? null,
    html_url: comment.html_url,
    created_at: comment.created_at,
    updated_at: comment.updated_at,
  };
}

/** @param parent the pull request or issue whose conversation it is part of */
export function issueCommentFromRest(
  comment: IssueComment,
  parent: { pull_request_github_id: number } | { issue_github_id: number },
  contributors: ContributorRows,
): CommentRow {
  return {
    github_id: comment.id,
    comment_type: 'issue_comment',
    ...parent,
    commenter_github_id: contributors.add(account(comment.user)),
    in_reply_to_github_id: null,
    review_github_id: null,
    body: storableBody(comment.body),
    path: null,
    line: null,
    html_url: comment.html_url,
    created_at: comment.created_at,
    updated_at: comment.updated_at,
  };
}
