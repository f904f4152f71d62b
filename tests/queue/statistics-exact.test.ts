import { expect, it } from 'vitest';
import { percentile, type StatisticsTruth, statisticsTruth } from './statistics-truth.ts';
import { type Claimed, lease, useQueue } from './test-queue.ts';

const queue = useQueue();
const steps = 120;

/** A small generator of its own, so that a failing seed can be run again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

type Step = (die: (below: number) => number, truth: StatisticsTruth) => Promise<unknown>;

const running: Claimed[] = [];

async function anyRow(truth: StatisticsTruth, die: (below: number) => number, set: string): Promise<void> {
  const row = truth.rows[die(Math.max(1, truth.rows.length))];
  if (row) await queue.sql(`update background_jobs set ${set} where id = $1`, [row.id]);
}

function takeRunning(die: (below: number) => number): Claimed[] {
  return running.splice(0, 1 + die(4));
}

const possible: Step[] = [
  (die) =>
    queue.enqueue(
      ...Array.from({ length: 1 + die(6) }, () => ({ type: `type ${die(3)}`, max_retries: die(2) })),
    ),
  async (die) => {
    const claimed = await queue.claim({ maxJobs: 1 + die(6) });
    running.push(...claimed);
    // They seem to have started a while ago.
    for (const { id } of claimed)
      await queue.sql(
        'update background_jobs set started_at = started_at - make_interval(secs => $2) where id = $1',
        [id, die(100) ** 3 / 1000],
      );
  },
  (die) => queue.complete(...takeRunning(die).map((job) => lease(job))),
  (die) => queue.complete(...takeRunning(die).map((job) => lease(job))),
  async (die) => {
    for (const job of takeRunning(die)) await queue.fail(job, { retryable: die(2) === 0, retryAfter: 0 });
  },
  (die, truth) => anyRow(truth, die, `status = 'failed'`),
  (die, truth) => anyRow(truth, die, `status = 'completed'`),
  (die, truth) => anyRow(truth, die, `status = 'cancelled'`),
  (die, truth) => anyRow(truth, die, `status = 'queued', run_at = now()`),
  (die, truth) => anyRow(truth, die, `priority = priority + 1`),
  (die, truth) =>
    queue.sql('select cancel_background_job($1)', [truth.rows[die(truth.rows.length + 1)]?.id ?? null]),
  () => queue.sql('select retry_failed_job(id, true) from dead_letter_jobs limit 2'),
  () => queue.sql('select redrive_dead_letter_jobs(max_jobs => 2)'),
  () => queue.sql('select discard_dead_letter_jobs(max_jobs => 1)'),
  () =>
    queue.sql(`insert into background_jobs (type, status) values ('type 1', 'failed'), ('type 2', 'queued')`),
  // What pruning does.
  () =>
    queue.sql(`delete from background_jobs where id in (
      select id from background_jobs where status in ('completed', 'failed', 'cancelled') limit 3)`),
  () => queue.sql('delete from background_jobs where id in (select id from background_jobs limit 1)'),
  () => queue.sql('select sweep_background_jobs()'),
  () => queue.sql('select job_queue.fold_ends(now())'),
  // Hours and days are over ahead of time, so that later ends come late.
  (die) => queue.sql('select job_queue.fold_ends(now() + make_interval(hours => $1))', [die(30)]),
];

function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Within 5 % of the real percentile; null only where there is none. */
function expectClose(told: string | null, real: number | null): void {
  if (real === null || told === null) expect(told).toBe(real);
  else expect(Math.abs(Number(told) - real)).toBeLessThanOrEqual(Math.max(0.5, real * 0.05));
}

async function expectTruth(truth: StatisticsTruth): Promise<void> {
  const told = await queue.sql<Record<string, string | null>>('select * from job_statistics');
  const live = (type: string, status: string) =>
    String(truth.rows.filter((row) => row.type === type && row.status === status).length);
  const types = new Set([
    ...truth.types.keys(),
    ...truth.rows.filter(({ status }) => ['queued', 'processing'].includes(status)).map(({ type }) => type),
  ]);
  expect(told.map(({ type }) => type).sort()).toEqual([...types].sort());
  for (const row of told) {
    const type = String(row.type);
    const real = truth.types.get(type) ?? { completed: 0, failed: 0, cancelled: 0, durations: [], waits: [] };
    expect(row).toMatchObject({
      queued: live(type, 'queued'),
      processing: live(type, 'processing'),
      completed: String(real.completed),
      failed: String(real.failed),
      cancelled: String(real.cancelled),
    });
    for (const [measure, values] of [
      ['duration', real.durations],
      ['wait', real.waits],
    ] as const) {
      const average = mean(values);
      const toldAverage = row[`avg_${measure}_ms`] ?? null;
      expect(toldAverage === null ? null : Math.abs(Number(toldAverage) - (average ?? NaN)) <= 0.5).toBe(
        average === null ? null : true,
      );
      expect(row[`min_${measure}_ms`]).toBe(values.length === 0 ? null : String(Math.min(...values)));
      expect(row[`max_${measure}_ms`]).toBe(values.length === 0 ? null : String(Math.max(...values)));
      expectClose(row[`p50_${measure}_ms`] ?? null, percentile(values, 0.5));
      expectClose(row[`p95_${measure}_ms`] ?? null, percentile(values, 0.95));
    }
  }
  expect(
    await queue.value(`select value from get_job_statistics_summary() where metric = 'Dead letter'`),
  ).toBe(String(truth.rows.filter(({ status }) => status === 'failed').length));
}

it.each([1, 2, 3])('count what happened to every job, whatever happened (seed %i)', async (seed) => {
  const die = random(seed * 7_919);
  const truth = statisticsTruth(queue);
  running.length = 0;
  for (let step = 0; step < steps; step++) {
    await possible[die(possible.length)]?.(die, truth);
    await truth.look();
    if (step % 8 === 0) await expectTruth(truth);
  }
  await expectTruth(truth);
});

it('add up over many jobs with many durations', async () => {
  const truth = statisticsTruth(queue);
  const die = random(11);
  await queue.enqueue(...Array.from({ length: 600 }, () => ({ type: 'many' })));
  const claimed = await queue.claim({ maxJobs: 600 });
  await queue.sql(
    `update background_jobs j set started_at = j.started_at - make_interval(secs => i.seconds)
     from unnest($1::uuid[], $2::float8[]) as i(id, seconds) where j.id = i.id`,
    [claimed.map(({ id }) => id), claimed.map(() => die(1_000) ** 2 / 1_000)],
  );
  while (claimed.length > 0) {
    await queue.complete(...claimed.splice(0, 200).map((job) => lease(job)));
    await queue.sql('select job_queue.fold_ends(now())');
  }
  await truth.look();
  await expectTruth(truth);
});
