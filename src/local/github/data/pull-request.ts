import { pickAuthor, pickReviewer } from './accounts.ts';
import { formatTime } from './clock.ts';
import { associationOf, createComments, createReviews, nodeId } from './conversation.ts';
import type { ItemContext } from './item-context.ts';
import { pickLabels } from './labels.ts';
import { writeBody, writeLongBody, writeTitle } from './prose.ts';
import { objectId, randomFor } from '../../stand-in/random.ts';
import type { Outline, PullRequest, Review } from './records.ts';

/** More than one page of each kind of feedback, whatever the page size. */
const BUSY = { reviews: 136, comments: 133 };

/** Everything about the pull request behind an outline. */
export function createPullRequest(outline: Outline, context: ItemContext): PullRequest {
  const { number } = outline;
  const random = randomFor(context.seed, 'pull request', number);
  const author = pickAuthor(random, context.cast);
  const headRefOid = objectId(context.seed, 'head', number);
  const isBusy = number === context.busyNumber;
  const from = Date.parse(outline.createdAt);
  const until = Date.parse(outline.updatedAt);
  const closedAt = outline.state === 'OPEN' ? null : formatTime(from + (until - from) * random.next());
  const setting = {
    ...{ random, cast: context.cast, author, from, until },
    headOid: headRefOid,
    firstId: context.firstEntryId(number),
  };
  const { reviews, reviewComments } = createReviews(setting, isBusy ? BUSY.reviews : random.integer(0, 5));
  const merged = outline.state === 'MERGED';
  return {
    kind: 'pull request',
    databaseId: context.firstItemId + number,
    nodeId: nodeId('PR', context.firstItemId + number),
    number,
    title: author?.type === 'Bot' ? `Bump hono from 4.13.${number % 9} to 4.14.0` : writeTitle(random),
    body: number === context.longBodyNumber ? writeLongBody() : writeBody(random),
    author,
    authorAssociation: associationOf(author),
    state: outline.state,
    isDraft: outline.state === 'OPEN' && random.chance(0.25),
    createdAt: outline.createdAt,
    updatedAt: outline.updatedAt,
    closedAt,
    mergedAt: merged ? closedAt : null,
    mergedBy: merged ? pickReviewer(random, context.cast, author) : null,
    additions: random.integer(0, 900),
    deletions: random.integer(0, 400),
    changedFiles: random.integer(1, 30),
    commits: random.integer(1, 12),
    baseRefName: context.defaultBranch,
    baseRefOid: objectId(context.seed, 'base', number),
    headRefName: `${author?.type === 'Bot' ? 'dependabot/npm' : 'topic'}/${number}`,
    headRefOid,
    mergeCommitOid: merged ? objectId(context.seed, 'merge', number) : null,
    locked: random.chance(0.02),
    labels: pickLabels(random),
    comments: createComments(setting, isBusy ? BUSY.comments : random.integer(0, 4)),
    reviews,
    reviewComments,
    reviewDecision: decide(reviews),
  };
}

/** GitHub's rule: each reviewer's last verdict counts, and one request for changes outweighs all approvals. */
function decide(reviews: readonly Review[]): PullRequest['reviewDecision'] {
  const verdicts = new Map<string, Review['state']>();
  for (const review of reviews) {
    if (review.state !== 'COMMENTED') verdicts.set(review.author?.login ?? 'ghost', review.state);
  }
  const states = [...verdicts.values()];
  if (states.includes('CHANGES_REQUESTED')) return 'CHANGES_REQUESTED';
  if (states.includes('APPROVED')) return 'APPROVED';
  return reviews.length === 0 ? null : 'REVIEW_REQUIRED';
}
