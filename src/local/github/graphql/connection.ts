import { type GraphQLResolveInfo, Kind, type SelectionSetNode } from 'graphql';
import { TypedGraphQLError } from './typed-error.ts';

const PAGE_LIMIT = 100;

/** The arguments every connection takes. */
export interface PageArguments {
  first?: number | null;
  after?: string | null;
  last?: number | null;
  before?: string | null;
}

/** Where an item stands in its list: first by the sort value, then by its number. */
type Position = readonly [sortValue: string, tieBreaker: number];

/** A list in its order, and how to render one item of it. */
export interface Listing<Item> {
  items: readonly Item[];
  positionOf(item: Item): Position;
  render(item: Item): unknown;
  direction?: 'ASC' | 'DESC';
}

/**
 * One page in GitHub's connection shape. Cursors name a position rather than an offset, so that a page
 * continues where the last one ended although items were added in front.
 */
export function connection<Item>(
  listing: Listing<Item>,
  page: PageArguments,
  info: GraphQLResolveInfo,
): object {
  requireBoundaries(page, info);
  const direction = listing.direction ?? 'ASC';
  const compare = (a: Position, b: Position): number =>
    comparePositions(a, b) * (direction === 'ASC' ? 1 : -1);
  const items = listing.items.toSorted((a, b) => compare(listing.positionOf(a), listing.positionOf(b)));
  const after = page.after == null ? undefined : decodeCursor(page.after);
  const before = page.before == null ? undefined : decodeCursor(page.before);
  const start = after ? countWhile(items, (item) => compare(listing.positionOf(item), after) <= 0) : 0;
  const end = before
    ? countWhile(items, (item) => compare(listing.positionOf(item), before) < 0)
    : items.length;
  const [from, to] = cut(start, Math.max(start, end), page);
  const chosen = items.slice(from, to);
  const cursors = chosen.map((item) => encodeCursor(listing.positionOf(item)));
  return {
    totalCount: items.length,
    nodes: () => chosen.map((item) => listing.render(item)),
    edges: () => chosen.map((item, index) => ({ cursor: cursors[index], node: listing.render(item) })),
    pageInfo: {
      startCursor: cursors[0] ?? null,
      endCursor: cursors.at(-1) ?? null,
      hasPreviousPage: from > 0,
      hasNextPage: to < items.length,
    },
  };
}

/** An empty connection, for what the stand-in's world does not have. */
export function emptyConnection(page: PageArguments, _context: unknown, info: GraphQLResolveInfo): object {
  const nothing: readonly never[] = [];
  return connection({ items: nothing, positionOf: () => ['', 0], render: () => null }, page, info);
}

function cut(start: number, end: number, page: PageArguments): [from: number, to: number] {
  const to = page.first == null ? end : Math.min(end, start + page.first);
  const from = page.last == null ? start : Math.max(start, to - page.last);
  return [from, to];
}

/** GitHub counts without boundaries, but lists nothing without them. */
function requireBoundaries(page: PageArguments, info: GraphQLResolveInfo): void {
  const { fieldName } = info;
  for (const name of ['first', 'last'] as const) {
    const size = page[name];
    if (size == null || size <= PAGE_LIMIT) continue;
    throw new TypedGraphQLError(
      'EXCESSIVE_PAGINATION',
      `Requesting ${size} records on the \`${fieldName}\` connection exceeds the \`${name}\` limit of ${PAGE_LIMIT} records.`,
    );
  }
  if (page.first != null || page.last != null) return;
  if (!info.fieldNodes.some((node) => selectsPage(node.selectionSet, info))) return;
  throw new TypedGraphQLError(
    'MISSING_PAGINATION_BOUNDARIES',
    `You must provide a \`first\` or \`last\` value to properly paginate the \`${fieldName}\` connection.`,
  );
}

function selectsPage(selectionSet: SelectionSetNode | undefined, info: GraphQLResolveInfo): boolean {
  return (selectionSet?.selections ?? []).some((selection) => {
    if (selection.kind === Kind.FIELD) return ['nodes', 'edges', 'pageInfo'].includes(selection.name.value);
    if (selection.kind === Kind.INLINE_FRAGMENT) return selectsPage(selection.selectionSet, info);
    return selectsPage(info.fragments[selection.name.value]?.selectionSet, info);
  });
}

function encodeCursor([sortValue, tieBreaker]: Position): string {
  return Buffer.from(`cursor:v2:${JSON.stringify([sortValue, tieBreaker])}`).toString('base64');
}

function decodeCursor(cursor: string): Position {
  const match = /^cursor:v2:\["(.*)",(\d+)\]$/.exec(Buffer.from(cursor, 'base64').toString());
  if (match?.[1] === undefined) {
    throw new TypedGraphQLError(
      'INVALID_CURSOR_ARGUMENTS',
      `\`${cursor}\` does not appear to be a valid cursor.`,
    );
  }
  return [match[1], Number(match[2])];
}

function comparePositions(a: Position, b: Position): number {
  if (a[0] !== b[0]) return a[0] < b[0] ? -1 : 1;
  return a[1] - b[1];
}

function countWhile<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  const end = items.findIndex((item) => !holds(item));
  return end === -1 ? items.length : end;
}
