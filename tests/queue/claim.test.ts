import { describe, expect, it } from 'vitest';
import { useQueue } from './test-queue.ts';

const queue = useQueue();

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();
const ahead = (seconds: number) => ago(-seconds);

async function names(request: Parameters<typeof queue.claim>[0] = {}): Promise<unknown[]> {
  return (await queue.claim(request)).map(({ payload }) => payload);
}

describe('claim_background_jobs', () => {
  it('takes jobs in the order run_at minus priority minutes', async () => {
    await queue.enqueue(
      { type: 'a', payload: 'plain', run_at: ago(60) },
      { type: 'a', payload: 'urgent', run_at: ago(1), priority: 10 },
      { type: 'a', payload: 'old', run_at: ago(3600) },
      { type: 'a', payload: 'patient', run_at: ago(600), priority: -15 },
      { type: 'a', payload: 'most patient', run_at: ago(3600), priority: -600 },
      { type: 'a', payload: 'less urgent', run_at: ago(1), priority: 9 },
    );
    const order = ['old', 'urgent', 'less urgent', 'plain', 'patient', 'most patient'];
    const taken = [];
    for (let n = 0; n < order.length; n++) taken.push(...(await names({ maxJobs: 1 })));
    expect(taken).toEqual(order);
  });

  it('returns one batch in that order too', async () => {
    await queue.enqueue(
      { type: 'a', payload: 3, run_at: ago(50), priority: -600 },
      { type: 'a', payload: 2, run_at: ago(50) },
      { type: 'a', payload: 1, run_at: ago(10), priority: 5 },
    );
    expect(await names({ maxJobs: 2 })).toEqual([1, 2]);
    expect(await names()).toEqual([3]);
  });

  it('takes neither future nor expired jobs, however urgent', async () => {
    await queue.enqueue(
      { type: 'a', payload: 'future', run_at: ahead(600), priority: 10_000 },
      { type: 'a', payload: 'expired', run_at: ago(600), expires_at: ago(1) },
    );
    expect(await names()).toEqual([]);
  });

  it('takes jobs of its own lane and of the given types only', async () => {
    await queue.enqueue(
      { type: 'a', payload: 'a' },
      { type: 'b', payload: 'b' },
      { type: 'a', payload: 'worker', lane: 'worker' },
    );
    expect(await names({ types: [] })).toEqual([]);
    expect(await names({ types: ['c'] })).toEqual([]);
    expect(await names({ types: ['b', 'c'] })).toEqual(['b']);
    expect(await names({ lane: 'worker' })).toEqual(['worker']);
    expect(await names({ types: null })).toEqual(['a']);
  });

  it('leaves paused types alone until they are resumed', async () => {
    await queue.syncTypes({ type: 'a' });
    await queue.enqueue({ type: 'a' }, { type: 'b', payload: 'b' });
    await queue.sql(`select pause_job_type('a')`);
    expect(await names()).toEqual(['b']);
    await queue.sql(`select resume_job_type('a')`);
    expect(await names()).toEqual([{}]);
  });

  it('skips types whose p95 does not fit the seconds left', async () => {
    await queue.syncTypes({ type: 'long' }, { type: 'short' });
    await queue.sql(`update job_types set p95_duration_ms = case type when 'long' then 30001 else 30000 end`);
    await queue.enqueue(
      { type: 'long', payload: 'long' },
      { type: 'short', payload: 'short' },
      { type: 'unknown', payload: 'unknown' },
    );
    expect(await names({ fitSeconds: 30 })).toEqual(['short', 'unknown']);
    expect(await names()).toEqual(['long']);
  });

  it('gives what a worker needs, and shows the job as processing', async () => {
    const job = await queue.running({ payload: { x: 1 }, timeout_seconds: 9, max_retries: 1 });
    expect(job).toMatchObject({
      type: 'test/job',
      payload: { x: 1 },
      retry_count: 0,
      max_retries: 1,
      timeout_seconds: 9,
      steps: {},
    });
    const row = await queue.job(job.id);
    expect(row).toMatchObject({ status: 'processing', lease_token: job.lease_token });
    expect(row.started_at).toBeInstanceOf(Date);
    expect(await queue.claim()).toEqual([]);
  });

  it('never gives one job to two claimers that race for 2,000', async () => {
    const ids = await queue.enqueue(...Array.from({ length: 2000 }, () => ({ type: 'a' })));
    const claimer = async (worker: string) => {
      const taken: string[] = [];
      while ((await queue.value('select count(*)::int from background_job_ready')) !== 0)
        taken.push(...(await queue.claim({ worker, maxJobs: 37 })).map(({ id }) => id));
      return taken;
    };
    const taken = (await Promise.all([claimer('w1'), claimer('w2')])).flat();
    expect(taken.toSorted()).toEqual(ids);
  });

  it.each([1, 3, 100])('passes by jobs that an open transaction holds, %i at a time', async (maxJobs) => {
    const ids = await queue.enqueue(...Array.from({ length: 8 }, () => ({ type: 'a' })));
    const held = ids.slice(0, 4);
    const operator = await queue.connect();
    await operator.query('begin');
    await operator.query('select from background_jobs where id = any ($1) for update', [held]);
    const taken: string[] = [];
    for (let n = 0; n < 4 && taken.length < 4; n++)
      taken.push(...(await queue.claim({ maxJobs })).map(({ id }) => id));
    expect(taken).toEqual(ids.slice(4));
    await operator.query('rollback');
    expect((await queue.claim()).map(({ id }) => id)).toEqual(held);
  });

  it('passes by a job that an operator is editing, and takes it afterwards', async () => {
    const ids = await queue.enqueue({ type: 'a' }, { type: 'a' });
    const operator = await queue.connect();
    await operator.query('begin');
    await operator.query('update background_jobs set priority = 5, timeout_seconds = 3 where id = $1', [
      ids[0],
    ]);
    expect((await queue.claim()).map(({ id }) => id)).toEqual([ids[1]]);
    await operator.query('commit');
    expect(await queue.claim()).toMatchObject([{ id: ids[0], timeout_seconds: 3 }]);
  });

  const refused: [string, unknown[], RegExp][] = [
    ['no lane', [null, 'w', 1, 60, null, null], /^lane: /],
    ['an unknown lane', ['moon', 'w', 1, 60, null, null], /^lane: /],
    ['no worker', ['edge', null, 1, 60, null, null], /^worker: /],
    ['a blank worker', ['edge', ' ', 1, 60, null, null], /^worker: /],
    ['no jobs', ['edge', 'w', 0, 60, null, null], /^max_jobs: /],
    ['a null number of jobs', ['edge', 'w', null, 60, null, null], /^max_jobs: /],
    ['too many jobs', ['edge', 'w', 10_001, 60, null, null], /^max_jobs: /],
    ['no lease', ['edge', 'w', 1, 0, null, null], /^lease_seconds: /],
    ['a lease of more than a day', ['edge', 'w', 1, 86_401, null, null], /^lease_seconds: /],
    ['types that are no list', ['edge', 'w', 1, 60, null, '"a"'], /^types: /],
    ['a type that is no string', ['edge', 'w', 1, 60, null, '[1]'], /^types: /],
  ];
  it.each(refused)('refuses %s', async (_name, values, message) => {
    await queue.enqueue({ type: 'a' });
    await expect(
      queue.sql('select * from claim_background_jobs($1, $2, $3, $4, $5, $6)', values),
    ).rejects.toMatchObject({ code: 'PT400', message: expect.stringMatching(message) as string });
    expect(await queue.value(`select count(*)::int from background_job_ready`)).toBe(1);
  });
});
