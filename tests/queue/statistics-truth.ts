import type { TestQueue } from './test-queue.ts';

/** The statistics as they have to be, told from nothing but the rows of background_jobs after each step. */

interface SeenRow {
  id: string;
  type: string;
  status: string;
  duration_ms: string | null;
  wait_ms: string | null;
}

interface TypeTruth {
  completed: number;
  failed: number;
  cancelled: number;
  durations: number[];
  waits: number[];
}

export interface StatisticsTruth {
  /** Call it after each step: counts the rows that ended in it. */
  look(): Promise<void>;
  types: Map<string, TypeTruth>;
  /** The rows at the last look. */
  rows: SeenRow[];
}

const ended = ['completed', 'failed', 'cancelled'];

export function statisticsTruth(queue: TestQueue): StatisticsTruth {
  const types = new Map<string, TypeTruth>();
  const truth: StatisticsTruth = {
    types,
    rows: [],
    async look() {
      const before = new Map(truth.rows.map(({ id, status }) => [id, status]));
      truth.rows = await queue.sql<SeenRow>(
        `select id, type, status, duration_ms, case when started_at is not null then
           greatest(0, (date_part('epoch', started_at - greatest(run_at, created_at)) * 1000)::bigint) end as wait_ms
         from background_jobs`,
      );
      for (const row of truth.rows)
        if (ended.includes(row.status) && before.get(row.id) !== row.status) count(row);
    },
  };

  function count(row: SeenRow): void {
    const type = types.get(row.type) ?? { completed: 0, failed: 0, cancelled: 0, durations: [], waits: [] };
    types.set(row.type, type);
    type[row.status as 'completed']++;
    if (row.status === 'completed' && row.duration_ms !== null) type.durations.push(Number(row.duration_ms));
    if (row.wait_ms !== null) type.waits.push(Number(row.wait_ms));
  }

  return truth;
}

/** As percentile_disc: the least value that at least this share of the values does not pass. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}
