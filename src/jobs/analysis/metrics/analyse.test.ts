import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyse, type WorkStyle } from './analyse.ts';
import type { AnalysedCommit } from './commit.ts';
import { kindOf } from './kinds.ts';

const base: AnalysedCommit = {
  sha: '0',
  authored_at: '2026-11-02T10:00:00Z',
  utc_offset_minutes: 0,
  author: 'ada',
  is_bot: false,
  headline: 'Update it',
  parents: 1,
  additions: 1,
  deletions: 0,
  files: null,
};
const commit = (changes: Partial<AnalysedCommit>): AnalysedCommit => ({ ...base, ...changes });

const anyCommit: fc.Arbitrary<AnalysedCommit> = fc.record({
  sha: fc.uuid(),
  authored_at: fc
    .date({ min: new Date('1969-06-01'), max: new Date('2030-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  utc_offset_minutes: fc.option(fc.integer({ min: -12 * 60, max: 14 * 60 })),
  author: fc.constantFrom('ada', 'bo', 'chen', 'd4n', 'elif'),
  is_bot: fc.boolean(),
  headline: fc.oneof(fc.string(), fc.constantFrom('fix: a', 'feat!: b', 'Add a page', 'toString: c')),
  parents: fc.integer({ min: 0, max: 2 }),
  additions: fc.nat(5_000),
  deletions: fc.nat(5_000),
  files: fc.option(fc.array(fc.constantFrom('a.ts', 'src/b.ts', 'tests/c.test.ts', 'docs/d.md'))),
});
const anyCommits = fc.array(anyCommit, { maxLength: 60 });

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
const sharesIn = ({ rhythm, size, kinds, people, areas }: WorkStyle): (number | null)[] => [
  ...[rhythm.nightShare, rhythm.weekendShare, rhythm.knownTimeZoneShare, size.deletedShare],
  ...[...Object.values(kinds.shares), kinds.conventionalShare, areas.withTestsShare],
  ...[people.singleAuthorFileShare, ...people.top.map((each) => each.share)],
];

describe('the style of work, worked out by hand', () => {
  it('goes by the clock and the calendar of the author', () => {
    const { rhythm, streaks } = analyse([
      // Monday 23:30 in UTC, and Tuesday 01:30 in Berlin.
      commit({ authored_at: '2026-11-02T23:30:00Z', utc_offset_minutes: 120 }),
      // Sunday 02:00 in UTC, and Saturday 18:00 in Los Angeles.
      commit({ authored_at: '2026-11-08T02:00:00Z', utc_offset_minutes: -480 }),
      commit({ authored_at: '2026-11-04T09:59:59Z', utc_offset_minutes: null }),
    ]);
    const at = (places: readonly number[], length: number): number[] =>
      Array.from({ length }, (_, index) => Number(places.includes(index)));
    expect(rhythm).toEqual({
      byHour: at([1, 9, 18], 24),
      byWeekday: at([1, 2, 5], 7),
      ...{ peakHour: 1, peakWeekday: 2, nightShare: 0.3333, weekendShare: 0.3333 },
      knownTimeZoneShare: 0.6667,
    });
    // The 3rd and the 4th, then the 7th.
    expect(streaks).toEqual({
      ...{ activeDays: 3, firstDay: '2026-11-03', lastDay: '2026-11-07' },
      ...{ longestStreakDays: 2, latestStreakDays: 1, longestPauseDays: 2 },
    });
  });

  it('measures commits without merges', () => {
    const files = (count: number): string[] => Array.from({ length: count }, (_, n) => `src/${n}.ts`);
    const { size, merges } = analyse([
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 100].map((additions) => commit({ additions })),
      commit({ additions: 5, deletions: 50, files: files(5) }),
      commit({ additions: 0, deletions: 0, files: files(126) }),
      commit({ parents: 2, additions: 9_999 }),
    ]);
    // Sorted: 0 1 2 3 4 5 6 7 8 9 55 100; rank 6 of 12, and rank 11.
    expect(size).toEqual({
      ...{ commits: 12, medianLines: 5, p90Lines: 55, meanLines: 16.7, deletedShare: 0.25 },
      byFiles: { tiny: 1, small: 0, medium: 0, large: 1 },
    });
    expect(merges).toBe(1);
  });

  it('counts the people without whom half of the work would be missing', () => {
    const by = (author: string, count: number): AnalysedCommit[] =>
      Array.from({ length: count }, () => commit({ author }));
    const busFactor = (...commits: AnalysedCommit[][]): number => analyse(commits.flat()).people.busFactor;
    expect(busFactor()).toBe(0);
    expect(busFactor(by('ada', 1))).toBe(1);
    expect(busFactor(by('ada', 5), by('bo', 5))).toBe(1);
    expect(busFactor(by('ada', 4), by('bo', 4), by('chen', 4))).toBe(2);
    expect(busFactor(by('ada', 49), by('bo', 30), by('chen', 21))).toBe(2);
  });

  it('knows the files of one person, folders and tests', () => {
    const { people, areas } = analyse([
      commit({ author: 'ada', files: ['README.md', 'src/a.ts', 'src/b.ts'] }),
      commit({ author: 'bo', files: ['src/a.ts', 'src/a.test.ts'] }),
      commit({ author: 'bo', files: null }),
    ]);
    expect(people.singleAuthorFileShare).toBe(0.75);
    expect(areas).toEqual({
      folders: [
        { folder: 'src', commits: 2 },
        { folder: '.', commits: 1 },
      ],
      withTestsShare: 0.5,
    });
  });

  it.each([
    ['feat(router): take aliases', 'feature'],
    ['fix!: a leak', 'fix'],
    ['perf: faster claims', 'refactor'],
    ['docs: fix a typo', 'docs'],
    ['chore(deps): bump hono', 'chore'],
    ['Fix the sweep of expired leases', 'fix'],
    ['Add tests of the sweep', 'test'],
    ['Add a dashboard', 'feature'],
    ['Rename drain to empty', 'refactor'],
    ['Bump hono from 4.13.1 to 4.14.0', 'chore'],
    ['prefix the address', 'other'],
    ['constructor: x', 'other'],
    ['', 'other'],
  ])('takes "%s" for a %s', (headline, kind) => {
    expect(kindOf(headline)).toBe(kind);
  });

  it('names the strongest trait, and none of too little work', () => {
    const nights = Array.from({ length: 20 }, (_, n) =>
      commit({
        sha: `${n}`,
        authored_at: `2026-11-02T0${n % 3}:00:00Z`,
        headline: 'fix: it',
        author: `a${n}`,
      }),
    );
    expect(analyse(nights).vibe).toMatchObject({
      name: 'Night owl',
      traits: [
        { name: 'Night owl', strength: 1, because: '100 % of the commits at night' },
        { name: 'Firefighter', strength: 1, because: '100 % fixes' },
        { name: 'Orchestra', strength: 1 },
      ],
    });
    expect(analyse(nights.slice(0, 9)).vibe).toEqual({ name: 'Quiet', traits: [] });
  });

  it('leaves bots out', () => {
    expect(analyse([commit({}), commit({ is_bot: true, author: 'dependabot[bot]' })])).toMatchObject({
      ...{ commits: 1, botCommits: 1 },
      people: { authors: 1 },
    });
  });
});

describe('the style of any commits', () => {
  it('adds up, and its shares are shares', () => {
    fc.assert(
      fc.property(anyCommits, (commits) => {
        const style = analyse(commits);
        expect(style.commits + style.botCommits).toBe(commits.length);
        expect(sum(style.rhythm.byHour)).toBe(style.commits);
        expect(sum(style.rhythm.byWeekday)).toBe(style.commits);
        for (const each of sharesIn(style)) if (each !== null) expect(each >= 0 && each <= 1).toBe(true);
        if (style.size.commits > 0) expect(sum(Object.values(style.kinds.shares))).toBeCloseTo(1, 2);
        expect(style.streaks.longestStreakDays).toBeLessThanOrEqual(style.streaks.activeDays);
        expect(style.people.busFactor).toBeLessThanOrEqual(Math.ceil(style.people.authors / 2));
      }),
    );
  });

  it('does not depend on their order', () => {
    fc.assert(
      fc.property(
        anyCommits.chain((commits) => fc.tuple(fc.constant(commits), shuffled(commits))),
        ([a, b]) => {
          expect(analyse(b)).toEqual(analyse(a));
        },
      ),
    );
  });

  it('has the same shares and the same bus factor of all commits twice', () => {
    fc.assert(
      fc.property(anyCommits, (commits) => {
        const [once, twice] = [analyse(commits), analyse([...commits, ...commits])];
        expect(sharesIn(twice)).toEqual(sharesIn(once));
        expect(twice.people.busFactor).toBe(once.people.busFactor);
        expect(twice.streaks).toEqual(once.streaks);
      }),
    );
  });

  it('moves by an hour with the clocks', () => {
    fc.assert(
      fc.property(anyCommits, (commits) => {
        const utc = commits.map((each) => ({ ...each, utc_offset_minutes: 0 }));
        const ahead = commits.map((each) => ({ ...each, utc_offset_minutes: 60 }));
        const { byHour } = analyse(utc).rhythm;
        expect(analyse(ahead).rhythm.byHour).toEqual([...byHour.slice(-1), ...byHour.slice(0, -1)]);
      }),
    );
  });
});

function shuffled(commits: readonly AnalysedCommit[]): fc.Arbitrary<AnalysedCommit[]> {
  return fc.shuffledSubarray([...commits], { minLength: commits.length, maxLength: commits.length });
}
