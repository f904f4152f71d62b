/** A page of a list as every query here asks for it. */
export interface Connection<Node> {
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
  /** GitHub's schema allows null for the list, and for what a token may not see. */
  nodes: (Node | null)[] | null;
}

/** Where the next page begins; null: there is none. */
export function nextCursor(list: Connection<unknown> | null | undefined): string | null {
  return list?.pageInfo.hasNextPage ? list.pageInfo.endCursor : null;
}
