import pg from 'pg';
import { type Comparison, figure } from '../comparison.ts';
import { milliseconds } from '../measure.ts';
import { atMost, type Bench, type Goal, type Section } from '../section.ts';
import { fillWorkspace, type WorkspaceSize } from './filled-workspace.ts';

const variants = ['full recompute', 'nothing changed', 'repository added', 'repository left'] as const;

type Rounds = Record<(typeof variants)[number], number[]>;

/** The metrics of a workspace with 1,000,000 pull requests: from the captured rows, and after a repository came or left. */
export const workspacesSection: Section = {
  name: 'workspaces',
  fairness: [
    'Nothing stands beside it: there is no other program that computes the same metrics from the same rows.',
    'The rows are generated, evenly spread over repositories, days and people; life is less even. All of them fit into memory.',
  ],
  async run(bench) {
    const size: WorkspaceSize = {
      ...{ repositories: 100, pullRequests: bench.quick ? 20_000 : 1_000_000, days: 3 * 365 },
      ...{ reviewsPerPullRequest: 2, commentsPerPullRequest: 2, contributors: 1_000 },
    };
    const rounds = bench.quick ? 2 : 5;
    const pool = new pg.Pool({ connectionString: bench.databaseUrl, max: 2 });
    try {
      const raw = await measure(bench, pool, size, rounds);
      const scans = await sequentialScans(pool);
      const comparison = describe(raw, size);
      return {
        rounds,
        size: { ...size, scans },
        comparisons: [comparison],
        goals: goalsOf(comparison, scans),
      };
    } finally {
      await pool.end();
    }
  },
};

async function measure(bench: Bench, pool: pg.Pool, size: WorkspaceSize, rounds: number): Promise<Rounds> {
  const { workspace, spare } = await fillWorkspace(bench.databaseUrl, size, (what, done) =>
    bench.progress(what, done),
  );
  const results: Rounds = {
    ...{ 'full recompute': [], 'nothing changed': [] },
    ...{ 'repository added': [], 'repository left': [] },
  };
  const aggregate = (full: boolean) =>
    pool.query('select aggregate_workspace_metrics($1, $2)', [workspace, full]);
  const change = async (statement: string) => {
    await pool.query(statement, [workspace, spare]);
    return await milliseconds(() =>
      pool.query(`select update_workspace_repository($1, jsonb_build_object('id', $2::uuid))`, [
        workspace,
        spare,
      ]),
    );
  };
  const round = async (): Promise<void> => {
    results['full recompute'].push(await milliseconds(() => aggregate(true)));
    results['nothing changed'].push(await milliseconds(() => aggregate(false)));
    results['repository added'].push(
      await change('insert into workspace_repositories (workspace_id, repository_id) values ($1, $2)'),
    );
    results['repository left'].push(
      await change('delete from workspace_repositories where workspace_id = $1 and repository_id = $2'),
    );
    // So that it is read again in the next round.
    await pool.query('update repository_metrics set from_day = null where repository_id = $1', [spare]);
  };
  bench.progress('warm-up');
  await pool.query('select aggregate_workspace_metrics($1, true)', [workspace]);
  await pool.query(`select pg_stat_reset()`);
  for (let n = 1; n <= rounds; n += 1) {
    bench.progress(`round ${n} of ${rounds}`, (n - 1) / rounds);
    await round();
  }
  bench.progress('done', 1);
  return results;
}

/** Of the large tables, in all rounds together. */
async function sequentialScans(pool: pg.Pool): Promise<number> {
  await pool.query('select pg_stat_force_next_flush()');
  const { rows } = await pool.query<{ scans: number }>(
    `select sum(seq_scan)::integer as scans from pg_stat_user_tables
     where relname in ('pull_requests', 'reviews', 'comments')`,
  );
  return rows[0]?.scans ?? NaN;
}

const ours = 'hybrid-jobs';

function describe(raw: Rounds, size: WorkspaceSize): Comparison {
  return {
    id: 'workspaces',
    title: `${size.pullRequests} pull requests in ${size.repositories} repositories`,
    metrics: variants.map((name) => ({ name, unit: 'ms', better: 'less', digits: 0 })),
    base: ours,
    rounds: {
      [ours]: raw['full recompute'].map((_, round) =>
        Object.fromEntries(variants.map((name) => [name, raw[name][round] ?? NaN])),
      ),
    },
  };
}

function goalsOf(comparison: Comparison, scans: number): Goal[] {
  const seconds = (variant: (typeof variants)[number]): number =>
    (figure(comparison, ours, variant)?.median ?? NaN) / 1000;
  return [
    atMost({
      id: 'workspace-full',
      what: 'metrics of a workspace from its captured rows',
      unit: 's',
      value: seconds('full recompute'),
      goal: 8,
    }),
    atMost({
      id: 'workspace-repository-added',
      what: 'metrics after a repository was added',
      unit: 's',
      value: seconds('repository added'),
      goal: 2,
    }),
    atMost({
      id: 'workspace-sequential-scans',
      what: 'sequential scans of pull requests, reviews and comments',
      unit: 'scans',
      value: scans,
      goal: 0,
    }),
  ];
}
