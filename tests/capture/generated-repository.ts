import fc from 'fast-check';
import { formatTime } from '../../src/local/github/data/clock.ts';
import { type Random, randomFor } from '../../src/local/stand-in/random.ts';
import type { Comment, Discussion, Issue, PullRequest, Review } from '../../src/local/github/data/records.ts';
import type { Repository, RepositoryRecipe } from '../../src/local/github/data/repository.ts';

/** A repository to generate, and how GitHub behaves while it is captured. */
export interface GeneratedWorld {
  seed: number;
  pullRequests: number;
  issues: number;
  discussions: number;
  /** Share of what the official schemas allow to be null, or absent, that is. */
  nullRate: number;
  /** GitHub shows the last item of a page again on the next one, and one item of each page twice. */
  repeats: boolean;
  /** Before how many of the first requests somebody edits something. */
  edits: number;
}

/** Sizes around a page of 100, and now and then ten pages. */
const count = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 12 }) },
  { weight: 4, arbitrary: fc.constantFrom(0, 1, 100, 101) },
  { weight: 2, arbitrary: fc.integer({ min: 95, max: 210 }) },
  { weight: 1, arbitrary: fc.constant(1000) },
);

export const generatedWorld: fc.Arbitrary<GeneratedWorld> = fc.record({
  seed: fc.nat({ max: 1_000_000 }),
  pullRequests: count,
  issues: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 8 }) }, count),
  discussions: fc.integer({ min: 0, max: 30 }),
  nullRate: fc.constantFrom(0, 0.2, 0.6, 1),
  repeats: fc.boolean(),
  edits: fc.constantFrom(0, 0, 3),
});

export function recipeOf({
  seed,
  pullRequests,
  issues,
  discussions,
  nullRate,
}: GeneratedWorld): RepositoryRecipe {
  const random = randomFor(seed, 'fields');
  const orNull = <Value>(value: Value): Value | null => (random.chance(nullRate) ? null : value);
  return {
    ...{ owner: 'octo-org', name: 'generated', seed, pullRequests, issues, discussions },
    fields: {
      description: orNull('A description with a NUL\0 and half a pair \ud83d'),
      primaryLanguage: orNull({ name: 'Rust', color: '#dea584' }),
    },
  };
}

/** Takes away what may be missing. */
export function makeGaps(repository: Repository, { seed, nullRate }: GeneratedWorld): void {
  if (nullRate === 0) return;
  const random = randomFor(seed, 'gaps');
  for (const pull of repository.pullRequests())
    repository.editPullRequest(pull.number, gapsInPullRequest(pull, random, nullRate));
  for (const issue of repository.issues())
    repository.editIssue(issue.number, gapsInIssue(issue, random, nullRate));
  for (const discussion of repository.discussions())
    repository.editDiscussion(discussion.number, gapsInDiscussion(discussion, random, nullRate));
}

function gapsInPullRequest(pull: PullRequest, random: Random, rate: number): Partial<PullRequest> {
  const gap = (): boolean => random.chance(rate);
  const answered = new Set(pull.reviewComments.map(({ reviewId }) => reviewId));
  return {
    author: gap() ? null : pull.author,
    body: gap() ? null : pull.body,
    mergedBy: gap() ? null : pull.mergedBy,
    title: gap() ? `${pull.title} \0 \udc19` : pull.title,
    comments: pull.comments.map((comment) => gapsInComment(comment, gap)),
    reviews: pull.reviews.map((review) => ({
      ...gapsInComment(review, gap),
      commitOid: gap() ? null : review.commitOid,
      // REST lists no comments of a pending review.
      ...(!answered.has(review.databaseId) && gap() ? pending : {}),
    })),
    reviewComments: pull.reviewComments.map((comment) => ({
      ...gapsInComment(comment, gap),
      line: gap() ? null : comment.line,
      reviewId: gap() ? null : comment.reviewId,
    })),
  };
}

const pending: Pick<Review, 'state' | 'submittedAt'> = { state: 'PENDING', submittedAt: null };

function gapsInIssue(issue: Issue, random: Random, rate: number): Partial<Issue> {
  const gap = (): boolean => random.chance(rate);
  return {
    author: gap() ? null : issue.author,
    body: gap() ? null : issue.body,
    stateReason: gap() ? null : issue.stateReason,
    comments: issue.comments.map((comment) => gapsInComment(comment, gap)),
  };
}

function gapsInDiscussion(discussion: Discussion, random: Random, rate: number): Partial<Discussion> {
  const gap = (): boolean => random.chance(rate);
  return {
    author: gap() ? null : discussion.author,
    body: gap() ? '' : discussion.body,
    stateReason: gap() ? null : discussion.stateReason,
    answerChosenBy: gap() ? null : discussion.answerChosenBy,
    comments: discussion.comments.map((comment) => gapsInComment(comment, gap)),
  };
}

function gapsInComment<Written extends Pick<Comment, 'author' | 'body'>>(
  comment: Written,
  gap: () => boolean,
): Written {
  return { ...comment, author: gap() ? null : comment.author, body: gap() ? '' : comment.body };
}

/**
 * Edits one of the pull requests and issues and adds to its conversation, and edits a discussion: the n-th change, later
 * than all before.
 */
export function editSomething(repository: Repository, n: number): void {
  const updatedAt = formatTime(Date.now() + n * 1000);
  const random = randomFor('edits', repository.fullName, n);
  const { outlines } = repository;
  // Every other time what jobs for a single item look at.
  const place = n % 2 === 0 ? outlines.length - 1 : random.integer(0, outlines.length - 1);
  const number = outlines[place]?.number ?? 0;
  const pull = repository.pullRequest(number);
  if (pull)
    repository.editPullRequest(number, { ...changes(pull, n, updatedAt), reviews: editReviews(pull, n) });
  const issue = repository.issue(number);
  if (issue) repository.editIssue(number, changes(issue, n, updatedAt));
  const [discussion] = repository.discussions();
  if (discussion) repository.editDiscussion(discussion.number, { title: `Edited ${n}`, updatedAt });
}

function changes<Item extends PullRequest | Issue>(item: Item, n: number, updatedAt: string) {
  const comments = item.comments.map((comment, index) =>
    index === 0 ? { ...comment, body: `Edited ${n}`, updatedAt } : comment,
  );
  const last = item.comments.at(-1);
  const added = last && {
    ...last,
    databaseId: last.databaseId + 1,
    body: `Added ${n}`,
    createdAt: updatedAt,
  };
  return {
    title: `Edited ${n}`,
    updatedAt,
    comments: added ? [...comments, { ...added, updatedAt }] : comments,
  };
}

function editReviews({ reviews }: PullRequest, n: number): Review[] {
  return reviews.map((review, index) => (index === 0 ? { ...review, body: `Edited ${n}` } : review));
}
