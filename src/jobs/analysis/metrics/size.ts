import { share, type AnalysedCommit } from './commit.ts';

/** How much a commit changes. Merges are left out: their changes are those of other commits. */
export interface CommitSize {
  commits: number;
  /** Lines added and deleted; null without commits. */
  medianLines: number | null;
  p90Lines: number | null;
  meanLines: number | null;
  /** Deleted lines among all changed ones. */
  deletedShare: number;
  /** By the number of files, of the commits whose files are known. */
  byFiles: Record<SizeClass, number>;
}

/** 1–5, 6–25, 26–125 and more files. */
type SizeClass = 'tiny' | 'small' | 'medium' | 'large';

/**
 * Percentiles by the nearest-rank method: the smallest value that at least p % of the values do not exceed. The classes of
 * sizes are those of L. Hattori and M. Lanza, "On the Nature of Commits", ASE Workshops 2008.
 */
export function sizeOf(commits: readonly AnalysedCommit[]): CommitSize {
  const own = commits.filter(({ parents }) => parents <= 1);
  const lines = own.map(({ additions, deletions }) => additions + deletions).sort((a, b) => a - b);
  const changed = lines.reduce((total, count) => total + count, 0);
  const byFiles = { tiny: 0, small: 0, medium: 0, large: 0 };
  for (const { files } of own) if (files !== null) byFiles[classOf(files.length)] += 1;
  return {
    commits: own.length,
    medianLines: percentile(lines, 50),
    p90Lines: percentile(lines, 90),
    meanLines: own.length === 0 ? null : Math.round((changed / own.length) * 10) / 10,
    deletedShare: share(
      own.reduce((total, { deletions }) => total + deletions, 0),
      changed,
    ),
    byFiles,
  };
}

function classOf(files: number): SizeClass {
  if (files <= 5) return 'tiny';
  if (files <= 25) return 'small';
  return files <= 125 ? 'medium' : 'large';
}

function percentile(sorted: readonly number[], percent: number): number | null {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? null;
}
