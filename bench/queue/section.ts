import { type Comparison, comparisonTable, ratio, type Round } from '../comparison.ts';
import { enter, type Entrant } from '../contenders/arena.ts';
import { contenders, graphileWorker, hybridJobs, hybridJobsCalls } from '../contenders/contenders.ts';
import { atLeast, atMost, type Bench, type Goal, type Section } from '../section.ts';
import { drain, drainByFour, queueMetrics, queueRound, type QueueSize, single, wal } from './round.ts';

/** Enqueue and drain, by one worker and by four, beside the peers. */
export const queueSection: Section = {
  name: 'queue',
  async run(bench) {
    const size: QueueSize = bench.quick
      ? { bulk: 10_000, single: 1_000, warmUp: 2_000 }
      : { bulk: 40_000, single: 4_000, warmUp: 10_000 };
    const rounds = bench.quick ? 2 : 7;
    const comparison = await measure(bench, rounds, size);
    const settings = Object.fromEntries(contenders.map(({ name, settings }) => [name, settings]));
    return {
      tables: [comparisonTable(comparison)],
      goals: goals(comparison),
      record: { rounds, size, settings, comparisons: [comparison] },
    };
  },
};

async function measure(bench: Bench, rounds: number, size: QueueSize): Promise<Comparison> {
  const entrants: Entrant[] = [];
  for (const contender of contenders) entrants.push(await enter(contender, bench.databaseUrl));
  const results = new Map<string, Round[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    // Whoever comes first finds the machine as the last one left it: they take turns.
    for (const entrant of round % 2 === 0 ? entrants : entrants.toReversed()) {
      bench.progress(`round ${round} of ${rounds}, ${entrant.contender.name}`);
      const onlyDrain = entrant.contender === hybridJobsCalls;
      results.get(entrant.contender.name)?.push(await queueRound(entrant, size, { onlyDrain }));
    }
  }
  for (const entrant of entrants) await entrant.close();
  return {
    id: 'queue',
    title: 'Enqueue and drain',
    metrics: queueMetrics,
    base: hybridJobs.name,
    rounds: Object.fromEntries(results),
  };
}

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
