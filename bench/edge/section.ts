import { alternate } from '../alternate.ts';
import { type Comparison, figure } from '../comparison.ts';
import { openPool } from '../contenders/pool.ts';
import { atMost, type Goal, type Section } from '../section.ts';
import { startEdgeHost } from './host.ts';
import { coldStart, cpuOfJob, edgeMetrics, edgeRound, peakMemory } from './round.ts';
import { uploadedKilobytes } from './sources.ts';

const entryFile = 'supabase/functions/process-job/index.ts';
const name = 'process-job';

/** What a job costs in real Deno, over supabase-js, with the entry point that is deployed. */
export const edgeSection: Section = {
  name: 'edge',
  fairness: [
    "Deno's own process stands for an isolate: its memory holds the runtime, which on the platform many isolates share, and its cold start holds the start of a process.",
    'Deno has compiled the sources before, as the platform has when it starts a bundle that was deployed.',
    "The gateway is the local stack's, in the process of the benchmark, which shares the machine's cores with Deno and Postgres. CPU time is that of the Deno process alone; times by the clock are not.",
    'No peer runs on an edge function: there is nobody to compare with.',
  ],
  async run(bench) {
    const size = { jobs: bench.quick ? 2_000 : 10_000 };
    const rounds = bench.quick ? 1 : 7;
    const pool = openPool(bench.databaseUrl, 2);
    const host = await startEdgeHost({ databaseUrl: bench.databaseUrl, entryFile });
    try {
      bench.progress('warm-up');
      await edgeRound(host, pool, 1_000);
      const sourcesKb = await uploadedKilobytes(entryFile);
      const comparison: Comparison = {
        id: 'edge',
        title: 'An isolate of process-job',
        metrics: edgeMetrics,
        base: name,
        rounds: await alternate(bench, rounds, new Map([[name, host]]), () =>
          edgeRound(host, pool, size.jobs),
        ),
      };
      return {
        goals: goals(comparison, size.jobs),
        rounds,
        size: { ...size, sourcesKb: Math.round(sourcesKb) },
        comparisons: [comparison],
      };
    } finally {
      await host.close();
      await pool.end();
    }
  },
};

function goals(comparison: Comparison, jobs: number): Goal[] {
  const median = (metric: string): number => figure(comparison, name, metric)?.median ?? NaN;
  return [
    atMost({ id: '8', what: `${cpuOfJob} on the edge`, unit: 'ms', value: median(cpuOfJob), goal: 1 }),
    atMost({ id: '8 (cold start)', what: coldStart, unit: 'ms', value: median(coldStart), goal: 200 }),
    atMost({
      id: '8 (memory)',
      what: `${peakMemory} while ${jobs.toLocaleString('en')} jobs are drained`,
      unit: 'MB',
      value: median(peakMemory),
      goal: 128,
    }),
  ];
}
