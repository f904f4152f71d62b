import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { describeFailure } from './report.ts';
import { targets } from './targets.ts';
import { propertySeed } from '../support/property-seed.ts';

/** Of a run; `npm run fuzz` takes 100,000. */
const cases = 2_000;
/** A slow machine tries fewer. */
const longestMs = 6_000;

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => await database.close());

test.each(targets)('strangers can say what they like to $name', async (chosen) => {
  const { name, weight } = chosen;
  const target = await chosen.open(database.url);
  try {
    const numRuns = Math.round((cases * weight) / 10);
    const details = await fc.check(target.property, {
      seed: propertySeed,
      numRuns,
      interruptAfterTimeLimit: longestMs,
    });
    expect(describeFailure(name, details)).toBeNull();
    expect(details.numRuns).toBeGreaterThan(0);
  } finally {
    await target.close();
  }
});
