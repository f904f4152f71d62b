import { type Cast, pickAuthor, pickReviewer } from './accounts.ts';
import { formatTime } from './clock.ts';
import { associationOf, nodeId, times } from './conversation.ts';
import { writeBody, writeRemark, writeTitle } from './prose.ts';
import { type Random, randomFor } from '../../stand-in/random.ts';
import type {
  Account,
  Discussion,
  DiscussionCategory,
  DiscussionComment,
  DiscussionOutline,
} from './records.ts';

/** More comments at the top, and more replies to one of them, than a page holds. */
const BUSY = { comments: 125, replies: 115 };

const CATEGORIES: readonly DiscussionCategory[] = [
  category('Announcements', ':mega:', false),
  category('General', ':speech_balloon:', false),
  category('Ideas', ':bulb:', false),
  category('Q&A', ':pray:', true),
  category('Q&A 日本語', ':jp:', true),
];

/** What a repository's discussions are generated from. */
export interface DiscussionContext {
  readonly seed: string;
  readonly cast: Cast;
  /** Of one discussion. */
  idOf(number: number): number;
  /** First of the 1,000 ids of one discussion's comments. */
  firstCommentId(number: number): number;
  /** Null in a repository of fewer than 10 discussions. */
  readonly busyNumber: number | null;
}

/** Everything about the discussion behind an outline. */
export function createDiscussion(outline: DiscussionOutline, context: DiscussionContext): Discussion {
  const { number, state, createdAt, updatedAt } = outline;
  const random = randomFor(context.seed, 'discussion', number);
  const author = pickAuthor(random, context.cast);
  const databaseId = context.idOf(number);
  const comments = createDiscussionComments(outline, context, random);
  const category = random.pick(CATEGORIES);
  return {
    databaseId,
    nodeId: nodeId('D', databaseId),
    number,
    title: writeTitle(random),
    body: writeBody(random) ?? '',
    author,
    authorAssociation: associationOf(author),
    category,
    state,
    stateReason: state === 'CLOSED' ? random.pick(['RESOLVED', 'OUTDATED', 'DUPLICATE', null]) : null,
    ...pickAnswer(category, comments, author, context, random),
    upvoteCount: random.integer(0, 40),
    locked: random.chance(0.05),
    createdAt,
    updatedAt,
    closedAt: state === 'CLOSED' ? updatedAt : null,
    comments,
  };
}

function createDiscussionComments(
  outline: DiscussionOutline,
  context: DiscussionContext,
  random: Random,
): DiscussionComment[] {
  const isBusy = outline.number === context.busyNumber;
  const until = Date.parse(outline.updatedAt);
  const top = times(
    { random, from: Date.parse(outline.createdAt), until },
    isBusy ? BUSY.comments : random.integer(0, 5),
  );
  const firstId = context.firstCommentId(outline.number);
  const comments = top.map((time, index) => createComment(firstId + index, null, time, context.cast, random));
  for (const [index, from] of top.entries()) {
    const count = isBusy && index === 3 ? BUSY.replies : random.integer(0, 3);
    for (const time of times({ random, from, until }, count))
      comments.push(createComment(firstId + comments.length, firstId + index, time, context.cast, random));
    const parent = comments[index];
    if (parent && count > 0 && random.chance(0.06)) deleteComment(parent);
  }
  return comments.sort((a, b) => a.createdAt.localeCompare(b.createdAt) || a.databaseId - b.databaseId);
}

function createComment(
  databaseId: number,
  replyToId: number | null,
  time: number,
  cast: Cast,
  random: Random,
): DiscussionComment {
  const author = pickAuthor(random, cast);
  return {
    databaseId,
    nodeId: nodeId('DC', databaseId),
    author,
    authorAssociation: associationOf(author),
    replyToId,
    body: writeRemark(random),
    upvoteCount: random.integer(0, 9),
    deletedAt: null,
    createdAt: formatTime(time),
    updatedAt: formatTime(time),
  };
}

function deleteComment(comment: DiscussionComment): void {
  Object.assign(comment, { author: null, body: '', deletedAt: comment.createdAt });
}

function pickAnswer(
  { isAnswerable }: DiscussionCategory,
  comments: readonly DiscussionComment[],
  author: Account | null,
  { cast }: DiscussionContext,
  random: Random,
): Pick<Discussion, 'answerId' | 'answerChosenAt' | 'answerChosenBy'> {
  const candidates = comments.filter(({ deletedAt }) => deletedAt === null);
  if (!isAnswerable || candidates.length === 0 || random.chance(0.4))
    return { answerId: null, answerChosenAt: null, answerChosenBy: null };
  const answer = random.pick(candidates);
  const by = random.chance(0.7) ? author : pickReviewer(random, cast, author);
  return { answerId: answer.databaseId, answerChosenAt: answer.createdAt, answerChosenBy: by };
}

function category(name: string, emoji: string, isAnswerable: boolean): DiscussionCategory {
  const slug = name.toLowerCase().replaceAll('&', '-').replaceAll(' ', '-');
  return { nodeId: `DIC_kwDO${slug}`, name, slug, emoji, isAnswerable };
}
