/** GraphQL's Int has 32 bits: GitHub answers null for a larger `databaseId`, and expects `fullDatabaseId` instead. */
export function smallId(databaseId: number): number | null {
  return databaseId < 2 ** 31 ? databaseId : null;
}

/** The three ids of a thing; `BigInt` travels as a string. */
export function renderIds(entity: { nodeId: string; databaseId: number }): object {
  return {
    id: entity.nodeId,
    databaseId: smallId(entity.databaseId),
    fullDatabaseId: String(entity.databaseId),
  };
}
