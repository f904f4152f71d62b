import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { propertySeed } from '../support/property-seed.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { addRepository, storeAccount, storePull, storeWorkspace } from './stored-pulls.ts';
import { type Account, dayOf, daysBefore, type Numbers, type Pull, truthOf } from './workspace-truth.ts';

/** Random captures and random changes of two workspaces, each followed by an incremental update. */

let database: TestDatabase;
let client: pg.PoolClient;

beforeAll(async () => {
  database = await createTestDatabase();
  client = await database.pool.connect();
});

afterAll(async () => {
  client.release();
  await database.close();
});

const repositories = [0, 1, 2, 3];
const hoursAgo = fc.integer({ min: 0, max: 200 * 24 });
const account = fc.constantFrom(0, 1, 2, 3, 4);
const pull = fc.nat({ max: 5 });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('open'), repository: fc.nat({ max: 3 }), account, hoursAgo }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('merge', 'close'), pull, hoursAgo }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('review', 'comment'), pull, account, hoursAgo }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('compare') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('add', 'remove'),
      workspace: fc.nat({ max: 1 }),
      repository: fc.nat({ max: 3 }),
    }),
  },
);

interface Step {
  kind: string;
  repository?: number;
  workspace?: number;
  pull?: number;
  account?: number;
  hoursAgo?: number;
}

interface World {
  now: Date;
  repositories: string[];
  /** One is a bot, and the last one was deleted. */
  accounts: (Account | null)[];
  workspaces: { id: string; members: Set<number> }[];
  pulls: Pull[];
}

async function emptyWorld(): Promise<World> {
  const { rows } = await client.query<{ now: Date }>('select now()');
  const world: World = {
    now: rows[0]?.now ?? new Date(),
    repositories: [],
    accounts: [],
    workspaces: [],
    pulls: [],
  };
  for (const n of repositories) {
    const stored = await client.query<{ id: string }>(
      `insert into repositories (github_id, owner, name) values ($1, 'octo', $2) returning id`,
      [n, `repository-${n}`],
    );
    world.repositories.push(stored.rows[0]?.id ?? '');
    world.accounts.push(await storeAccount(client, n, n === 3));
  }
  world.accounts.push(null);
  for (const slug of ['one', 'two'])
    world.workspaces.push({ id: await storeWorkspace(client, slug), members: new Set() });
  return world;
}

async function take(world: World, { kind, ...what }: Step): Promise<void> {
  if (kind === 'compare') return await expectTruth(world);
  if (kind === 'add' || kind === 'remove') return await changeMembers(world, kind, what);
  const at = new Date(world.now.getTime() - (what.hoursAgo ?? 0) * 3_600_000);
  const by = world.accounts[what.account ?? 0] ?? null;
  if (kind === 'open')
    world.pulls.push({
      ...{ repository: what.repository ?? 0, author: by, createdAt: at },
      ...{ mergedAt: null, closedAt: null, reviews: [], comments: [] },
    });
  const index = kind === 'open' ? world.pulls.length - 1 : (what.pull ?? 0);
  const touched = world.pulls[index];
  if (!touched) return;
  if ((kind === 'merge' || kind === 'close') && touched.closedAt === null) {
    touched.closedAt = new Date(Math.max(at.getTime(), touched.createdAt.getTime()));
    if (kind === 'merge') touched.mergedAt = touched.closedAt;
  }
  if (kind === 'review') touched.reviews.push({ by, at });
  if (kind === 'comment') touched.comments.push({ by, at });
  await storePull(client, touched, index + 1, world.repositories[touched.repository] ?? '');
}

async function changeMembers(world: World, kind: 'add' | 'remove', what: Omit<Step, 'kind'>): Promise<void> {
  const workspace = world.workspaces[what.workspace ?? 0];
  const repository = world.repositories[what.repository ?? 0] ?? '';
  if (!workspace) return;
  if (kind === 'add') {
    workspace.members.add(what.repository ?? 0);
    await addRepository(client, workspace.id, repository);
  } else {
    workspace.members.delete(what.repository ?? 0);
    await client.query('delete from workspace_repositories where workspace_id = $1 and repository_id = $2', [
      workspace.id,
      repository,
    ]);
  }
  await client.query('select update_workspace_repository($1, $2)', [
    workspace.id,
    JSON.stringify({ id: repository }),
  ]);
}

async function storedMetrics(workspace: string): Promise<{ windows: Numbers[]; days: Numbers[] }> {
  const read = async (table: string, order: string): Promise<Numbers[]> => {
    const { rows } = await client.query<{ row: Numbers }>(
      `select to_jsonb(m) - 'computed_at' as row from ${table} m where workspace_id = $1 order by ${order}`,
      [workspace],
    );
    return rows.map(({ row }) => row);
  };
  return {
    windows: await read('workspace_metrics', 'window_days'),
    days: await read('workspace_daily_metrics', 'day desc'),
  };
}

/** A full recompute finds what the incremental update has left. */
async function expectNothingToChange({ workspaces }: World): Promise<void> {
  for (const { id } of workspaces) {
    const incremental = await storedMetrics(id);
    await client.query('select aggregate_workspace_metrics($1, true)', [id]);
    expect(await storedMetrics(id)).toEqual(incremental);
  }
}

/** The metrics after an incremental update are what the definitions say. */
async function expectTruth({ now, pulls, workspaces }: World): Promise<void> {
  for (const { id, members } of workspaces) {
    await client.query('select aggregate_workspace_metrics($1, false)', [id]);
    const incremental = await storedMetrics(id);
    const mine = pulls.filter(({ repository }) => members.has(repository));
    const today = dayOf(now);
    for (const [index, width] of [7, 30, 90].entries()) {
      const before = daysBefore(today, width);
      expect(incremental.windows[index]).toMatchObject({
        ...truthOf(mine, daysBefore(today, width - 1), today),
        previous: truthOf(mine, daysBefore(before, width - 1), before),
      });
    }
    expect(incremental.days).toMatchObject(
      Array.from({ length: 90 }, (_, age) => daysBefore(today, age)).map((day) => ({
        day,
        ...truthOf(mine, day, day),
      })),
    );
  }
}

test('updated step by step, the metrics are those of a full recompute, and those of the definitions', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), async (steps) => {
      // One transaction: its clock stands still, and afterwards everything is as before.
      await client.query('begin');
      try {
        const world = await emptyWorld();
        for (const each of steps) await take(world, each);
        await expectTruth(world);
        await expectNothingToChange(world);
      } finally {
        await client.query('rollback');
      }
    }),
    { seed: propertySeed, numRuns: Number(process.env.MODEL_RUNS ?? 40) },
  );
}, 300_000);
