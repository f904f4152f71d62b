import Table from 'cli-table3';
import { showSpread, spread, type Spread } from '../measure.ts';
import { atLeast, atMost, type Goal, type SectionResult } from '../section.ts';
import type { JobRun } from './job-run.ts';
import type { BaselineRun } from './rounds.ts';

export interface CaptureRounds {
  bulk: JobRun[];
  baseline: BaselineRun[];
  enhanced: JobRun[];
}

interface CaptureSize {
  latencyMs: number;
  pullRequests: number;
  enhancedPullRequests: number;
}

/** One line of the comparison; `ratio` is one at a time / bulk, of the rounds of the same number. */
interface Figure {
  metric: string;
  bulk: Spread;
  baseline: Spread;
  ratio: Spread;
}

export function summarise(rounds: CaptureRounds, count: number, size: CaptureSize): SectionResult {
  const comparison = compare(rounds);
  const per100 = (value: number): number => (value / size.enhancedPullRequests) * 100;
  const enhanced = {
    'own time ms per 100 PRs': spread(rounds.enhanced.map(({ ownMs }) => per100(ownMs))),
    'CPU ms per 100 PRs': spread(rounds.enhanced.map(({ cpuMs }) => per100(cpuMs))),
    'waiting for GitHub ms per 100 PRs': spread(rounds.enhanced.map(({ githubMs }) => per100(githubMs))),
    'GitHub requests per 100 PRs': spread(rounds.enhanced.map((run) => per100(run.githubRequests))),
    'database round trips per 100 PRs': spread(rounds.enhanced.map((run) => per100(run.roundTrips.job))),
    'reviews and comments per 100 PRs': spread(rounds.enhanced.map((run) => per100(details(run)))),
  };
  return {
    tables: [comparisonTable(comparison, size), enhancedTable(enhanced)],
    goals: goals(rounds, comparison, enhanced['own time ms per 100 PRs'].median),
    record: { rounds: count, size, figures: { comparison, enhanced }, raw: rounds },
  };
}

const metrics: [metric: string, of: (run: JobRun | BaselineRun) => number][] = [
  ['GitHub requests', (run) => run.githubRequests],
  ['database round trips', (run) => run.roundTrips.job],
  ['time ms', (run) => run.totalMs],
  ["time without GitHub's ms", (run) => run.ownMs],
  ['CPU ms', (run) => run.cpuMs],
];

function compare({ bulk, baseline }: CaptureRounds): Figure[] {
  return metrics.map(([metric, of]) => {
    const [left, right] = [bulk.map(of), baseline.map(of)];
    const ratio = spread(right.map((value, round) => value / (left[round] ?? NaN)));
    return { metric, bulk: spread(left), baseline: spread(right), ratio };
  });
}

function goals({ bulk }: CaptureRounds, comparison: readonly Figure[], enhancedMs: number): Goal[] {
  const of = (metric: string): Figure => {
    const found = comparison.find((figure) => figure.metric === metric);
    if (!found) throw new Error(`no figure for ${metric}`);
    return found;
  };
  const [requests, time] = [of('GitHub requests'), of('time ms')];
  const trips = Math.max(...bulk.map((run) => run.roundTrips.job));
  return [
    atMost({
      id: 'capture-requests',
      what: 'GitHub requests for 100 PRs',
      unit: 'requests',
      value: requests.bulk.most,
      goal: 1,
    }),
    atMost({
      id: 'capture-round-trips',
      what: 'database round trips of the job for 100 PRs, its completion apart',
      unit: 'round trips',
      value: trips,
      goal: 3,
    }),
    atLeast({
      id: 'capture-request-ratio',
      what: 'fewer GitHub requests than one at a time',
      unit: '×',
      value: requests.ratio.median,
      goal: 50,
    }),
    atLeast({
      id: 'capture-speed-ratio',
      what: 'faster than one at a time',
      unit: '×',
      value: time.ratio.median,
      goal: 20,
    }),
    atMost({
      id: 'enhanced-own-time',
      what: "enhanced sync: time without GitHub's, per 100 PRs with reviews and comments",
      unit: 'ms',
      value: enhancedMs,
      goal: 500,
    }),
  ];
}

function comparisonTable(figures: readonly Figure[], { pullRequests, latencyMs }: CaptureSize): string {
  const table = new Table({
    head: [
      `${pullRequests} PRs, GitHub latency ${latencyMs} ms`,
      'GraphQL + bulk upsert',
      'REST one at a time',
      'ratio',
    ],
    style: { head: [], border: [] },
  });
  for (const { metric, bulk, baseline, ratio } of figures) {
    const digits = metric.endsWith('ms') ? 1 : 0;
    table.push([metric, showSpread(bulk, digits), showSpread(baseline, digits), showSpread(ratio, 1)]);
  }
  return table.toString();
}

function details({ result }: JobRun): number {
  const { reviews, comments } = result as { reviews: number; comments: number };
  return reviews + comments;
}

function enhancedTable(figures: Record<string, Spread>): string {
  const table = new Table({
    head: ['enhanced sync', 'median (least to most)'],
    style: { head: [], border: [] },
  });
  for (const [metric, value] of Object.entries(figures)) table.push([metric, showSpread(value, 1)]);
  return table.toString();
}
