import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { manyRetries, type Producer, type StormPayload, stormSeed, weather } from './storm.ts';

let database: TestDatabase;

beforeAll(async () => (database = await createTestDatabase()));
afterAll(async () => await database.close());

interface FamilyJob {
  id: string;
  payload: StormPayload;
  parents: string[];
  policy: 'cancel' | 'run' | 'fail';
}

/** Every job that was enqueued, with what it waits for. */
const known = new Map<string, FamilyJob>();
const familySize = 12;

/** Families of jobs that depend on up to three earlier ones of the call, now and then on one of an earlier family. */
const produce: Producer = async (random) => {
  const mine: string[] = [];
  for (let family = 0; family < 90; family += 1) {
    const members = Array.from({ length: familySize }, (_, position) => ({
      payload: {
        ...(random.chance(0.08) && { fate: 'fail' as const }),
        ...(random.chance(0.2) && {
          followUps: [
            { ...manyRetries, type: 'storm/first follow-up' },
            { ...manyRetries, type: 'storm/second follow-up', depends_on: [0] },
          ],
        }),
      },
      policy: random.pick(['cancel', 'run', 'fail'] as const),
      parents: [
        ...(position === 0
          ? []
          : Array.from({ length: random.integer(0, 3) }, () => random.integer(0, position - 1))),
        ...(mine.length > 0 && random.chance(0.1) ? [random.pick(mine)] : []),
      ],
    }));
    const jobs = members.map(({ payload, parents, policy }) => ({
      ...manyRetries,
      type: 'storm/member',
      payload,
      depends_on: parents,
      on_parent_failure: policy,
    }));
    const { rows } = await database.pool.query<{ id: string }>(
      'select id from enqueue_background_jobs($1) with ordinality as e(id, status, created, n) order by n',
      [JSON.stringify(jobs)],
    );
    const ids = rows.map(({ id }) => id);
    members.forEach(({ payload, policy, parents }, position) => {
      const id = ids[position] ?? '';
      const idOf = (parent: string | number) => (typeof parent === 'string' ? parent : (ids[parent] ?? ''));
      known.set(id, { id, payload, policy, parents: parents.map(idOf) });
    });
    mine.push(...ids);
  }
};

/** How a job has to end, from its own fate, its policy, and the ends of its parents. */
function expectedEnd({ payload, policy, parents }: FamilyJob): string {
  const ends = parents.map((parent) => endOf(parent));
  if (policy !== 'run' && ends.some((end) => end !== 'completed'))
    return policy === 'fail' ? 'failed' : 'cancelled';
  return payload.fate === 'fail' ? 'failed' : 'completed';
}

const ends = new Map<string, string>();
function endOf(id: string): string {
  const job = known.get(id);
  if (!job) throw new Error(`no job ${id} was enqueued`);
  const end = ends.get(id) ?? expectedEnd(job);
  ends.set(id, end);
  return end;
}

test(`in a storm no child starts before its parents have ended, and all end as their policies say (seed ${stormSeed})`, async () => {
  const report = await weather(database, [produce, produce]);
  expect(report.crashes).toBeGreaterThan(0);
  const { rows: members } = await database.pool.query<{ id: string; status: string }>(
    `select id, status from background_jobs where type = 'storm/member'`,
  );
  expect(members).toHaveLength(known.size);
  expect(members.filter(({ id, status }) => status !== endOf(id))).toEqual([]);
  const { rows: followUps } = await database.pool.query(
    `select type, status, count(*)::integer from background_jobs where type <> 'storm/member' group by 1, 2 order by 1`,
  );
  const parents = [...known.values()].filter(
    ({ id, payload }) => payload.followUps && endOf(id) === 'completed',
  );
  const both = { status: 'completed', count: parents.length };
  expect(followUps).toEqual([
    { type: 'storm/first follow-up', ...both },
    { type: 'storm/second follow-up', ...both },
  ]);
});
