/** A commit as `list_analysis_commits` gives it. */
export interface AnalysedCommit {
  sha: string;
  /** The moment, in any time zone. */
  authored_at: string;
  /** Of the author's clock at that moment; null: not known. */
  utc_offset_minutes: number | null;
  /** Login; the name in the commit where GitHub knows no account. */
  author: string;
  is_bot: boolean;
  /** First line of the message. */
  headline: string;
  /** More than one: a merge. */
  parents: number;
  additions: number;
  deletions: number;
  /** Paths that it changed; null: not asked for. */
  files: string[] | null;
}

/** A part of a whole from 0 to 1, to four decimals; 0 of nothing. */
export function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 10_000;
}

/** How often each value occurs. */
export function countBy<Item>(
  items: Iterable<Item>,
  keyOf: (item: Item) => string,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

/** The most frequent first; among equals in the order of the alphabet, so that the order of the commits does not matter. */
export function mostFrequent(counts: ReadonlyMap<string, number>): [key: string, count: number][] {
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}
