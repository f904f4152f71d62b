import { countBy, mostFrequent, share, type AnalysedCommit } from './commit.ts';

/** How the work is spread over people. */
export interface People {
  authors: number;
  /** The smallest number of people who made at least half of the commits; 0 without commits. */
  busFactor: number;
  /** The ten with most commits. */
  top: { author: string; commits: number; share: number }[];
  /** Of the files that are known, those that only one person has changed. Null where no files are known. */
  singleAuthorFileShare: number | null;
}

/**
 * The bus factor is CHAOSS's Contributor Absence Factor, which was named so before: the smallest number of people whose
 * contributions, here commits, make up 50 % of all (https://chaoss.community/kb/metric-contributor-absence-factor/).
 */
export function peopleOf(commits: readonly AnalysedCommit[]): People {
  const ranking = mostFrequent(countBy(commits, ({ author }) => author));
  let busFactor = 0;
  for (let covered = 0; covered < commits.length / 2; busFactor += 1) covered += ranking[busFactor]?.[1] ?? 0;
  return {
    authors: ranking.length,
    busFactor,
    top: ranking
      .slice(0, 10)
      .map(([author, count]) => ({ author, commits: count, share: share(count, commits.length) })),
    singleAuthorFileShare: singleAuthorFileShare(commits),
  };
}

function singleAuthorFileShare(commits: readonly AnalysedCommit[]): number | null {
  const authors = new Map<string, Set<string>>();
  for (const { author, files } of commits)
    for (const file of files ?? []) authors.set(file, (authors.get(file) ?? new Set()).add(author));
  if (authors.size === 0) return null;
  return share([...authors.values()].filter((each) => each.size === 1).length, authors.size);
}
