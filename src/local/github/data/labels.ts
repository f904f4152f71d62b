import { nodeId } from './conversation.ts';
import type { Random } from '../../stand-in/random.ts';
import type { Label } from './records.ts';

const LABELS: readonly (readonly [name: string, color: string, description: string])[] = [
  ['bug', 'd73a4a', "Something isn't working"],
  ['documentation', '0075ca', 'Improvements or additions to documentation'],
  ['dependencies', '0366d6', 'Pull requests that update a dependency file'],
  ['good first issue', '7057ff', 'Good for newcomers'],
  ['needs: 翻訳', 'fbca04', ''],
];

/** None, one or two of the repository's labels. */
export function pickLabels(random: Random): Label[] {
  const start = random.integer(0, LABELS.length - 1);
  return LABELS.slice(start, start + random.integer(0, 2)).map(([name, color, description], offset) => {
    const databaseId = 5_000_000_000 + start + offset;
    return { databaseId, nodeId: nodeId('LA', databaseId), name, color, description };
  });
}
