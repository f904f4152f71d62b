import { areasOf, type Areas } from './areas.ts';
import type { AnalysedCommit } from './commit.ts';
import { kindsOf, type CommitKinds } from './kinds.ts';
import { peopleOf, type People } from './people.ts';
import { rhythmOf, type Rhythm } from './rhythm.ts';
import { sizeOf, type CommitSize } from './size.ts';
import { streaksOf, type Streaks } from './streaks.ts';
import { vibeOf, type Vibe } from './vibe.ts';

/** The style of work in a repository. */
export interface WorkStyle {
  /** By people. */
  commits: number;
  /** Left out of all that follows. */
  botCommits: number;
  merges: number;
  rhythm: Rhythm;
  streaks: Streaks;
  size: CommitSize;
  kinds: CommitKinds;
  people: People;
  areas: Areas;
  vibe: Vibe;
}

/** Depends on nothing but the commits, and not on their order. */
export function analyse(commits: readonly AnalysedCommit[]): WorkStyle {
  const people = commits.filter(({ is_bot }) => !is_bot);
  const measures = {
    rhythm: rhythmOf(people),
    streaks: streaksOf(people),
    size: sizeOf(people),
    kinds: kindsOf(people),
    people: peopleOf(people),
  };
  return {
    commits: people.length,
    botCommits: commits.length - people.length,
    merges: people.filter(({ parents }) => parents > 1).length,
    ...measures,
    areas: areasOf(people),
    vibe: vibeOf(measures),
  };
}
