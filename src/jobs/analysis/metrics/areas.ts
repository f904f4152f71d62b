import { countBy, mostFrequent, share, type AnalysedCommit } from './commit.ts';

/** Where in the repository the work goes on, as far as the files of commits are known. */
export interface Areas {
  /** The ten folders at the top that most commits touch; `.` is the root. */
  folders: { folder: string; commits: number }[];
  /** Share of those commits that touch a test. */
  withTestsShare: number;
}

const test = /(^|\/)(tests?|__tests__|specs?)\/|[._-](test|spec)s?\.[^/]+$/i;

/** A commit counts once for each folder. A test is a file in a folder for tests, or named as one. */
export function areasOf(commits: readonly AnalysedCommit[]): Areas {
  const known = commits.flatMap(({ files }) => (files === null ? [] : [files]));
  const touched = known.flatMap((files) => [...new Set(files.map(folderOf))]);
  return {
    folders: mostFrequent(countBy(touched, (folder) => folder))
      .slice(0, 10)
      .map(([folder, count]) => ({ folder, commits: count })),
    withTestsShare: share(
      known.filter((files) => files.some((file) => test.test(file))).length,
      known.length,
    ),
  };
}

function folderOf(path: string): string {
  const end = path.indexOf('/');
  return end === -1 ? '.' : path.slice(0, end);
}
