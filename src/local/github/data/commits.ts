import { pickAuthor, type Cast } from './accounts.ts';
import { objectId, randomFor, type Random } from '../../stand-in/random.ts';
import type { Commit, CommitFile } from './records.ts';

const DAY = 86_400_000;
/** In minutes: people commit by their own clocks. */
const OFFSETS = [-480, -300, 0, 60, 120, 330, 540];
const HEADLINES = [
  'feat: show the state of the queue',
  'fix: renew the lease before it expires',
  'refactor: one reader for all cursors',
  'docs: explain the lanes',
  'test: kill the worker between two steps',
  'chore(deps): bump hono to 4.14.0',
  'Add pagination of reviews',
  'Fix time zone handling 🕰️',
  'Remove the old settings page',
  'WIP',
];
const PATHS = [
  'README.md',
  'src/queue.ts',
  'src/router.ts',
  'src/pages/list.ts',
  'tests/queue.test.ts',
  'docs/a.md',
];

/** What the commits of a default branch are generated from. */
export interface CommitSetting {
  count: number;
  historyDays: number;
  seed: string;
  cast: Cast;
}

/** The commits of the default branch, newest first. */
export function createCommits(setting: CommitSetting, now: number): Commit[] {
  return Array.from({ length: setting.count }, (_, age) => createCommit(age, setting, now));
}

function createCommit(age: number, { count, historyDays, seed, cast }: CommitSetting, now: number): Commit {
  const number = count - age;
  const random = randomFor(seed, 'commit', number);
  const author = pickAuthor(random, cast);
  const files = createFiles(random);
  const interval = (historyDays * DAY) / count;
  const utcOffsetMinutes = author?.type === 'Bot' ? 0 : random.pick(OFFSETS);
  return {
    oid: objectId(seed, 'commit', number),
    parents: number === 1 ? [] : [objectId(seed, 'commit', number - 1)],
    author,
    authorName: author?.name ?? author?.login ?? 'Nobody Known',
    message: `${random.pick(HEADLINES)}\n\nMore words.`,
    authoredAt: Math.floor((now - (age + random.next() * 0.9) * interval) / 1000) * 1000,
    utcOffsetMinutes,
    files,
  };
}

function createFiles(random: Random): CommitFile[] {
  const first = random.integer(0, PATHS.length - 1);
  return PATHS.slice(first, first + random.integer(1, 3)).map((path) => ({
    path,
    additions: random.integer(0, 120),
    deletions: random.integer(0, 60),
  }));
}
