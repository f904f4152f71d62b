import { alternate } from '../alternate.ts';
import { type Comparison, type Metric, ratio, type Round } from '../comparison.ts';
import { type Entrant, openArena } from '../contenders/arena.ts';
import { graphileWorker, hybridJobs, pgBoss } from '../contenders/contenders.ts';
import { idleMs, p50AndP95, pickups } from '../contenders/pickups.ts';
import { startWorkers } from '../contenders/worker.ts';
import { atMost, type Goal, type Section } from '../section.ts';

const idle = ['pickup by an idle worker, p50', 'pickup by an idle worker, p95'] as const;
const sparse = [
  'pickup, 20 to 300 ms after the last, p50',
  'pickup, 20 to 300 ms after the last, p95',
] as const;
const metrics = [...idle, ...sparse].map((name): Metric => ({ name, unit: 'ms', better: 'less', digits: 2 }));

interface LatencySize {
  idle: number;
  sparse: number;
}

/** From enqueue to the start of the handler. The same worker as in the section `queue`. */
export const latencySection: Section = {
  name: 'latency',
  fairness: [
    'The worker is set up for throughput, as in the section `queue`. Each contender may have settings that start a single job sooner.',
    'Jobs that come shortly after the last one are measured apart: a worker of ours that is busy asks to be notified only after 50 ms without a job, and finds what came before by looking.',
  ],
  async run(bench) {
    const size: LatencySize = bench.quick ? { idle: 3, sparse: 3 } : { idle: 30, sparse: 30 };
    const rounds = bench.quick ? 1 : 5;
    const arena = await openArena([hybridJobs, graphileWorker, pgBoss], bench.databaseUrl);
    const comparison: Comparison = {
      id: 'latency',
      title: 'Pickup',
      metrics,
      base: hybridJobs.name,
      rounds: await alternate(bench, rounds, arena.entrants, (entrant) => latencyRound(entrant, size)),
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

async function latencyRound(entrant: Entrant, size: LatencySize): Promise<Round> {
  await entrant.producer.reset();
  const workers = await startWorkers(entrant.contender, entrant.databaseUrl, { times: true });
  const afterIdle = await pickups(entrant, workers, { count: size.idle, pauseMs: () => idleMs });
  const pauseMs = evenlySpread(20, 300);
  const afterPause = await pickups(entrant, workers, { count: size.sparse, pauseMs });
  await workers.stop();
  const values = [...p50AndP95(afterIdle), ...p50AndP95(afterPause)];
  return Object.fromEntries(metrics.map(({ name }, index) => [name, values[index] ?? NaN]));
}

/** Numbers between both, the same in every run: multiples of the golden ratio fill a range without a pattern. */
function evenlySpread(least: number, most: number): () => number {
  let index = 0;
  return () => least + (((index += 1) * 0.618_033_988_75) % 1) * (most - least);
}

function goals(comparison: Comparison): Goal[] {
  return idle.map((what, index) =>
    atMost({
      id: index === 0 ? '3' : '3 (p95)',
      what,
      unit: "× graphile-worker's",
      value: ratio(comparison, what, hybridJobs.name, graphileWorker.name).median,
      goal: 0.6,
    }),
  );
}
