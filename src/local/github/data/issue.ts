import { pickAuthor } from './accounts.ts';
import { associationOf, createComments, nodeId } from './conversation.ts';
import type { ItemContext } from './item-context.ts';
import { pickLabels } from './labels.ts';
import { writeBody, writeTitle } from './prose.ts';
import { randomFor } from '../../stand-in/random.ts';
import type { Issue, Outline } from './records.ts';

/** Everything about the issue behind an outline. */
export function createIssue(outline: Outline, context: ItemContext): Issue {
  const { number } = outline;
  const random = randomFor(context.seed, 'issue', number);
  const author = pickAuthor(random, context.cast);
  const closed = outline.state !== 'OPEN';
  const setting = {
    ...{ random, cast: context.cast, author, headOid: '' },
    from: Date.parse(outline.createdAt),
    until: Date.parse(outline.updatedAt),
    firstId: context.firstEntryId(number),
  };
  return {
    kind: 'issue',
    databaseId: context.firstItemId + number,
    nodeId: nodeId('I', context.firstItemId + number),
    number,
    title: writeTitle(random),
    body: writeBody(random),
    author,
    authorAssociation: associationOf(author),
    state: closed ? 'CLOSED' : 'OPEN',
    stateReason: closed ? random.pick(['COMPLETED', 'NOT_PLANNED']) : null,
    createdAt: outline.createdAt,
    updatedAt: outline.updatedAt,
    closedAt: closed ? outline.updatedAt : null,
    locked: false,
    labels: pickLabels(random),
    comments: createComments(setting, random.integer(0, 6)),
  };
}
