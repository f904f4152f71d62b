import { type Comparison, figure, type Metric, ratio, type Round } from '../comparison.ts';
import { atLeast, atMost, type Goal } from '../section.ts';
import type { JobRun } from './job-run.ts';
import type { BaselineRun } from './rounds.ts';

export interface CaptureRounds {
  bulk: JobRun[];
  baseline: BaselineRun[];
  enhanced: JobRun[];
}

const bulk = 'GraphQL + bulk upsert';
const baseline = 'REST one at a time';
const enhanced = 'enhanced sync';

const requests = 'GitHub requests';
const time = 'time';
const ownTime = "time without GitHub's";

const metrics: Metric[] = [
  { name: requests, unit: 'requests', better: 'less', digits: 0 },
  { name: 'database round trips', unit: 'round trips', better: 'less', digits: 0 },
  { name: time, unit: 'ms', better: 'less', digits: 1 },
  { name: ownTime, unit: 'ms', better: 'less', digits: 1 },
  { name: 'CPU', unit: 'ms', better: 'less', digits: 1 },
];

function figuresOf(run: JobRun | BaselineRun): Round {
  const values = [run.githubRequests, run.roundTrips.job, run.totalMs, run.ownMs, run.cpuMs];
  return Object.fromEntries(metrics.map(({ name }, index) => [name, values[index] ?? NaN]));
}

/** 100 pull requests in bulk beside one at a time. */
export function compareWithBaseline(rounds: CaptureRounds): Comparison {
  return {
    id: 'capture',
    title: '100 pull requests',
    metrics,
    base: bulk,
    rounds: { [bulk]: rounds.bulk.map(figuresOf), [baseline]: rounds.baseline.map(figuresOf) },
  };
}

const details: Metric = { name: 'reviews and comments', unit: 'rows', better: 'more', digits: 0 };

/** The enhanced sync, per 100 pull requests with their reviews and comments. Nothing stands beside it. */
export function describeEnhanced({ enhanced: runs }: CaptureRounds, pullRequests: number): Comparison {
  const per100 = (round: Round): Round =>
    Object.fromEntries(
      Object.entries(round).map(([name, value]): [string, number] => [name, (value / pullRequests) * 100]),
    );
  return {
    id: 'capture-enhanced',
    title: 'Enhanced sync, per 100 pull requests',
    metrics: [...metrics, details],
    base: enhanced,
    rounds: {
      [enhanced]: runs.map((run) => per100({ ...figuresOf(run), [details.name]: detailsOf(run) })),
    },
  };
}

export function goals({ bulk: runs }: CaptureRounds, besideBaseline: Comparison, alone: Comparison): Goal[] {
  const times = (metric: string): number => ratio(besideBaseline, metric, baseline, bulk).median;
  return [
    atMost({
      id: 'capture-requests',
      what: 'GitHub requests for 100 PRs',
      unit: 'requests',
      value: figure(besideBaseline, bulk, requests)?.most ?? NaN,
      goal: 1,
    }),
    atMost({
      id: 'capture-round-trips',
      what: 'database round trips of the job for 100 PRs, its completion apart',
      unit: 'round trips',
      value: Math.max(...runs.map((run) => run.roundTrips.job)),
      goal: 3,
    }),
    atLeast({
      id: 'capture-request-ratio',
      what: 'fewer GitHub requests than one at a time',
      unit: '×',
      value: times(requests),
      goal: 50,
    }),
    atLeast({
      id: 'capture-speed-ratio',
      what: 'faster than one at a time',
      unit: '×',
      value: times(time),
      goal: 20,
    }),
    atMost({
      id: 'enhanced-own-time',
      what: "enhanced sync: time without GitHub's, per 100 PRs with reviews and comments",
      unit: 'ms',
      value: figure(alone, enhanced, ownTime)?.median ?? NaN,
      goal: 500,
    }),
  ];
}

function detailsOf({ result }: JobRun): number {
  const { reviews, comments } = result as { reviews: number; comments: number };
  return reviews + comments;
}
