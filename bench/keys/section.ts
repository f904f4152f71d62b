import { alternate } from '../alternate.ts';
import { type Comparison, figure, type Metric, type Round } from '../comparison.ts';
import { type Entrant, openArena } from '../contenders/arena.ts';
import { type Payload, payloadOf } from '../contenders/contender.ts';
import { graphileWorker, hybridJobs, pgBossWithGroups } from '../contenders/contenders.ts';
import { bulk, settle } from '../contenders/load.ts';
import { startWorkers } from '../contenders/worker.ts';
import { atLeast, atMost, type Goal, type Section } from '../section.ts';
import { mostOfOneKey } from './most-of-one-key.ts';
import { freeJobsAfter } from './starvation.ts';

const unlimited = 'drain without keys';
const keyed = 'drain, each job with a key';
const share = 'drain with keys / without';
const exceeded = 'most jobs of one key at a time';
const starved = 'until the last free job started';

const metrics: Metric[] = [
  { name: unlimited, unit: 'jobs/s', better: 'more', digits: 0 },
  { name: keyed, unit: 'jobs/s', better: 'more', digits: 0 },
  { name: share, unit: '×', better: 'more', digits: 2 },
  { name: exceeded, unit: 'jobs', better: 'less', digits: 0 },
  { name: starved, unit: 's', better: 'less', digits: 2 },
];

interface KeysSize {
  jobs: number;
  /** Each with the limit 1. */
  keys: number;
  /** Jobs of one key, and free ones enqueued behind them. */
  blocked: number;
  free: number;
  /** Who has not started all of the free jobs by then has starved them. */
  longestSeconds: number;
  warmUp: number;
}

/** Concurrency keys: what they cost, whether the limit holds, and whether jobs without a key get through. */
export const keysSection: Section = {
  name: 'keys',
  fairness: [
    "graphile-worker's named queues run one job after the other and in order; ours and pg-boss's groups are limits without an order. pg-boss checks its groups within the fetch.",
    'That the limit holds is checked for ours only, on the rows themselves.',
  ],
  async run(bench) {
    const size: KeysSize = bench.quick
      ? { jobs: 3_000, keys: 1_000, blocked: 2_000, free: 200, longestSeconds: 4, warmUp: 500 }
      : { jobs: 40_000, keys: 4_000, blocked: 50_000, free: 5_000, longestSeconds: 10, warmUp: 10_000 };
    const rounds = bench.quick ? 1 : 5;
    const arena = await openArena([hybridJobs, graphileWorker, pgBossWithGroups], bench.databaseUrl);
    const comparison: Comparison = {
      id: 'keys',
      title: `${size.keys} keys, limit 1`,
      metrics,
      base: hybridJobs.name,
      rounds: await alternate(bench, rounds, arena.entrants, (entrant) => keysRound(entrant, size)),
    };
    await arena.close();
    return {
      goals: goals(comparison, size),
      rounds,
      size,
      settings: arena.settings,
      comparisons: [comparison],
    };
  },
};

async function keysRound(entrant: Entrant, size: KeysSize): Promise<Round> {
  await entrant.producer.reset();
  await entrant.pool.query('checkpoint');
  const payload = (n: number): Payload => ({ ...payloadOf(n), key: `key ${n % size.keys}` });
  const workers = await startWorkers(entrant.contender, entrant.databaseUrl);
  await bulk(entrant, workers, size.warmUp);
  await bulk(entrant, workers, size.warmUp, { payload });
  const without = await bulk(entrant, workers, size.jobs);
  const withKeys = await bulk(entrant, workers, size.jobs, { payload });
  await workers.stop();
  const round: Round = {
    [unlimited]: (size.jobs / without.drain.ms) * 1000,
    [keyed]: (size.jobs / withKeys.drain.ms) * 1000,
    [share]: without.drain.ms / withKeys.drain.ms,
    [starved]: await freeJobsAfter(entrant, size),
  };
  if (entrant.contender === hybridJobs)
    round[exceeded] = await mostOfOneKey(entrant, { jobs: size.jobs, payload });
  await settle(entrant);
  return round;
}

function goals(comparison: Comparison, { free, blocked }: KeysSize): Goal[] {
  const ours = (metric: string): number => figure(comparison, hybridJobs.name, metric)?.median ?? NaN;
  const most = figure(comparison, hybridJobs.name, exceeded)?.most ?? NaN;
  return [
    atLeast({ id: '6', what: 'drain with keys', unit: '× without', value: ours(share), goal: 0.8 }),
    atMost({ id: '6 (limit)', what: exceeded, unit: 'jobs', value: most, goal: 1 }),
    atMost({
      id: '6 (starvation)',
      what: `${free} free jobs behind ${blocked} of one key: ${starved}`,
      unit: 's',
      value: ours(starved),
      goal: 5,
    }),
  ];
}
