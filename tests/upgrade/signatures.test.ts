import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate } from '../../src/local/migrate.ts';
import { createEmptyDatabase, type TestDatabase } from '../support/database.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { migrateUpTo } from './release-database.ts';
import { releases } from './releases.ts';
import { readOffers, type Offers, takenBack } from './offers.ts';

/**
 * Functions that a release offered and today's schema does not, or not in that way, with the reason why nobody misses
 * them. Processes of the release before go on while a new one is being deployed: what they call must stay for one more.
 */
const accepted: Record<string, string> = {};

let database: TestDatabase;
let today: Offers;
const offered = new Map<string, Offers>();

beforeAll(async () => {
  database = await createEmptyDatabase();
  for (const { version } of releases) {
    await migrateUpTo(database.url, version);
    offered.set(version, await readOffers(database.pool));
  }
  await migrate(database.url, silentLogger);
  today = await readOffers(database.pool);
});
afterAll(async () => await database.close());

describe('what a process of an earlier release calls', () => {
  test.each(releases)('as of $version is still there, with its arguments and columns', ({ version }) => {
    const before = offered.get(version)!;
    expect(before.size).toBeGreaterThan(20);
    expect(takenBack(before, today).filter(({ name }) => !(name in accepted))).toEqual([]);
  });

  test('would be missed if it went, asked for more or answered less', () => {
    const claim = today.get('claim_background_jobs')!;
    const without = { ...claim.returns };
    delete without['lease_token'];
    const changes = [
      [{ required: [...claim.required, 'host'] }, 'needs the argument host'],
      [{ arguments: { ...claim.arguments, lane: 'uuid' } }, 'has no argument lane'],
      [{ returns: without }, 'no longer answers lease_token'],
    ] as const;
    const before = new Map([['claim', claim]]);
    expect(takenBack(before, new Map())).toEqual([{ name: 'claim', problem: 'is gone' }]);
    for (const [change, problem] of changes) {
      const after = new Map([['claim', { ...claim, ...change }]]);
      expect(takenBack(before, after)).toEqual([{ name: 'claim', problem }]);
    }
  });
});
