import { beforeEach, expect, it } from 'vitest';
import { useOperatorDesk } from './operator-desk.ts';

const desk = useOperatorDesk();

interface Overview {
  totals: Record<string, number | null>;
  lanes: Record<string, unknown>[];
  types: Record<string, unknown>[];
  workers: Record<string, unknown>[];
}
interface Bucket {
  starts_at: string;
  completed: number;
  failed: number;
  cancelled: number;
}

beforeEach(async () => {
  await desk.sql('delete from background_jobs');
  await desk.sql('delete from job_types; delete from background_job_workers');
});

/** One job of each fate. */
async function live(): Promise<void> {
  await desk.sql(`select sync_job_types('[{"type":"sync","title":"Sync a repository"},{"type":"idle"}]')`);
  const [failed, done, running, cancelled] = await desk.enqueue(
    { type: 'sync' },
    { type: 'sync' },
    { type: 'report', lane: 'worker' },
    { type: 'sync' },
    { type: 'sync' },
    { type: 'sync', run_at: '2100-01-01Z' },
  );
  await desk.bury(failed ?? '');
  const claim = `select lease_token from claim_background_job($1, 'w', 60)`;
  const [held] = await desk.sql<{ lease_token: string }>(claim, [done]);
  const results = JSON.stringify([{ job_id: done, lease_token: held?.lease_token, result: 1 }]);
  await desk.sql('select complete_background_jobs($1)', [results]);
  await desk.sql(claim, [running]);
  await desk.sql('select cancel_background_job($1)', [cancelled]);
}

it('of a quiet queue is zeros and nothing, not an error', async () => {
  const overview = await desk.ask<Overview>('operator_overview');
  expect(overview.totals).toMatchObject({ queued: 0, due: 0, processing: 0, dead_letter: 0, per_minute: 0 });
  expect(overview.totals).toMatchObject({
    success_rate: null,
    p95_duration_ms: null,
    oldest_queued_seconds: null,
  });
  expect(overview.lanes.map(({ lane, queued }) => [lane, queued])).toEqual([
    ['inline', 0],
    ['edge', 0],
    ['worker', 0],
  ]);
  expect(overview.types).toEqual([]);
});

it('counts what waits, runs and ended, in total, by lane and by type', async () => {
  await live();
  await desk.sql(`select report_worker('w-1', '["worker"]', true)`);
  const { totals, lanes, types, workers } = await desk.ask<Overview>('operator_overview');
  expect(totals).toMatchObject({
    queued: 2,
    due: 1,
    processing: 1,
    dead_letter: 1,
    completed_24h: 1,
    failed_24h: 1,
  });
  expect(totals).toMatchObject({ success_rate: 50, p95_duration_ms: expect.any(Number) as number });
  expect(lanes).toMatchObject([
    { lane: 'inline', queued: 0, processing: 0, workers: 0 },
    { lane: 'edge', queued: 2, due: 1, processing: 0, workers: 0 },
    { lane: 'worker', queued: 0, processing: 1, workers: 1, oldest_due_at: null },
  ]);
  expect(types).toMatchObject([
    { type: 'report', title: 'report', processing: 1, success_rate: null },
    {
      ...{
        type: 'sync',
        title: 'Sync a repository',
        lane: 'edge',
        paused: false,
        queued: 2,
        due: 1,
        processing: 0,
      },
      ...{ completed: 1, failed: 1, cancelled: 1, success_rate: 50 },
    },
  ]);
  expect(workers).toMatchObject([{ worker: 'w-1', lanes: ['worker'], idle: true }]);
});

/**
 * Completed jobs that ended so long ago and waited so many milliseconds before.
 * @returns the hours in which they did
 */
async function completed(...jobs: { ago: string; waitedMs?: number }[]): Promise<number[]> {
  const rows = jobs.map(({ ago, waitedMs = 0 }) => ({ ago, waited_ms: waitedMs }));
  const ended = await desk.sql<{ completed_at: Date }>(
    `insert into background_jobs (type, lane, status, created_at, run_at, started_at, completed_at, duration_ms, expires_at)
     select 'sync', 'edge', 'completed', t.at, t.at, t.at + r.waited_ms * interval '1 millisecond',
       t.at + r.waited_ms * interval '1 millisecond', 0, t.at + interval '1 day'
     from jsonb_to_recordset($1) as r(ago interval, waited_ms integer)
     cross join lateral (select now() - r.ago - r.waited_ms * interval '1 millisecond') as t(at)
     returning completed_at`,
    [JSON.stringify(rows)],
  );
  return ended.map(({ completed_at: at }) => at.getTime() - (at.getTime() % 3_600_000));
}

it('tells the median wait, in total and by type, within 5 %', async () => {
  const ago = '10 minutes';
  const waits = [40, 200, 200, 200, 9000];
  await desk.sql('delete from job_rollups; delete from background_job_ends');
  await completed(...waits.map((waitedMs) => ({ ago, waitedMs })));
  const { totals, types } = await desk.ask<Overview>('operator_overview');
  for (const figures of [totals, types[0]])
    for (const [name, wait] of [
      ['p50_wait_ms', 200],
      ['p95_wait_ms', 9000],
    ] as const)
      expect(Math.abs(Number(figures?.[name]) / wait - 1), name).toBeLessThan(0.05);
});

it('shows a type without jobs when it is paused, so that it is not forgotten', async () => {
  await desk.sql(`select sync_job_types('[{"type":"idle"}]')`);
  await desk.ask('operator_pause_type', { type: 'idle' });
  const { types } = await desk.ask<Overview>('operator_overview');
  expect(types.find(({ type }) => type === 'idle')).toMatchObject({ paused: true, queued: 0 });
});

it('the throughput is what ended, by minute', async () => {
  const sums = async () => {
    const buckets = await desk.ask<Bucket[]>('operator_throughput', { minutes: 10 });
    expect(buckets).toHaveLength(10);
    const sum = (key: 'completed' | 'failed' | 'cancelled') =>
      buckets.reduce((total, each) => total + each[key], 0);
    return { completed: sum('completed'), failed: sum('failed'), cancelled: sum('cancelled') };
  };
  const before = await sums();
  await live();
  const after = await sums();
  expect(after).toEqual({
    completed: before.completed + 1,
    failed: before.failed + 1,
    cancelled: before.cancelled + 1,
  });
});

it.each([
  [1, 1, 1],
  [60, 60, 1],
  [180, 180, 1],
  [360, 36, 10],
  [1440, 144, 10],
  [10_080, 168, 60],
])('%i minutes are %i steps of %i minutes, without gaps', async (minutes, count, width) => {
  const buckets = await desk.ask<Bucket[]>('operator_throughput', { minutes });
  const starts = buckets.map(({ starts_at }) => Date.parse(starts_at) / 60_000);
  const first = starts[0] ?? 0;
  expect(starts).toEqual(Array.from({ length: count }, (_, n) => first + n * width));
  expect(first % width).toBe(0);
});

it.each([0, 10_081, null])('%s minutes are refused', async (minutes) => {
  expect(await desk.call('operator_throughput', { minutes })).toMatchObject({
    status: 400,
    body: { message: expect.stringMatching(/^minutes: expected 1 to 10080/) as string },
  });
});

it('by minute and by hour, folded or not, the same jobs count once', async () => {
  const completed = async (minutes: number) =>
    (await desk.ask<Bucket[]>('operator_throughput', { minutes })).reduce((n, each) => n + each.completed, 0);
  await live();
  const before = [await completed(60), await completed(1440), await completed(10_080)];
  expect(before).toEqual([before[0], before[0], before[0]]);
  await desk.sql('select sweep_background_jobs()');
  expect([await completed(60), await completed(1440), await completed(10_080)]).toEqual(before);
});

it('a week is hours, each with what ended in it', async () => {
  const week = async () => await desk.ask<Bucket[]>('operator_throughput', { minutes: 10_080 });
  const before = await week();
  const [oldest, , later, latest] = await completed(
    { ago: '6 days' },
    { ago: '6 days' },
    { ago: '50 hours' },
    { ago: '0' },
    { ago: '8 days' },
  );
  const more = async () => {
    const ends = (await week()).map(({ starts_at, completed }) => ({
      hour: Date.parse(starts_at),
      jobs: completed - (before.find((each) => each.starts_at === starts_at)?.completed ?? 0),
    }));
    return ends.filter(({ jobs }) => jobs !== 0);
  };
  const expected = [
    { hour: oldest, jobs: 2 },
    { hour: later, jobs: 1 },
    { hour: latest, jobs: 1 },
  ];
  expect(await more()).toEqual(expected);
  await desk.sql('select sweep_background_jobs()');
  expect(await more(), 'folded into hours').toEqual(expected);
});
