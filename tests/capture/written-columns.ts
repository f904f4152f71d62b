import type { TestDatabase } from '../support/database.ts';

/** `author_github_id` in a page is `author_id` in the table; these name what the table names by GitHub's id, too. */
const kept = new Set([
  'github_id',
  'in_reply_to_github_id',
  'review_github_id',
  'answer_github_id',
  'parent_github_id',
]);

/** Collects the columns of the pages that go through an `rpc`, by table. */
export class WrittenColumns {
  readonly byTable = new Map<string, Set<string>>();

  /** The same database, watched. */
  watch({ rpc }: TestDatabase): Pick<TestDatabase, 'rpc'> {
    return {
      rpc: async (name, args, options) => {
        this.#note((args?.page ?? {}) as Record<string, unknown>);
        return await rpc(name, args, options);
      },
    };
  }

  #note({ repository, ...lists }: Record<string, unknown>): void {
    for (const [table, rows] of Object.entries({ ...lists, repositories: [repository] })) {
      if (!Array.isArray(rows)) continue;
      const columns = this.byTable.get(table) ?? new Set();
      for (const key of (rows as (object | undefined)[]).flatMap((row) => Object.keys(row ?? {})))
        columns.add(kept.has(key) ? key : key.replace(/_github_id$/, '_id'));
      this.byTable.set(table, columns);
    }
  }
}
