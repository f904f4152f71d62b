import Table from 'cli-table3';
import pg from 'pg';
import { showSpread, spread } from '../measure.ts';
import type { Bench, Section, SectionResult } from '../section.ts';
import { queueMetrics, queueRound, type QueueRound, type QueueSize } from './round.ts';

const variants = ['triggers on', 'triggers off'] as const;

type Rounds = Record<(typeof variants)[number], QueueRound[]>;

/** Enqueue, drain and pickup, with the hand-edit triggers on and off. `--quick` takes about a minute. */
export const queueSection: Section = {
  name: 'queue',
  async run(bench) {
    const size: QueueSize = bench.quick
      ? { bulk: 10_000, single: 1_000, pickups: 50 }
      : { bulk: 40_000, single: 4_000, pickups: 200 };
    const rounds = bench.quick ? 3 : 7;
    return summarise(await measure(bench, rounds, size), rounds, size);
  },
};

async function measure(bench: Bench, rounds: number, size: QueueSize): Promise<Rounds> {
  const pool = new pg.Pool({ connectionString: bench.databaseUrl, max: 20 });
  const results: Rounds = { 'triggers on': [], 'triggers off': [] };
  bench.progress('warm-up');
  await queueRound(pool, { bulk: 5_000, single: 500, pickups: 20 });
  for (let round = 1; round <= rounds; round += 1) {
    for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
      bench.progress(`round ${round} of ${rounds}, ${variant}`);
      await pool.query(
        `alter table background_jobs ${variant === 'triggers on' ? 'enable' : 'disable'} trigger user`,
      );
      results[variant].push(await queueRound(pool, size));
    }
  }
  bench.progress('done');
  await pool.end();
  return results;
}

function summarise(results: Rounds, rounds: number, size: QueueSize): SectionResult {
  const { 'triggers on': on, 'triggers off': off } = results;
  const figures = queueMetrics.map((metric) => ({
    metric,
    on: spread(on.map((round) => round[metric])),
    off: spread(off.map((round) => round[metric])),
    ratio: spread(on.map((round, index) => round[metric] / (off[index]?.[metric] ?? NaN))),
  }));
  const table = new Table({
    head: ['metric (median, least to most)', 'hand-edit triggers on', 'off', 'on / off'],
    style: { head: [], border: [] },
  });
  for (const { metric, on, off, ratio } of figures) {
    const digits = metric.endsWith('ms') ? 2 : 0;
    table.push([metric, showSpread(on, digits), showSpread(off, digits), showSpread(ratio, 2)]);
  }
  return { tables: [table.toString()], goals: [], record: { rounds, size, figures, raw: results } };
}
