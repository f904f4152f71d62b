import type {
  Account,
  Comment,
  Discussion,
  DiscussionComment,
  Issue,
  PullRequest,
  Review,
  ReviewComment,
} from '../../src/local/github/data/records.ts';
import type { Repository } from '../../src/local/github/data/repository.ts';
import { byGitHubId, type capturedTables, type Row } from './stored-rows.ts';

/** What the database should hold, from what the stand-in knows. */
export type Truth = Record<(typeof capturedTables)[number], Row[]>;

export const noRows: Truth = {
  repositories: [],
  contributors: [],
  pull_requests: [],
  issues: [],
  reviews: [],
  comments: [],
  discussions: [],
  discussion_comments: [],
};

/** The part of a repository that a job captures. Default of every list: none. */
export interface Captured {
  pullRequests?: readonly PullRequest[];
  /** As REST lists them: without the counts and who merged. */
  listedPullRequests?: readonly PullRequest[];
  reviewsOf?: readonly PullRequest[];
  commentsOf?: readonly (PullRequest | Issue)[];
  issues?: readonly Issue[];
  /** With their comments. */
  discussions?: readonly Discussion[];
}

/** The rows of that part, with everybody they mention, each table in the order of GitHub's ids. */
export function truthAbout(repository: Repository, captured: Captured): Truth {
  const people = new Map<number, Account>();
  const see = (account: Account | null): number | null => {
    if (account) people.set(account.databaseId, account);
    return account && account.databaseId;
  };
  const { pullRequests = [], listedPullRequests = [] } = captured;
  const truth = {
    repositories: [repositoryRow(repository)],
    pull_requests: [
      ...pullRequests.map((pull) => pullRequestRow(repository, pull, see)),
      ...listedPullRequests.map((pull) => listedPullRequestRow(repository, pull, see)),
    ],
    reviews: (captured.reviewsOf ?? []).flatMap((pull) =>
      pull.reviews.map((review) => reviewRow(repository, pull, review, see)),
    ),
    comments: (captured.commentsOf ?? []).flatMap((item) => commentRows(repository, item, see)),
    issues: (captured.issues ?? []).map((issue) => issueRow(repository, issue, see)),
    discussions: (captured.discussions ?? []).map((each) => discussionRow(repository, each, see)),
    discussion_comments: (captured.discussions ?? []).flatMap((each) =>
      each.comments.map((comment) => discussionCommentRow(repository, each, comment, see)),
    ),
  };
  const all = { ...truth, contributors: [...people.values()].map(contributorRow) };
  for (const rows of Object.values(all)) rows.sort(byGitHubId);
  return all;
}

type See = (account: Account | null) => number | null;

const time = (text: string | null): string | null => text && new Date(text).toISOString();
/** What Postgres can store of a text. */
const text = (written: string): string => written.replaceAll('\0', '').toWellFormed();
const textOrNull = (written: string | null): string | null => (written ? text(written) : null);
const page = ({ fullName }: Repository, path = ''): string => `https://github.com/${fullName}${path}`;

function repositoryRow(repository: Repository): Row {
  const { fields } = repository;
  return {
    github_id: fields.databaseId,
    owner: fields.owner.login,
    name: fields.name,
    description: textOrNull(fields.description),
    private: fields.isPrivate,
    fork: fields.isFork,
    archived: fields.isArchived,
    default_branch: fields.defaultBranch,
    language: fields.primaryLanguage?.name ?? null,
    stargazers_count: fields.stargazerCount,
    html_url: page(repository),
    created_at: time(fields.createdAt),
    updated_at: time(fields.updatedAt),
    pushed_at: time(fields.pushedAt),
  };
}

function contributorRow({ databaseId, login, type, avatarUrl }: Account): Row {
  return {
    github_id: databaseId,
    username: login,
    account_type: type,
    is_bot: type === 'Bot',
    avatar_url: avatarUrl,
  };
}

function pullRequestRow(repository: Repository, pull: PullRequest, see: See): Row {
  return {
    ...listedPullRequestRow(repository, pull, see),
    merged_by_id: see(pull.mergedBy),
    additions: pull.additions,
    deletions: pull.deletions,
    changed_files: pull.changedFiles,
    commits: pull.commits,
  };
}

function listedPullRequestRow(repository: Repository, pull: PullRequest, see: See): Row {
  return {
    github_id: pull.databaseId,
    repository_id: repository.fields.databaseId,
    author_id: see(pull.author),
    merged_by_id: null,
    number: pull.number,
    title: text(pull.title),
    body: textOrNull(pull.body),
    state: pull.state === 'OPEN' ? 'open' : 'closed',
    draft: pull.isDraft,
    merged: pull.state === 'MERGED',
    base_branch: pull.baseRefName,
    head_branch: pull.headRefName,
    head_sha: pull.headRefOid,
    additions: null,
    deletions: null,
    changed_files: null,
    commits: null,
    html_url: page(repository, `/pull/${pull.number}`),
    created_at: time(pull.createdAt),
    updated_at: time(pull.updatedAt),
    closed_at: time(pull.closedAt),
    merged_at: time(pull.mergedAt),
  };
}

function reviewRow(repository: Repository, pull: PullRequest, review: Review, see: See): Row {
  return {
    github_id: review.databaseId,
    pull_request_id: pull.databaseId,
    reviewer_id: see(review.author),
    state: review.state,
    body: textOrNull(review.body),
    commit_sha: review.commitOid,
    html_url: page(repository, `/pull/${pull.number}#pullrequestreview-${review.databaseId}`),
    submitted_at: time(review.submittedAt),
  };
}

function commentRows(repository: Repository, item: PullRequest | Issue, see: See): Row[] {
  const onCode = item.kind === 'issue' ? [] : item.reviewComments;
  return [
    ...onCode.map((comment) => ({
      ...remarkRow(item, comment, see),
      comment_type: 'review_comment',
      in_reply_to_github_id: comment.inReplyToId,
      review_github_id: comment.reviewId,
      path: comment.path,
      line: comment.line,
      html_url: page(repository, `/pull/${item.number}#discussion_r${comment.databaseId}`),
    })),
    ...item.comments.map((comment) => ({
      ...remarkRow(item, comment, see),
      comment_type: 'issue_comment',
      in_reply_to_github_id: null,
      review_github_id: null,
      path: null,
      line: null,
      html_url: page(
        repository,
        `/${item.kind === 'issue' ? 'issues' : 'pull'}/${item.number}#issuecomment-${comment.databaseId}`,
      ),
    })),
  ];
}

function remarkRow(item: PullRequest | Issue, comment: Comment | ReviewComment, see: See): Row {
  return {
    github_id: comment.databaseId,
    pull_request_id: item.kind === 'issue' ? null : item.databaseId,
    issue_id: item.kind === 'issue' ? item.databaseId : null,
    commenter_id: see(comment.author),
    body: textOrNull(comment.body),
    created_at: time(comment.createdAt),
    updated_at: time(comment.updatedAt),
  };
}

function issueRow(repository: Repository, issue: Issue, see: See): Row {
  return {
    github_id: issue.databaseId,
    repository_id: repository.fields.databaseId,
    author_id: see(issue.author),
    number: issue.number,
    title: text(issue.title),
    body: textOrNull(issue.body),
    state: issue.state === 'OPEN' ? 'open' : 'closed',
    state_reason: issue.stateReason && issue.stateReason.toLowerCase(),
    html_url: page(repository, `/issues/${issue.number}`),
    created_at: time(issue.createdAt),
    updated_at: time(issue.updatedAt),
    closed_at: time(issue.closedAt),
  };
}

function discussionRow(repository: Repository, discussion: Discussion, see: See): Row {
  return {
    github_id: discussion.databaseId,
    repository_id: repository.fields.databaseId,
    author_id: see(discussion.author),
    number: discussion.number,
    title: text(discussion.title),
    body: textOrNull(discussion.body),
    category: discussion.category.name,
    state: discussion.state === 'OPEN' ? 'open' : 'closed',
    state_reason: discussion.stateReason && discussion.stateReason.toLowerCase(),
    locked: discussion.locked,
    is_answered: discussion.category.isAnswerable ? discussion.answerId !== null : null,
    answer_github_id: discussion.answerId,
    answer_chosen_at: time(discussion.answerChosenAt),
    answer_chosen_by_id: see(discussion.answerChosenBy),
    upvotes: discussion.upvoteCount,
    html_url: page(repository, `/discussions/${discussion.number}`),
    created_at: time(discussion.createdAt),
    updated_at: time(discussion.updatedAt),
    closed_at: time(discussion.closedAt),
  };
}

function discussionCommentRow(
  repository: Repository,
  { databaseId, number, answerId }: Discussion,
  comment: DiscussionComment,
  see: See,
): Row {
  return {
    github_id: comment.databaseId,
    discussion_id: databaseId,
    author_id: see(comment.author),
    parent_github_id: comment.replyToId,
    is_answer: comment.databaseId === answerId,
    upvotes: comment.upvoteCount,
    body: textOrNull(comment.body),
    html_url: page(repository, `/discussions/${number}#discussioncomment-${comment.databaseId}`),
    created_at: time(comment.createdAt),
    updated_at: time(comment.updatedAt),
    deleted_at: time(comment.deletedAt),
  };
}
