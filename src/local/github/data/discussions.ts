import type { Cast } from './accounts.ts';
import { formatTime } from './clock.ts';
import { createDiscussion, type DiscussionContext } from './discussion.ts';
import { randomFor } from '../../stand-in/random.ts';
import type { Discussion, DiscussionComment, DiscussionOutline } from './records.ts';

const DAY = 86_400_000;
/** Their ids must fit into 32 bits, for GraphQL has no longer ones for discussions; each may have 1,000 comments. */
const MOST = 1000;

/** The discussions of a generated repository, made on demand as its pull requests are. */
export interface Discussions {
  /** In the order of their numbers, which follow those of pull requests and issues. */
  readonly discussionOutlines: readonly DiscussionOutline[];
  /** The one with more than 100 comments, one of which has more than 100 replies; null where there are fewer than 10. */
  readonly busyDiscussionNumber: number | null;
  discussion(number: number): Discussion | undefined;
  /** All of them, oldest first. */
  discussions(): Discussion[];
  /** The one with this database id. */
  discussionWithId(databaseId: number): Discussion | undefined;
  /** The comment or reply with this database id, and its discussion. */
  discussionComment(databaseId: number): { discussion: Discussion; comment: DiscussionComment } | undefined;
  /** Changes a discussion from now on, as if somebody had edited it on GitHub. */
  editDiscussion(number: number, changes: Partial<Omit<Discussion, 'number' | 'createdAt'>>): void;
}

/**
 * @param recipe - `repositoryId` is the repository's database id, `firstNumber` the first discussion's number
 * @param now - milliseconds since the epoch that all times are relative to
 */
export function createDiscussions(
  recipe: {
    count: number;
    firstNumber: number;
    historyDays: number;
    repositoryId: number;
    seed: string;
    cast: Cast;
  },
  now: number,
): Discussions {
  const { count, firstNumber, repositoryId } = recipe;
  if (count > MOST) throw new RangeError(`expected at most ${MOST} discussions, got ${count}`);
  const firstId = 10_000_000 + (repositoryId % 100_000) * MOST;
  const firstCommentId = 200_000_000 + (repositoryId % 1900) * MOST * 1000;
  const context: DiscussionContext = {
    seed: recipe.seed,
    cast: recipe.cast,
    idOf: (number) => firstId + number - firstNumber,
    firstCommentId: (number) => firstCommentId + (number - firstNumber) * 1000,
    busyNumber: count < 10 ? null : firstNumber + Math.floor(count * 0.7),
  };
  const outlines = createOutlines(recipe, now);
  const made = new Map<number, Discussion>();
  const discussion = (number: number): Discussion | undefined => {
    const outline = outlines[number - firstNumber];
    if (outline === undefined) return undefined;
    const known = made.get(number) ?? createDiscussion(outline, context);
    made.set(number, known);
    return known;
  };
  return {
    discussionOutlines: outlines,
    busyDiscussionNumber: context.busyNumber,
    discussion,
    discussions: () => outlines.flatMap(({ number }) => discussion(number) ?? []),
    discussionWithId: (databaseId) => discussion(firstNumber + databaseId - firstId),
    discussionComment: (databaseId) => {
      const found = discussion(firstNumber + Math.floor((databaseId - firstCommentId) / 1000));
      const comment = found?.comments.find((each) => each.databaseId === databaseId);
      return found && comment && { discussion: found, comment };
    },
    editDiscussion: (number, changes) => {
      const [before, outline] = [discussion(number), outlines[number - firstNumber]];
      if (!before || !outline) throw new RangeError(`expected a discussion, got ${number}`);
      Object.assign(before, changes);
      outline.state = before.state;
      outline.updatedAt = before.updatedAt;
    },
  };
}

function createOutlines(
  { count, firstNumber, historyDays, seed }: Parameters<typeof createDiscussions>[0],
  now: number,
): DiscussionOutline[] {
  const interval = (historyDays * DAY) / count;
  return Array.from({ length: count }, (_, index) => {
    const number = firstNumber + index;
    const random = randomFor(seed, 'discussion outline', number);
    const created = now - (count - index - random.next() * 0.9) * interval;
    return {
      number,
      state: random.chance(0.3) ? 'CLOSED' : 'OPEN',
      createdAt: formatTime(created),
      updatedAt: formatTime(created + random.next() ** 2 * (now - created)),
    };
  });
}
