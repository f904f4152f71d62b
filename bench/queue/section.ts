import { alternate } from '../alternate.ts';
import { type Comparison, ratio } from '../comparison.ts';
import { openArena } from '../contenders/arena.ts';
import { graphileWorker, hybridJobs, hybridJobsCalls, pgBoss } from '../contenders/contenders.ts';
import { atLeast, atMost, type Goal, type Section } from '../section.ts';
import {
  drain,
  drainByFour,
  queueMetrics,
  queueRound,
  type QueueSize,
  single,
  singleApart,
  wal,
} from './round.ts';

/** Enqueue and drain, by one worker and by four, beside the peers. */
export const queueSection: Section = {
  name: 'queue',
  fairness: [
    'graphile-worker deletes a job when it is done: it writes less and keeps nothing to be asked about. pg-boss keeps it, as we do.',
    'Every contender has what its own documentation calls fastest, found by trying on a machine like this one; another machine may want other settings. `hybrid-jobs` is the whole product: payload validation, heartbeats, a time limit and an abort signal for each job. `claim and complete only` leaves these out, as graphile-worker and pg-boss do in part: it shows what the queue itself costs.',
    "All jobs of a drain become visible at one moment to a worker that waits for them, so that nobody's start-up is measured. In life they trickle in.",
    'The 16 clients are loops of one process. Our client lets them share calls, which the clients of the peers do not; `a call for each job` has ours without that, as it is for clients in 16 processes.',
    'Handlers do nothing. A job that does something hides all of these differences.',
  ],
  async run(bench) {
    const size: QueueSize = bench.quick
      ? { bulk: 5_000, single: 400, warmUp: 500 }
      : { bulk: 40_000, single: 4_000, warmUp: 10_000 };
    const rounds = bench.quick ? 1 : 5;
    const arena = await openArena([hybridJobs, hybridJobsCalls, graphileWorker, pgBoss], bench.databaseUrl);
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
      goals: goals(comparison),
      rounds,
      size,
      settings: arena.settings,
      comparisons: [comparison],
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
    atLeast({
      id: '2 (a call for each)',
      what: 'single enqueue by 16 clients, none of which shares a call',
      ...times,
      value: toGraphile(singleApart),
      goal: 5,
    }),
    atMost({ id: '4', what: wal, ...times, value: toGraphile(wal), goal: 1 }),
  ];
}
