import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { lease, useQueue } from './test-queue.ts';

const queue = useQueue();

interface Batch {
  lease_token: string;
  ids: string[];
  types: string[];
  payloads: unknown[];
  retry_counts: number[];
  max_retries: number[];
  timeout_seconds: number[];
  steps: Record<string, Record<string, unknown>> | null;
}

const claimBatch = (maxJobs = 100, types: string[] | null = null): Promise<Batch | null> =>
  queue.value(`select claim_job_batch('edge', 'w1', $1, 60, null, $2)`, [
    maxJobs,
    types && JSON.stringify(types),
  ]);

const completeBatch = (
  token: string | null,
  ids: readonly (string | null)[] | null,
  results: unknown = null,
): Promise<string[]> =>
  queue.value('select complete_job_batch($1, $2, $3)', [
    token,
    ids,
    results === null ? null : JSON.stringify(results),
  ]);

const claimOf = async (count: number): Promise<Batch> => {
  await queue.enqueue(...Array.from({ length: count }, (_, n) => ({ type: 'a', payload: n })));
  return (await claimBatch())!;
};

const resultsOf = async (ids: readonly string[]): Promise<unknown[]> =>
  await Promise.all(ids.map(async (id) => (await queue.job(id)).result));

describe('claim_job_batch', () => {
  it('answers in columns what claim_background_jobs answers in rows, in claim order', async () => {
    const [late, first] = await queue.enqueue(
      { type: 'a', payload: { n: 1 }, max_retries: 7 },
      { type: 'b', payload: [2], priority: 10, timeout_seconds: 9 },
    );
    expect(await claimBatch()).toEqual({
      lease_token: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      ids: [first, late],
      types: ['b', 'a'],
      payloads: [[2], { n: 1 }],
      retry_counts: [0, 0],
      max_retries: [3, 7],
      timeout_seconds: [9, 120],
      steps: null,
    });
    expect(await queue.sql('select remaining from background_job_leases')).toEqual([{ remaining: 2 }]);
  });

  it('answers null when there is nothing to claim', async () => {
    expect(await claimBatch()).toBeNull();
    await queue.enqueue({ type: 'a' });
    expect(await claimBatch(100, ['b'])).toBeNull();
    expect(await claimBatch(100, ['a'])).toMatchObject({ types: ['a'] });
  });

  it('brings the steps of those that saved any', async () => {
    const job = await queue.running();
    await queue.sql(`select save_background_job_step($1, $2, 'one', '{"done": 1}')`, [
      job.id,
      job.lease_token,
    ]);
    await queue.sql(`select hand_off_background_job($1, $2)`, [job.id, job.lease_token]);
    const [other] = await queue.enqueue({ type: 'a' });
    const batch = await claimBatch();
    expect(batch!.ids.toSorted()).toEqual([job.id, other].toSorted());
    expect(batch!.steps).toEqual({ [job.id]: { one: { done: 1 } } });
  });

  it('holds jobs of several looks under one lease', async () => {
    // Of one key only one may start: the claim parks the others and looks behind them.
    const keyed = { type: 'a', concurrency_key: 'k', concurrency_limit: 1 };
    const [one] = await queue.enqueue(keyed);
    await queue.enqueue(keyed);
    const [free] = await queue.enqueue({ type: 'a' });
    const batch = await claimBatch(2);
    expect(batch!.ids).toEqual([one, free]);
    expect(await queue.sql('select token, remaining from background_job_leases')).toEqual([
      { token: batch!.lease_token, remaining: 2 },
    ]);
    expect(await completeBatch(batch!.lease_token, batch!.ids)).toEqual([]);
    expect(await queue.sql('select from background_job_leases')).toEqual([]);
  });

  it.each([
    [`'nowhere', 'w', 1, 60`, 'lane'],
    [`'edge', ' ', 1, 60`, 'worker'],
    [`'edge', 'w', 0, 60`, 'max_jobs'],
    [`'edge', 'w', 1, 0`, 'lease_seconds'],
    [`'edge', 'w', null, 60`, 'max_jobs'],
    [`'edge', 'w', 1, 60, null, '{}'`, 'types'],
  ])('refuses (%s) and names the argument', async (args, name) => {
    await expect(queue.sql(`select claim_job_batch(${args})`)).rejects.toMatchObject({
      code: 'PT400',
      message: expect.stringMatching(new RegExp(`^${name}: `)) as string,
    });
  });
});

describe('complete_job_batch', () => {
  it('completes jobs without a result, each once', async () => {
    const { lease_token: token, ids } = await claimOf(3);
    expect(await completeBatch(token, ids)).toEqual([]);
    expect(await queue.sql('select distinct status, result, lease_token from background_jobs')).toEqual([
      { status: 'completed', result: null, lease_token: null },
    ]);
    expect((await completeBatch(token, ids)).toSorted()).toEqual(ids.toSorted());
  });

  it('completes jobs with their results, in their order', async () => {
    const { lease_token: token, ids } = await claimOf(3);
    expect(await completeBatch(token, ids.toReversed(), ['two', null, { zero: 0 }])).toEqual([]);
    expect(await resultsOf(ids)).toEqual([{ zero: 0 }, null, 'two']);
    expect(await queue.value('select count(*)::int from background_jobs where result is null')).toBe(1);
  });

  it.each([
    ['without results', null],
    ['with results', [1, 2, 3]],
  ])('tells those apart that the lease does not hold, %s', async (_, results) => {
    const { lease_token: token, ids } = await claimOf(2);
    const [other] = await queue.enqueue({ type: 'a' });
    const elsewhere = (await claimBatch())!;
    expect(elsewhere.ids).toEqual([other]);
    expect(await completeBatch(token, [ids[0]!, other!, ids[1]!], results)).toEqual([other]);
    expect(await queue.job(other!)).toMatchObject({ status: 'processing', result: null });
    expect(await completeBatch(elsewhere.lease_token, [other!])).toEqual([]);
  });

  it('ends a lease in parts, one of them a single job', async () => {
    const { lease_token: token, ids } = await claimOf(4);
    const remaining = () => queue.sql('select remaining from background_job_leases');
    await completeBatch(token, ids.slice(0, 1));
    expect(await remaining()).toEqual([{ remaining: 3 }]);
    await completeBatch(token, ids.slice(0, 3));
    expect(await remaining()).toEqual([{ remaining: 1 }]);
    await completeBatch(token, ids.slice(3), ['last']);
    expect(await remaining()).toEqual([]);
  });

  it('notes every end once for the statistics, alone or with others', async () => {
    const { lease_token: token, ids } = await claimOf(4);
    await completeBatch(token, ids.slice(0, 1));
    await completeBatch(token, ids.slice(1, 3));
    await completeBatch(token, ids, [1, 2, 3, 4]);
    const noted = 'select sum(jobs)::int, sum(cardinality(waits))::int as waits from background_job_ends';
    expect(await queue.sql(noted)).toEqual([{ sum: 4, waits: 4 }]);
  });

  it('gives the slots of concurrency keys back, and lets children go', async () => {
    const [parent, next] = await queue.enqueue(
      { type: 'a', concurrency_key: 'k', concurrency_limit: 1 },
      { type: 'a', concurrency_key: 'k', concurrency_limit: 1 },
    );
    const [child] = await queue.enqueue({ type: 'a', depends_on: [parent] });
    const batch = (await claimBatch())!;
    expect(batch.ids).toEqual([parent]);
    expect(await completeBatch(batch.lease_token, batch.ids)).toEqual([]);
    expect((await claimBatch())!.ids.toSorted()).toEqual([next, child].toSorted());
  });

  it('writes a result of null as no result, like complete_background_jobs', async () => {
    const one = await queue.running();
    expect(await queue.complete(lease(one, { result: null }))).toEqual([true]);
    const { lease_token: token, ids } = await claimOf(2);
    await completeBatch(token, ids, [null, null]);
    expect(await queue.value('select count(*)::int from background_jobs where result is null')).toBe(3);
  });

  it('changes nothing for no jobs', async () => {
    expect(await completeBatch(randomUUID(), [])).toEqual([]);
    expect(await completeBatch(randomUUID(), [], [])).toEqual([]);
  });

  it.each([
    ['no token', null, [randomUUID()], null, 'lease_token: expected a uuid'],
    ['no ids', randomUUID(), null, null, 'job_ids: expected an array of uuids'],
    ['an id that is null', randomUUID(), [randomUUID(), null], null, 'job_ids: expected an array of uuids'],
    [
      'too few results',
      randomUUID(),
      [randomUUID(), randomUUID()],
      [1],
      'results: expected null or an array of 2, one for each job, got 1',
    ],
    [
      'results that are no array',
      randomUUID(),
      [randomUUID()],
      { a: 1 },
      'results: expected null or an array of 1, one for each job, got object',
    ],
  ])('refuses %s', async (_, token, ids, results, message) => {
    await expect(completeBatch(token, ids, results)).rejects.toMatchObject({
      code: 'PT400',
      message: expect.stringContaining(message) as string,
    });
  });

  it('refuses ids in an array of arrays', async () => {
    const ids = `array[array['${randomUUID()}'], array['${randomUUID()}']]::uuid[]`;
    await expect(queue.sql(`select complete_job_batch('${randomUUID()}', ${ids})`)).rejects.toMatchObject({
      code: 'PT400',
    });
  });
});
