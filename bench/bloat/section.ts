import pg from 'pg';
import { alternate } from '../alternate.ts';
import { type Comparison, figure, type Metric, ratio, type Round } from '../comparison.ts';
import { type Entrant, openArena } from '../contenders/arena.ts';
import { payloadOf } from '../contenders/contender.ts';
import { graphileWorker, hybridJobs, pgBoss } from '../contenders/contenders.ts';
import { bulk } from '../contenders/load.ts';
import { idleMs, p50AndP95, pickups } from '../contenders/pickups.ts';
import { startWorkers } from '../contenders/worker.ts';
import { milliseconds } from '../measure.ts';
import { atMost, type Goal, type Section } from '../section.ts';

const claim = ['claim of one job, p50, fresh', 'claim of one job, p50, bloated'] as const;
const pickup = ['pickup by an idle worker, p50, fresh', 'pickup by an idle worker, p50, bloated'] as const;
const drain = ['drain, fresh', 'drain, bloated'] as const;

const metrics: Metric[] = [
  ...claim.map((name): Metric => ({ name, unit: 'ms', better: 'less', digits: 2 })),
  ...pickup.map((name): Metric => ({ name, unit: 'ms', better: 'less', digits: 2 })),
  ...drain.map((name): Metric => ({ name, unit: 'jobs/s', better: 'more', digits: 0 })),
];

interface BloatSize {
  /** Jobs that pass through the queue while the snapshot is held, in portions. */
  jobs: number;
  portion: number;
  claims: number;
  pickups: number;
}

/**
 * A transaction that stays open, such as a backup or somebody's forgotten `begin`, keeps every dead row from being
 * removed: what do claims cost when many jobs have passed through the queue meanwhile?
 */
export const bloatSection: Section = {
  name: 'bloat',
  fairness: [
    'graphile-worker has no public call that claims one job, so that only its pickups and drains are compared.',
    'The claims are made one by one on one connection, which nobody does who is in a hurry: it shows the cost of finding the next job.',
  ],
  async run(bench) {
    const size: BloatSize = bench.quick
      ? { jobs: 4_000, portion: 2_000, claims: 50, pickups: 2 }
      : { jobs: 60_000, portion: 10_000, claims: 200, pickups: 10 };
    const rounds = bench.quick ? 1 : 5;
    const arena = await openArena([hybridJobs, graphileWorker, pgBoss], bench.databaseUrl);
    const comparison: Comparison = {
      id: 'bloat',
      title: `${size.jobs} jobs under a held snapshot`,
      metrics,
      base: hybridJobs.name,
      rounds: await alternate(bench, rounds, arena.entrants, (entrant) => bloatRound(entrant, size)),
    };
    await arena.close();
    return {
      goals: goals(comparison),
      rounds,
      size,
      settings: arena.settings,
      comparisons: [comparison],
    };
  },
};

async function bloatRound(entrant: Entrant, size: BloatSize): Promise<Round> {
  await entrant.producer.reset();
  // Fresh means without dead rows of the round before, in the catalog's statistics too.
  await entrant.pool.query('vacuum analyze');
  const fresh = await look(entrant, size);
  const release = await holdSnapshot(entrant.databaseUrl);
  const workers = await startWorkers(entrant.contender, entrant.databaseUrl);
  for (let done = 0; done < size.jobs; done += size.portion) await bulk(entrant, workers, size.portion);
  await workers.stop();
  const bloated = await look(entrant, size);
  await release();
  return Object.fromEntries(
    [claim, pickup, drain].flatMap((names, what) =>
      [fresh, bloated].flatMap((values, when): [string, number][] => {
        const [name, value] = [names[when], values[what]];
        return name === undefined || value === undefined ? [] : [[name, value]];
      }),
    ),
  );
}

/** Claim, pickup and drain as they are now. */
async function look(entrant: Entrant, size: BloatSize): Promise<(number | undefined)[]> {
  const claimMs = await claimTimes(entrant, size.claims);
  const idle = await startWorkers(entrant.contender, entrant.databaseUrl, { times: true });
  const waits = await pickups(entrant, idle, { count: size.pickups, pauseMs: () => idleMs });
  await idle.stop();
  const drainers = await startWorkers(entrant.contender, entrant.databaseUrl);
  const { drain: cost } = await bulk(entrant, drainers, size.portion);
  await drainers.stop();
  return [claimMs, p50AndP95(waits)[0], (size.portion / cost.ms) * 1000];
}

/** With no worker about: one job after the other is claimed and completed. */
async function claimTimes({ producer }: Entrant, claims: number): Promise<number | undefined> {
  if (!producer.claimOne) return undefined;
  await producer.enqueueMany(Array.from({ length: claims }, (_, n) => payloadOf(n)));
  const times: number[] = [];
  for (let n = 0; n < claims; n += 1) {
    let complete = (): Promise<void> => Promise.resolve();
    times.push(await milliseconds(async () => (complete = (await producer.claimOne?.()) ?? complete)));
    await complete();
  }
  return p50AndP95(times)[0];
}

/** @returns lets it go */
async function holdSnapshot(connectionString: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query('begin isolation level repeatable read');
  await client.query('select 1');
  return () => client.end();
}

function goals(comparison: Comparison): Goal[] {
  const bloated = figure(comparison, hybridJobs.name, claim[1])?.median ?? NaN;
  const { rounds, base } = comparison;
  // Both were measured in the same round.
  const beside: Comparison = {
    ...comparison,
    rounds: {
      fresh: (rounds[base] ?? []).map((round) => ({ claim: round[claim[0]] ?? NaN })),
      bloated: (rounds[base] ?? []).map((round) => ({ claim: round[claim[1]] ?? NaN })),
    },
  };
  return [
    atMost({ id: '5', what: claim[1], unit: 'ms', value: bloated, goal: 2 }),
    atMost({
      id: '5 (ratio)',
      what: claim[1],
      unit: '× its fresh value',
      value: ratio(beside, 'claim', 'bloated', 'fresh').median,
      goal: 1.2,
    }),
  ];
}
