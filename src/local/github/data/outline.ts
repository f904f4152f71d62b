import { formatTime } from './clock.ts';
import { randomFor } from '../../stand-in/random.ts';
import type { Outline } from './records.ts';

const DAY = 86_400_000;
/** Nobody touches anything later than this after it was opened. */
const LONGEST_LIFE = 21 * DAY;

/** One entry per pull request and issue, numbered from 1 in the order of creation. */
export function createOutlines(
  recipe: {
    owner: string;
    name: string;
    seed?: number;
    pullRequests?: number;
    issues?: number;
    historyDays?: number;
  },
  now: number,
): Outline[] {
  const issues = recipe.issues ?? 0;
  const total = (recipe.pullRequests ?? 0) + issues;
  const interval = ((recipe.historyDays ?? 120) * DAY) / total;
  return Array.from({ length: total }, (_, index) => {
    const number = index + 1;
    const random = randomFor(recipe.seed ?? 1, recipe.owner, recipe.name, 'outline', number);
    const created = now - (total - index - random.next() * 0.9) * interval;
    const updated = created + random.next() ** 2 * Math.min(now - created, LONGEST_LIFE);
    // Spreads the issues evenly and gives exactly as many as were asked for.
    const isIssue = Math.floor((number * issues) / total) > Math.floor((index * issues) / total);
    return {
      number,
      kind: isIssue ? 'issue' : 'pull request',
      state: pickState(random.next(), isIssue),
      createdAt: formatTime(created),
      updatedAt: formatTime(updated),
    };
  });
}

function pickState(roll: number, isIssue: boolean): Outline['state'] {
  if (roll < 0.25) return 'OPEN';
  return isIssue || roll < 0.4 ? 'CLOSED' : 'MERGED';
}
