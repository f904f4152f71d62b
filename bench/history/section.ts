import type pg from 'pg';
import { alternate } from '../alternate.ts';
import { type Comparison, figure, type Metric, ratio, type Round } from '../comparison.ts';
import { type Entrant, settingsOf } from '../contenders/arena.ts';
import { graphileWorker, hybridJobs, pgBoss } from '../contenders/contenders.ts';
import { bulk, settle } from '../contenders/load.ts';
import { idleMs, p50AndP95, pickups } from '../contenders/pickups.ts';
import { startWorkers } from '../contenders/worker.ts';
import { milliseconds } from '../measure.ts';
import { atLeast, atMost, type Goal, type Section } from '../section.ts';
import { count, enterAll, nameOf } from './entrants.ts';

const drain = 'drain of the backlog';
const pickup = 'pickup by an idle worker, p50';
const summary = 'get_job_statistics_summary() with the backlog waiting';
const depth = 'queue_depth with the backlog waiting';

const metrics: Metric[] = [
  { name: drain, unit: 'jobs/s', better: 'more', digits: 0 },
  { name: pickup, unit: 'ms', better: 'less', digits: 2 },
  { name: summary, unit: 'ms', better: 'less', digits: 1 },
  { name: depth, unit: 'ms', better: 'less', digits: 1 },
];

interface HistorySize {
  backlog: number;
  pickups: number;
  warmUp: number;
  /** Numbers of finished jobs, ascending. */
  finished: readonly number[];
}

/** What finished jobs cost: a backlog is drained, and statistics are read, beside none, a million and ten million. */
export const historySection: Section = {
  name: 'history',
  fairness: [
    'graphile-worker keeps no finished jobs, so that it is measured with an empty history only. pg-boss keeps them in one table with those that wait, and deletes them after a week by default.',
    'The finished jobs were made by INSERTs of 100,000 rows and one VACUUM: a table that has grown for months is less tidy.',
    'Each contender is vacuumed after its drain, before the next one is measured. While autovacuum passes over ten million rows, which took 4 seconds and happens once in half a million jobs, a pickup takes up to twice as long.',
    'The statistics are ours alone; the peers have no such functions to be compared with.',
  ],
  async run(bench) {
    const size: HistorySize = bench.quick
      ? { backlog: 5_000, pickups: 2, warmUp: 1_000, finished: [50_000] }
      : { backlog: 100_000, pickups: 30, warmUp: 10_000, finished: [1_000_000, 10_000_000] };
    const rounds = bench.quick ? 1 : 5;
    const entrants = await enterAll(bench, size);
    const comparison: Comparison = {
      id: 'history',
      title: `A backlog of ${count(size.backlog)} jobs`,
      metrics,
      base: nameOf(hybridJobs, size.finished[0]),
      rounds: await alternate(bench, rounds, entrants, (entrant, name) => historyRound(entrant, name, size)),
    };
    for (const entrant of entrants.values()) await entrant.close();
    return {
      goals: goals(comparison, size),
      rounds,
      size,
      settings: settingsOf([hybridJobs, graphileWorker, pgBoss]),
      comparisons: [comparison],
    };
  },
};

/** Where there is a history, the round's own jobs join it: it ends a few hundred thousand longer. */
async function historyRound(entrant: Entrant, name: string, size: HistorySize): Promise<Round> {
  if (name === entrant.contender.name) await entrant.producer.reset();
  await entrant.pool.query('checkpoint');
  const workers = await startWorkers(entrant.contender, entrant.databaseUrl, { times: true });
  const waits = await pickups(entrant, workers, { count: size.pickups, pauseMs: () => idleMs });
  await workers.stop();
  const drainers = await startWorkers(entrant.contender, entrant.databaseUrl);
  await bulk(entrant, drainers, size.warmUp);
  const round: Round = { [pickup]: p50AndP95(waits)[0] };
  const { drain: cost } = await bulk(entrant, drainers, size.backlog, {
    async whenFull(pool) {
      if (entrant.contender !== hybridJobs) return;
      round[summary] = await typicalMs(pool, 'select * from get_job_statistics_summary()');
      round[depth] = await typicalMs(pool, 'select * from queue_depth');
    },
  });
  await drainers.stop();
  await settle(entrant);
  return { ...round, [drain]: (size.backlog / cost.ms) * 1000 };
}

/** The median of five, after one that finds the caches cold. */
async function typicalMs(pool: pg.Pool, query: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 6; n += 1) times.push(await milliseconds(() => pool.query(query)));
  return p50AndP95(times.slice(1))[0];
}

function goals(comparison: Comparison, { finished, backlog }: HistorySize): Goal[] {
  const none = nameOf(hybridJobs, 0);
  const first = nameOf(hybridJobs, finished[0]);
  const withHistory = finished.flatMap((rows): Goal[] => {
    const name = nameOf(hybridJobs, rows);
    const state = `with ${count(rows)} finished jobs`;
    const asWithout = { unit: '× as without any', goal: 0.95 };
    return [
      atLeast({
        id: `7 (${count(rows)}, drain)`,
        what: `drain ${state}`,
        ...asWithout,
        value: ratio(comparison, drain, name, none).median,
      }),
      atLeast({
        id: `7 (${count(rows)}, pickup)`,
        what: `speed of the pickup ${state}`,
        ...asWithout,
        value: ratio(comparison, pickup, none, name).median,
      }),
      ...[summary, depth].map((metric, index) =>
        atMost({
          id: `7 (${count(rows)}, ${index === 0 ? 'statistics' : 'depth'})`,
          what: `${metric}, ${state}`,
          unit: 'ms',
          value: figure(comparison, name, metric)?.median ?? NaN,
          goal: 50,
        }),
      ),
    ];
  });
  return [
    atLeast({
      id: '1 (history)',
      what: `drain of ${count(backlog)} jobs with ${count(finished[0] ?? 0)} finished ones kept`,
      unit: "× graphile-worker's, which keeps none",
      value: ratio(comparison, drain, first, nameOf(graphileWorker, 0)).median,
      goal: 1.8,
    }),
    ...withHistory,
  ];
}
