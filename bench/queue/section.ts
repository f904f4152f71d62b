import { alternate } from '../alternate.ts';
import { type Comparison, comparisonTable, ratio } from '../comparison.ts';
import { openArena } from '../contenders/arena.ts';
import { contenders, graphileWorker, hybridJobs, hybridJobsCalls } from '../contenders/contenders.ts';
import { atLeast, atMost, type Goal, type Section } from '../section.ts';
import { drain, drainByFour, queueMetrics, queueRound, type QueueSize, single, wal } from './round.ts';

/** Enqueue and drain, by one worker and by four, beside the peers. */
export const queueSection: Section = {
  name: 'queue',
  async run(bench) {
    const size: QueueSize = bench.quick
      ? { bulk: 10_000, single: 1_000, warmUp: 2_000 }
      : { bulk: 40_000, single: 4_000, warmUp: 10_000 };
    const rounds = bench.quick ? 2 : 7;
    const arena = await openArena(contenders, bench.databaseUrl);
    const comparison: Comparison = {
      id: 'queue',
      title: 'Enqueue and drain',
      metrics: queueMetrics,
      base: hybridJobs.name,
      rounds: await alternate(bench, rounds, arena.entrants, (entrant) =>
        queueRound(entrant, size, { onlyDrain: entrant.contender === hybridJobsCalls }),
      ),
    };
    await arena.close();
    return {
      tables: [comparisonTable(comparison)],
      goals: goals(comparison),
      record: { rounds, size, settings: arena.settings, comparisons: [comparison] },
    };
  },
};

function goals(comparison: Comparison): Goal[] {
  const toGraphile = (metric: string, of = hybridJobs.name): number =>
    ratio(comparison, metric, of, graphileWorker.name).median;
  const times = { unit: "× graphile-worker's" };
  return [
    atLeast({ id: '1', what: 'drain, history kept', ...times, value: toGraphile(drain), goal: 2 }),
    atLeast({
      id: '1 (claim and complete only)',
      what: 'the same without the worker around the calls',
      ...times,
      value: toGraphile(drain, hybridJobsCalls.name),
      goal: 2,
    }),
    atLeast({
      id: '1 (4 workers)',
      what: 'drain by 4 workers',
      ...times,
      value: toGraphile(drainByFour),
      goal: 1.5,
    }),
    atLeast({ id: '2', what: single, ...times, value: toGraphile(single), goal: 5 }),
    atMost({ id: '4', what: wal, ...times, value: toGraphile(wal), goal: 1 }),
  ];
}
