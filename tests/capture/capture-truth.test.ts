import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGitHub } from '../../src/github/create-github.ts';
import type { GitHub } from '../../src/github/github.ts';
import { catalog } from '../../src/jobs/catalog.ts';
import type { Repository } from '../../src/local/github/data/repository.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../src/local/github/stand-in.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../support/database.ts';
import { runJob } from '../support/job-context.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { captureCases, labelOf, notCaptures, type CaptureCase } from './capture-cases.ts';
import {
  editSomething,
  generatedWorld,
  makeGaps,
  recipeOf,
  type GeneratedWorld,
} from './generated-repository.ts';
import { byGitHubId, capturedTables, clear, snapshot, storedRows, syncTime } from './stored-rows.ts';
import type { Row, StoredRows } from './stored-rows.ts';
import { noRows, type Truth } from './truth.ts';
import { unrulyFetch } from './unruly-fetch.ts';
import { WrittenColumns } from './written-columns.ts';
import { propertySeed } from '../support/property-seed.ts';

/** `CAPTURE_RUNS=200 PROPERTY_SEED=$RANDOM` tries other repositories, so many for each job. */
const parameters = { seed: propertySeed, numRuns: Number(process.env.CAPTURE_RUNS ?? 6) };

/** What copies from GitHub, by the first part of its type. */
const captures = /^(capture|discover|classify|sync|update)\//;

/** What every run of the suite tries first. */
const usual = { seed: 1, issues: 3, discussions: 2, nullRate: 0.3, repeats: true, edits: 0 };
const examples: [GeneratedWorld][] = [
  [{ ...usual, pullRequests: 0, issues: 0, discussions: 0 }],
  [{ ...usual, pullRequests: 1, issues: 1, nullRate: 1 }],
  [{ ...usual, pullRequests: 100, issues: 101 }],
  [{ ...usual, pullRequests: 101, issues: 100, discussions: 60, edits: 3 }],
];

it('every job that captures has a case', () => {
  const covered = new Set([...captureCases.map(({ type }) => type), ...Object.keys(notCaptures)]);
  const types = catalog.map(({ type }) => type).filter((type) => captures.test(type));
  expect(types.filter((type) => !covered.has(type))).toEqual([]);
});

describe.each(captureCases.map((capture) => ({ capture, label: labelOf(capture) })))(
  '$label',
  ({ capture }) => {
    it('stores what GitHub has, whatever GitHub has; run again, it changes nothing but times', async () => {
      const database = await createTestDatabase();
      const written = new WrittenColumns();
      const property = fc.asyncProperty(generatedWorld, (world) => check(capture, world, database, written));
      await fc.assert(property, { ...parameters, examples });
      await expectSoundQueue(database.pool);
      await database.close();
    }, 300_000);
  },
);

/** One generated repository through one job. */
async function check(
  capture: CaptureCase,
  world: GeneratedWorld,
  database: TestDatabase,
  written: WrittenColumns,
): Promise<void> {
  await clear(database);
  const standIn = await startGitHubStandIn({ repositories: [recipeOf(world)] });
  try {
    const repository = standIn.data.repository('octo-org/generated');
    if (!repository) throw new Error('the stand-in has lost the repository');
    makeGaps(repository, world);
    await capture.prepare?.(database, standIn.data);
    const truth = (): Truth => {
      if (capture.payloads(repository).length === 0) return noRows;
      const rows = capture.truth(repository, standIn.data);
      return capture.api === 'graphql' && isUnpushed(world) ? withoutPushes(rows) : rows;
    };
    const truths = [truth()];
    const edits = capture.payloads(repository).length === 0 ? 0 : world.edits;
    const before = (n: number): void => {
      if (n === 0 || n > edits) return;
      editSomething(repository, n);
      truths.push(truth());
    };
    const watched = { ...database, ...written.watch(database) };
    await run(capture, repository, watched, gitHub(standIn, world, before), {});
    expectColumns(written, truths);
    const isLast = (table: keyof Truth): boolean => !capture.onlyAdds?.includes(table);
    const settled = capture.settles === 'end' ? isLast : () => false;
    expectRows(await storedRows(database), truths, settled);
    const calm = gitHub(standIn, world, () => undefined);
    if (truths.length > 1) await run(capture, repository, database, calm, { force: true });
    expectRows(await storedRows(database), truths, isLast);
    const stored = await snapshot(database);
    await run(capture, repository, database, calm, { force: true });
    expect(await snapshot(database)).toEqual(stored);
  } finally {
    await standIn.close();
  }
}

const isUnpushed = ({ nullRate }: GeneratedWorld): boolean => nullRate === 1;

function withoutPushes(truth: Truth): Truth {
  const hidden = { default_branch: null, pushed_at: null };
  return {
    ...truth,
    repositories: truth.repositories.map((row) => ('default_branch' in row ? { ...row, ...hidden } : row)),
  };
}

function gitHub(standIn: GitHubStandIn, world: GeneratedWorld, before: (n: number) => void): GitHub {
  return createGitHub({
    token: 'test-token',
    tokenName: 'GITHUB_TOKEN',
    baseUrl: standIn.url,
    log: silentLogger,
    fetch: unrulyFetch({
      before,
      repeats: world.repeats,
      nulls: world.nullRate > 0,
      isUnpushed: isUnpushed(world),
    }),
  });
}

async function run(
  capture: CaptureCase,
  repository: Repository,
  database: Pick<TestDatabase, 'rpc'>,
  github: GitHub,
  more: Record<string, unknown>,
): Promise<void> {
  for (const payload of capture.payloads(repository)) {
    const job = await runJob(database, github, capture.type, { ...payload, ...more });
    expect(job).toMatchObject({ status: 'completed', error: null });
  }
}

/** The comparison leaves out no column that the job writes. */
function expectColumns({ byTable }: WrittenColumns, [truth]: readonly Truth[]): void {
  for (const table of capturedTables) {
    const [row] = truth?.[table] ?? [];
    const columns = [...(byTable.get(table) ?? [])].filter((column) => !syncTime.test(column));
    if (row) expect(Object.keys(row)).toEqual(expect.arrayContaining(columns));
  }
}

/**
 * Each row equals what it was at some time, the last one in settled tables; what was there all the time is stored, and
 * nothing else is.
 */
function expectRows(
  stored: StoredRows,
  truths: readonly Truth[],
  isSettled: (table: keyof Truth) => boolean,
): void {
  for (const table of capturedTables) {
    const rows = stored[table] ?? [];
    const chosen = isSettled(table) ? (truths.at(-1)?.[table] ?? []) : choose(rows, table, truths);
    expect(rows, table).toMatchObject(chosen);
  }
}

/** For each row the state that it is in, else the last one, and all that the first truth had. */
function choose(rows: readonly Row[], table: keyof Truth, truths: readonly Truth[]): Row[] {
  const chosen = new Map<string, Row>();
  const key = (row: Row): string => `${row.github_id} ${row.comment_type}`;
  for (const row of truths[0]?.[table] ?? []) chosen.set(key(row), row);
  for (const row of rows) {
    const states = truths.flatMap((truth) => truth[table].filter((state) => key(state) === key(row)));
    const same = states.find((state) =>
      Object.entries(state).every(([column, value]) => row[column] === value),
    );
    const state = same ?? states.at(-1);
    if (state) chosen.set(key(row), state);
  }
  return [...chosen.values()].sort(byGitHubId);
}
