/**
 * What the stand-in knows about a repository: the truth that both APIs are rendered from.
 * Times are ISO 8601 in UTC, to the second, as GitHub writes them.
 */
export interface Account {
  type: 'User' | 'Bot' | 'Mannequin' | 'Organization';
  /** As REST writes it: bots end with `[bot]`. GraphQL drops that ending. */
  login: string;
  databaseId: number;
  nodeId: string;
  name: string | null;
  avatarUrl: string;
}

export interface Label {
  databaseId: number;
  nodeId: string;
  name: string;
  color: string;
  description: string;
}

export type AuthorAssociation = 'MEMBER' | 'CONTRIBUTOR' | 'FIRST_TIME_CONTRIBUTOR' | 'NONE';

interface Authored {
  databaseId: number;
  nodeId: string;
  /** Null when the account has been deleted. */
  author: Account | null;
  authorAssociation: AuthorAssociation;
}

/** Only submitted ones are generated: GitHub shows a pending review to nobody but its author, who may be the token's. */
export interface Review extends Authored {
  state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED' | 'PENDING';
  body: string;
  /** Null while it is pending. */
  submittedAt: string | null;
  /** Null when the commit is gone. */
  commitOid: string | null;
}

export interface ReviewComment extends Authored {
  /** Null when the review is gone. */
  reviewId: number | null;
  /** The first comment of the thread; null for that comment itself. */
  inReplyToId: number | null;
  body: string;
  path: string;
  /** Null when the thread is outdated. */
  line: number | null;
  originalLine: number;
  diffHunk: string;
  commitOid: string;
  createdAt: string;
  updatedAt: string;
}

export interface Comment extends Authored {
  body: string;
  createdAt: string;
  updatedAt: string;
}

interface Item extends Authored {
  number: number;
  title: string;
  /** Null in REST, an empty string in GraphQL, when nothing was ever written. */
  body: string | null;
  createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  locked: boolean;
  labels: Label[];
  comments: Comment[];
}

export interface PullRequest extends Item {
  kind: 'pull request';
  state: 'OPEN' | 'CLOSED' | 'MERGED';
  isDraft: boolean;
  mergedAt: string | null;
  mergedBy: Account | null;
  additions: number;
  deletions: number;
  changedFiles: number;
  commits: number;
  baseRefName: string;
  baseRefOid: string;
  headRefName: string;
  headRefOid: string;
  mergeCommitOid: string | null;
  reviewDecision: 'APPROVED' | 'CHANGES_REQUESTED' | 'REVIEW_REQUIRED' | null;
  reviews: Review[];
  reviewComments: ReviewComment[];
}

export interface Issue extends Item {
  kind: 'issue';
  state: 'OPEN' | 'CLOSED';
  stateReason: 'COMPLETED' | 'NOT_PLANNED' | 'REOPENED' | null;
}

/** The part of a pull request or issue that lists are filtered and sorted by. */
export interface Outline {
  number: number;
  kind: 'pull request' | 'issue';
  state: 'OPEN' | 'CLOSED' | 'MERGED';
  createdAt: string;
  updatedAt: string;
}

export interface DiscussionCategory {
  nodeId: string;
  name: string;
  slug: string;
  emoji: string;
  isAnswerable: boolean;
}

/** A comment of a discussion, or a reply to one. */
export interface DiscussionComment extends Comment {
  /** The comment that it replies to; null for one at the top. Replies have none. */
  replyToId: number | null;
  upvoteCount: number;
  /** Of a comment that stays, empty, because it has replies. */
  deletedAt: string | null;
}

export interface Discussion extends Authored {
  number: number;
  title: string;
  body: string;
  category: DiscussionCategory;
  state: 'OPEN' | 'CLOSED';
  stateReason: 'RESOLVED' | 'OUTDATED' | 'DUPLICATE' | 'REOPENED' | null;
  /** The chosen comment or reply; null also where the category takes no answers. */
  answerId: number | null;
  answerChosenAt: string | null;
  answerChosenBy: Account | null;
  upvoteCount: number;
  locked: boolean;
  createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  /** Oldest first, replies among them. */
  comments: DiscussionComment[];
}

/** The part of a discussion that lists are filtered and sorted by. */
export interface DiscussionOutline {
  number: number;
  state: Discussion['state'];
  createdAt: string;
  updatedAt: string;
}

export interface CommitFile {
  path: string;
  additions: number;
  deletions: number;
}

/** A commit of the default branch. */
export interface Commit {
  oid: string;
  /** None of the first, two of a merge. */
  parents: string[];
  /** Null when no account is known for its address. */
  author: Account | null;
  authorName: string;
  message: string;
  /** Milliseconds since the epoch. */
  authoredAt: number;
  /** Of the author's clock. */
  utcOffsetMinutes: number;
  files: CommitFile[];
}

/** A repository's own fields. */
export interface RepositoryFields {
  databaseId: number;
  nodeId: string;
  name: string;
  owner: Account;
  description: string | null;
  homepageUrl: string | null;
  isPrivate: boolean;
  isFork: boolean;
  isArchived: boolean;
  stargazerCount: number;
  forkCount: number;
  watcherCount: number;
  /** In kB. */
  diskUsage: number;
  primaryLanguage: { name: string; color: string } | null;
  defaultBranch: string;
  createdAt: string;
  updatedAt: string;
  pushedAt: string;
}
