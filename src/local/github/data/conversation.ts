import { type Cast, pickAuthor, pickReviewer } from './accounts.ts';
import { formatTime } from './clock.ts';
import { writeRemark } from './prose.ts';
import { type Random } from '../../stand-in/random.ts';
import type { Account, AuthorAssociation, Comment, Review, ReviewComment } from './records.ts';

/** Where a conversation takes place and what its entries may refer to. */
export interface Setting {
  random: Random;
  cast: Cast;
  author: Account | null;
  /** First of the 1,000 ids that belong to this pull request or issue. */
  firstId: number;
  /** In milliseconds since the epoch: every entry falls in between. */
  from: number;
  until: number;
  headOid: string;
}

const STATES: readonly Review['state'][] = [
  'APPROVED',
  'APPROVED',
  'COMMENTED',
  'COMMENTED',
  'CHANGES_REQUESTED',
  'DISMISSED',
];
const PATHS = ['src/index.ts', 'src/queue/claim.ts', 'docs/guide.md', 'test/données.test.ts'];
const DIFF_HUNK = '@@ -1,4 +1,5 @@\n import { run } from "./run";\n+import { stop } from "./stop";';

/** Conversation comments, oldest first. */
export function createComments(setting: Setting, count: number): Comment[] {
  return times(setting, count).map((time, index) => {
    const author = pickAuthor(setting.random, setting.cast);
    const databaseId = setting.firstId + index;
    return {
      databaseId,
      nodeId: nodeId('IC', databaseId),
      author,
      authorAssociation: associationOf(author),
      body: writeRemark(setting.random),
      createdAt: formatTime(time),
      updatedAt: formatTime(time),
    };
  });
}

/** Reviews, oldest first, with their comments; a reply is, as on GitHub, a review of its own. */
export function createReviews(
  setting: Setting,
  count: number,
): { reviews: Review[]; reviewComments: ReviewComment[] } {
  const reviews: Review[] = [];
  const reviewComments: ReviewComment[] = [];
  for (const time of times(setting, count)) {
    const parent = setting.random.chance(0.35) ? openThread(setting.random, reviewComments) : undefined;
    const review = createReview(setting, setting.firstId + reviews.length, time, parent !== undefined);
    reviews.push(review);
    const comments = parent ? 1 : review.state === 'APPROVED' ? 0 : setting.random.integer(0, 2);
    for (let index = 0; index < comments; index++) {
      reviewComments.push(
        createReviewComment(setting, setting.firstId + reviewComments.length, review, parent),
      );
    }
  }
  return { reviews, reviewComments };
}

/** A review as it is generated: submitted, and of a commit that is there. */
type SubmittedReview = Review & { submittedAt: string; commitOid: string };

function createReview(setting: Setting, databaseId: number, time: number, isReply: boolean): SubmittedReview {
  const { random } = setting;
  const author = pickReviewer(random, setting.cast, setting.author);
  const state = isReply ? 'COMMENTED' : random.pick(STATES);
  return {
    databaseId,
    nodeId: nodeId('PRR', databaseId),
    author,
    authorAssociation: associationOf(author),
    state,
    body: isReply || random.chance(0.4) ? '' : writeRemark(random),
    submittedAt: formatTime(time),
    commitOid: setting.headOid,
  };
}

function createReviewComment(
  setting: Setting,
  databaseId: number,
  review: SubmittedReview,
  parent: ReviewComment | undefined,
): ReviewComment {
  const { random } = setting;
  const originalLine = parent?.originalLine ?? random.integer(1, 300);
  return {
    databaseId,
    nodeId: nodeId('PRRC', databaseId),
    author: review.author,
    authorAssociation: review.authorAssociation,
    reviewId: review.databaseId,
    inReplyToId: parent?.databaseId ?? null,
    body: writeRemark(random),
    path: parent?.path ?? random.pick(PATHS),
    line: parent ? parent.line : random.chance(0.2) ? null : originalLine,
    originalLine,
    diffHunk: DIFF_HUNK,
    commitOid: review.commitOid,
    createdAt: review.submittedAt,
    updatedAt: review.submittedAt,
  };
}

function openThread(random: Random, comments: readonly ReviewComment[]): ReviewComment | undefined {
  const roots = comments.filter((comment) => comment.inReplyToId === null);
  return roots.length === 0 ? undefined : random.pick(roots);
}

/** Ascending moments within the setting's window. */
export function times(
  { random, from, until }: Pick<Setting, 'random' | 'from' | 'until'>,
  count: number,
): number[] {
  return Array.from({ length: count }, () => from + random.next() * (until - from)).sort((a, b) => a - b);
}

/** A node id of the kind that GitHub hands out: a type prefix and a rest that is opaque to clients. */
export function nodeId(prefix: string, databaseId: number): string {
  return `${prefix}_kwDO${databaseId.toString(16).padStart(12, '0')}`;
}

/** Null for the node id of anything else. */
export function databaseIdOf(prefix: string, id: string): number | null {
  const [, given, digits = ''] = /^([A-Z]+)_kwDO([0-9a-f]{12})$/.exec(id) ?? [];
  return given === prefix ? Number.parseInt(digits, 16) : null;
}

export function associationOf(author: Account | null): AuthorAssociation {
  if (author === null || author.type !== 'User') return author?.type === 'Bot' ? 'CONTRIBUTOR' : 'NONE';
  return author.databaseId % 3 === 0 ? 'MEMBER' : 'CONTRIBUTOR';
}
