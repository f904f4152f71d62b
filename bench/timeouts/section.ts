import { alternate } from '../alternate.ts';
import { type Comparison, figure, type Metric, type Round } from '../comparison.ts';
import { openPool } from '../contenders/pool.ts';
import { milliseconds, percentile } from '../measure.ts';
import { atMost, type Goal, type Section } from '../section.ts';
import { answerTimes } from './answers.ts';
import { runEverythingInline, type Survival } from './everything-inline.ts';
import { startFunctionHost } from './function-host.ts';
import { startHybrid } from './hybrid.ts';
import {
  edgeWallSeconds,
  millisecondsPerSecond,
  netlifyLimitSeconds,
  type Work,
  workload,
} from './workload.ts';

const hybrid = 'hybrid-jobs';
const inline = 'everything inline';

const lostLong = 'long jobs lost';
const perEventP95 = 'answer to a long event, p95';

const metrics: Metric[] = [
  { name: lostLong, unit: '%', better: 'less', digits: 1 },
  { name: 'jobs lost, of all', unit: '%', better: 'less', digits: 1 },
  { name: 'jobs finished', unit: 'jobs', better: 'more', digits: 0 },
  { name: 'attempts killed', unit: 'attempts', better: 'less', digits: 0 },
  { name: 'time until nothing is left to do', unit: 's', better: 'less', digits: 1 },
  { name: 'answer to a long event, p50', unit: 'ms', better: 'less', digits: 1 },
  { name: perEventP95, unit: 'ms', better: 'less', digits: 1 },
];

/** Requests that Inngest sends side by side. */
const sideBySide = 24;
/** Processes of a function's host, each with one request at a time. */
const processes = { inline: 24, hybrid: 4 };

type Measure = (works: readonly Work[]) => Promise<Round>;

/** The headline: jobs of all lengths on a host with a time limit, all inline, and with us. */
export const timeoutsSection: Section = {
  name: 'timeouts',
  fairness: [
    `Time is scaled down: ${millisecondsPerSecond} ms stand for a second of real life, the ${netlifyLimitSeconds} s of a synchronous Netlify function as well as the ${edgeWallSeconds} s of an edge function on the free plan. Starts of processes and calls of the database are not scaled: they weigh ${1000 / millisecondsPerSecond} times as much as in life, on both sides.`,
    'Half of the jobs are long, and 60 % of these take longer than the limit: that share is what the application lost whose jobs these are. It is an assumption of the workload, not a finding.',
    'A job waits; it computes nothing. It saves a step for each 5 s of real life, as a job does that reads pages. A job whose single steps are longer than an edge function lives is not helped by us either.',
    'Inline, a killed job is sent again three times, at once. Each attempt begins at the beginning: the work is one request, as it was written before there was a queue.',
    'Hosts are processes of this machine that are ended by SIGKILL: on one side 24 of a bare Node server, on the other 4 of the endpoint, and Deno for the edge.',
  ],
  async run(bench) {
    const size = bench.quick ? { jobs: 20, events: 30 } : { jobs: 100, events: 300 };
    const rounds = bench.quick ? 1 : 5;
    const pool = openPool(bench.databaseUrl, 4);
    const limitMs = netlifyLimitSeconds * millisecondsPerSecond;
    const netlify = await startFunctionHost({
      file: './inline-process.ts',
      processes: processes.inline,
      limitMs,
    });
    const ours = await startHybrid(bench.databaseUrl, pool, processes.hybrid);
    const entrants = new Map<string, Measure>([
      [
        hybrid,
        async (works) => ({
          ...(await survived(works, () => ours.run(works, sideBySide))),
          ...(await answers(bench.databaseUrl, size.events)),
        }),
      ],
      [inline, async (works) => await survived(works, () => runEverythingInline(netlify, works, sideBySide))],
    ]);
    try {
      let measured = 0;
      const comparison: Comparison = {
        id: 'timeouts',
        title: 'Jobs of all lengths under a time limit',
        metrics,
        base: hybrid,
        rounds: await alternate(bench, rounds, entrants, (measure) => {
          // A round's jobs are the same for both.
          const works = workload(size.jobs, 1 + Math.floor(measured / entrants.size));
          measured += 1;
          return measure(works);
        }),
      };
      return { goals: goals(comparison), rounds, size, comparisons: [comparison] };
    } finally {
      await ours.close();
      await netlify.close();
      await pool.end();
    }
  },
};

async function survived(works: readonly Work[], run: () => Promise<Survival>): Promise<Round> {
  let survival: Survival = { finished: 0, killed: 0 };
  const ms = await milliseconds(async () => {
    survival = await run();
  });
  const lost = works.length - survival.finished;
  return {
    [lostLong]: (100 * lost) / works.filter(({ kind }) => kind === 'long').length,
    'jobs lost, of all': (100 * lost) / works.length,
    'jobs finished': survival.finished,
    'attempts killed': survival.killed,
    'time until nothing is left to do': ms / 1000,
  };
}

async function answers(databaseUrl: string, events: number): Promise<Round> {
  const times = await answerTimes(databaseUrl, events);
  return {
    'answer to a long event, p50': percentile(times, 0.5),
    [perEventP95]: percentile(times, 0.95),
  };
}

function goals(comparison: Comparison): Goal[] {
  const most = (metric: string): number => figure(comparison, hybrid, metric)?.most ?? NaN;
  const median = (metric: string): number => figure(comparison, hybrid, metric)?.median ?? NaN;
  const before = figure(comparison, inline, lostLong)?.median ?? NaN;
  return [
    atMost({
      id: '9',
      what: `${lostLong}, in the worst round (everything inline: ${before.toFixed(0)} %)`,
      unit: '%',
      value: most(lostLong),
      goal: 0,
    }),
    atMost({ id: '9 (answer)', what: perEventP95, unit: 'ms', value: median(perEventP95), goal: 50 }),
  ];
}
