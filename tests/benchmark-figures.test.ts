import { describe, expect, test } from 'vitest';
import { type Comparison, comparisonTable, figure, ratio } from '../bench/comparison.ts';
import { percentile, spread } from '../bench/measure.ts';
import { atLeast, atMost } from '../bench/section.ts';

const comparison: Comparison = {
  id: 'drain',
  title: 'Drain',
  metrics: [{ name: 'drain', unit: 'jobs/s', better: 'more', digits: 0 }],
  base: 'ours',
  rounds: {
    ours: [{ drain: 200 }, { drain: 20 }, { drain: 300 }],
    theirs: [{ drain: 100 }, { drain: 10 }, { drain: 100 }],
    unmeasured: [{}, {}, {}],
  },
};

describe('the middle of several rounds', () => {
  test('is the middle one, or lies between the two in the middle', () => {
    expect(spread([9, 1, 4])).toEqual({ median: 4, least: 1, most: 9 });
    expect(spread([9, 1, 4, 6])).toEqual({ median: 5, least: 1, most: 9 });
  });

  test('a percentile is a value that was measured', () => {
    expect(percentile([5, 1, 2, 3, 4], 0.5)).toBe(3);
    expect(percentile([5, 1, 2, 3, 4], 0.95)).toBe(5);
  });

  test('needs a round', () => {
    expect(() => spread([])).toThrow('expected at least one value');
  });
});

describe('a comparison', () => {
  test('divides round by round, so that a slow round of both changes nothing', () => {
    expect(ratio(comparison, 'drain', 'ours', 'theirs')).toEqual({ median: 2, least: 2, most: 3 });
  });

  test('says so when a contender was not measured, and does not make up a ratio', () => {
    expect(figure(comparison, 'unmeasured', 'drain')).toBeUndefined();
    expect(() => ratio(comparison, 'drain', 'ours', 'unmeasured')).toThrow(
      'no drain of both ours and unmeasured',
    );
    expect(comparisonTable(comparison)).toContain('–');
  });
});

describe('a goal', () => {
  const goal = { id: '1', what: 'drain', unit: '×', goal: 2 };

  test('is met at its bound, and missed beyond it', () => {
    expect(atLeast({ ...goal, value: 2 })).toMatchObject({ bound: 'at least', met: true });
    expect(atLeast({ ...goal, value: 1.99 })).toMatchObject({ met: false });
    expect(atMost({ ...goal, value: 2 })).toMatchObject({ bound: 'at most', met: true });
    expect(atMost({ ...goal, value: 2.01 })).toMatchObject({ met: false });
  });

  test('that was not measured is missed', () => {
    expect(atLeast({ ...goal, value: NaN }).met).toBe(false);
    expect(atMost({ ...goal, value: NaN }).met).toBe(false);
  });
});
