import type { CommitKinds } from './kinds.ts';
import type { People } from './people.ts';
import type { Rhythm } from './rhythm.ts';
import type { CommitSize } from './size.ts';
import type { Streaks } from './streaks.ts';

/** The style of work in a few words. */
export interface Vibe {
  /** Of the strongest trait; `Quiet` when there is none. */
  name: string;
  /** The strongest first. */
  traits: { name: string; strength: number; because: string }[];
}

export interface VibeInput {
  rhythm: Rhythm;
  streaks: Streaks;
  size: CommitSize;
  kinds: CommitKinds;
  people: People;
}

interface Trait {
  name: string;
  because: string;
  value: number;
  /** From where the trait counts, and where it is as strong as can be. */
  from: number;
  full: number;
}

/** With fewer commits a share says little. */
const fewestCommits = 10;

/**
 * Each trait is a measure, and its strength how far that is on the way from an ordinary value to an extreme one, from 0 to
 * 1. The ordinary shares of nights (8 of 24 hours) and weekends (2 of 7 days) are those of work without any rhythm; the other
 * bounds are ours, chosen so that an even mix has no trait. A profile to smile at, not a measure of anybody's worth.
 */
export function vibeOf(input: VibeInput): Vibe {
  const { commits } = input.size;
  const traits = commits < fewestCommits ? [] : measure(input);
  const strong = traits
    .map(({ name, because, value, from, full }) => ({
      name,
      strength: Math.round(Math.min(1, Math.max(0, (value - from) / (full - from))) * 100) / 100,
      because,
    }))
    .filter(({ strength }) => strength > 0)
    .sort((a, b) => b.strength - a.strength);
  return { name: strong[0]?.name ?? 'Quiet', traits: strong };
}

function measure({ rhythm, streaks, size, kinds, people }: VibeInput): Trait[] {
  const total = rhythm.byHour.reduce((sum, count) => sum + count, 0);
  const early = rhythm.byHour.slice(5, 9).reduce((sum, count) => sum + count, 0) / Math.max(1, total);
  const percent = (value: number): string => `${Math.round(value * 100)} %`;
  const { feature, fix, refactor, docs, test } = kinds.shares;
  const lines = size.medianLines ?? 0;
  const tidy = refactor + docs + test;
  return [
    trait(
      'Night owl',
      rhythm.nightShare,
      1 / 3,
      2 / 3,
      `${percent(rhythm.nightShare)} of the commits at night`,
    ),
    trait('Early bird', early, 1 / 6, 1 / 2, `${percent(early)} of the commits from 5 to 9`),
    trait(
      'Weekend warrior',
      rhythm.weekendShare,
      2 / 7,
      2 / 3,
      `${percent(rhythm.weekendShare)} on weekends`,
    ),
    trait('Firefighter', fix, 0.3, 0.7, `${percent(fix)} fixes`),
    trait('Builder', feature, 0.4, 0.8, `${percent(feature)} features`),
    trait('Gardener', tidy, 0.35, 0.75, `${percent(tidy)} refactoring, documentation and tests`),
    trait('Marathon runner', streaks.longestStreakDays, 7, 30, `${streaks.longestStreakDays} days in a row`),
    trait(
      'Sculptor',
      size.deletedShare,
      0.5,
      0.75,
      `${percent(size.deletedShare)} of the changed lines deleted`,
    ),
    trait('Big mover', lines, 200, 1_000, `${lines} lines in the median commit`),
    trait(
      'Lone wolf',
      people.top[0]?.share ?? 0,
      0.75,
      1,
      `${percent(people.top[0]?.share ?? 0)} by one person`,
    ),
    trait('Orchestra', people.busFactor, 3, 10, `${people.busFactor} people made half of the commits`),
  ];
}

function trait(name: string, value: number, from: number, full: number, because: string): Trait {
  return { name, value, from, full, because };
}
