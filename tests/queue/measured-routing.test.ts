import { beforeEach, describe, expect, it } from 'vitest';
import { useQueue } from './test-queue.ts';

const queue = useQueue();

beforeEach(async () => {
  await queue.sql(`update job_settings set value = 'true' where name = 'measured_routing'`);
  await queue.sql('truncate job_lane_moves');
});

/** Completed jobs of the type that worked so long. */
async function completed(type: string, jobs: number, activeMs: number): Promise<void> {
  await queue.enqueue(...Array.from({ length: jobs }, () => ({ type, lane: 'edge' })));
  const claimed = await queue.claim({ types: [type], maxJobs: jobs });
  await queue.sql(`update background_jobs set status = 'completed', active_ms = $1 where id = any ($2)`, [
    activeMs,
    claimed.map(({ id }) => id),
  ]);
}

/** A sweep a minute later. */
async function sweep(): Promise<void> {
  await queue.sql(`update job_types set p95_measured_at = null`);
  await queue.sql('select sweep_background_jobs()');
}

const lanes = async (): Promise<Record<string, string>> => {
  const rows = await queue.sql<{ type: string; lane: string }>('select * from list_job_lanes()');
  return Object.fromEntries(rows.map(({ type, lane }) => [type, lane]));
};

const moves = () =>
  queue.sql('select type, from_lane, to_lane, jobs, reason from job_lane_moves order by moved_at');

describe('a type whose jobs take more than 70 % of the inline budget', () => {
  beforeEach(() => queue.syncTypes({ type: 'slow', lane: 'inline' }));

  it('goes to the edge lane, with the reason recorded, and its events are queued there', async () => {
    await completed('slow', 20, 7001);
    await sweep();
    expect(await lanes()).toEqual({ slow: 'edge' });
    const reason = 'p95 of 20 jobs is 7001 ms, over 70.0% of the 10000 ms of lane inline';
    expect(await moves()).toEqual([{ type: 'slow', from_lane: 'inline', to_lane: 'edge', jobs: 20, reason }]);
    const begun = await queue.sql(
      `select run, lane, status from begin_background_job('{"type": "slow"}', 'w', 30)`,
    );
    expect(begun).toEqual([{ run: false, lane: 'edge', status: 'queued' }]);
  });

  it('comes back when its jobs need less than 35 %, not before', async () => {
    await completed('slow', 20, 8000);
    await sweep();
    await completed('slow', 20, 3600);
    await sweep();
    expect(await lanes()).toEqual({ slow: 'edge' });
    await completed('slow', 200, 3400);
    await sweep();
    expect(await lanes()).toEqual({});
    expect(await moves()).toHaveLength(2);
  });

  it('stays while too few jobs were measured', async () => {
    await completed('slow', 19, 9000);
    await sweep();
    expect(await lanes()).toEqual({});
  });

  it('stays where an operator put it', async () => {
    await queue.sql(`select set_job_lane('slow', 'inline')`);
    await completed('slow', 20, 9000);
    await sweep();
    expect(await lanes()).toEqual({ slow: 'inline' });
  });

  it('stays while measured routing is off, and goes back when it is switched off', async () => {
    await completed('slow', 20, 9000);
    await queue.sql(`update job_settings set value = 'false' where name = 'measured_routing'`);
    await sweep();
    expect(await lanes()).toEqual({});
    await queue.sql(`update job_settings set value = 'true' where name = 'measured_routing'`);
    await sweep();
    expect(await lanes()).toEqual({ slow: 'edge' });
    await queue.sql(`update job_settings set value = 'false' where name = 'measured_routing'`);
    await sweep();
    expect(await lanes()).toEqual({});
  });
});

describe('a type that takes more than the edge lane likes', () => {
  beforeEach(() => queue.syncTypes({ type: 'long' }));

  it('goes to the worker lane where a worker lives, and only there', async () => {
    await completed('long', 20, 90_000);
    await sweep();
    expect(await lanes()).toEqual({});
    await queue.sql(`select report_worker('w1', '["worker"]', false)`);
    await sweep();
    expect(await lanes()).toEqual({ long: 'worker' });
    const [id = ''] = await queue.enqueue({ type: 'long' });
    expect(await queue.job(id)).toMatchObject({ lane: 'worker' });
    await queue.sql(`select remove_worker('w1')`);
  });

  it('never goes below the lane of its definition', async () => {
    await completed('long', 20, 1);
    await sweep();
    expect(await lanes()).toEqual({});
  });
});

it('a job that is inserted by hand goes to the measured lane too', async () => {
  await queue.syncTypes({ type: 'slow', lane: 'inline' });
  await completed('slow', 20, 9000);
  await sweep();
  const lane = `insert into background_jobs (type, lane) values ('slow', null) returning lane`;
  expect(await queue.value(lane)).toBe('edge');
});

it.each([
  [`update job_settings set value = '"yes"' where name = 'measured_routing'`],
  [`update job_settings set value = '-1' where name = 'inline_budget_ms'`],
])('a setting that makes no sense is refused: %s', async (statement) => {
  await expect(queue.sql(statement)).rejects.toMatchObject({ code: '23514' });
});
