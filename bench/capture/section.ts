import type { Bench, Section } from '../section.ts';
import { openPlace, type Place } from './place.ts';
import { type CaptureRounds, compareWithBaseline, describeEnhanced, goals } from './report.ts';
import { baselineRound, bulkRound, enhancedRound, hundred, large, owner } from './rounds.ts';

/** GitHub's answer to a small request takes about this long from a data centre, in milliseconds. */
const latencyMs = 50;

/**
 * 100 pull requests in bulk against one at a time, and the enhanced sync of a repository with reviews and comments,
 * each GitHub request with the same simulated latency.
 */
export const captureSection: Section = {
  name: 'capture',
  fairness: [
    'The baseline is our own code: one REST request and one statement for each pull request, as the application did it that this project grew out of. A client that sends several requests side by side would be faster than it, and would spend the quota sooner.',
    "GitHub is a stand-in on this machine that waits 50 ms for each request; its own CPU time is in nobody's figures.",
  ],
  async run(bench) {
    const size = { latencyMs, pullRequests: 100, enhancedPullRequests: bench.quick ? 100 : 500 };
    const rounds = bench.quick ? 1 : 7;
    const place = await openPlace(bench.databaseUrl, {
      latencyMs,
      repositories: [
        { owner, name: hundred, pullRequests: size.pullRequests },
        { owner, name: large, pullRequests: size.enhancedPullRequests },
      ],
    });
    try {
      const runs = await measure(bench, place, rounds, size.enhancedPullRequests);
      const comparison = compareWithBaseline(runs);
      const enhanced = describeEnhanced(runs, size.enhancedPullRequests);
      const comparisons = [comparison, enhanced];
      return { rounds, size, comparisons, goals: goals(runs, comparison, enhanced) };
    } finally {
      await place.close();
    }
  },
};

async function measure(
  bench: Bench,
  place: Place,
  rounds: number,
  pullRequests: number,
): Promise<CaptureRounds> {
  const results: CaptureRounds = { bulk: [], baseline: [], enhanced: [] };
  const variants = {
    bulk: async () => results.bulk.push(await bulkRound(place)),
    baseline: async () => results.baseline.push(await baselineRound(place)),
    enhanced: async () => results.enhanced.push(await enhancedRound(place, pullRequests)),
  };
  const names = ['bulk', 'baseline', 'enhanced'] as const;
  bench.progress('warm-up');
  for (const name of names) await variants[name]();
  for (const name of names) results[name].length = 0;
  for (let round = 1; round <= rounds; round += 1)
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      bench.progress(`round ${round} of ${rounds}, ${name}`, (round - 1) / rounds);
      await variants[name]();
    }
  bench.progress('done', 1);
  return results;
}
