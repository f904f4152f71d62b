import { describe, expect, it } from 'vitest';
import { type Claimed, useQueue } from './test-queue.ts';

const queue = useQueue();

const types = (claimed: Claimed[]): string[] => claimed.map(({ type }) => type);
const explain = (id: string | undefined) => queue.value<string>('select explain_background_job($1)', [id]);

/** Claims everything and completes it, with the job's type as its result. */
async function completeAll(): Promise<string[]> {
  const claimed = await queue.claim();
  await queue.complete(
    ...claimed.map(({ id, lease_token, type }) => ({ job_id: id, lease_token, result: type })),
  );
  return types(claimed);
}

async function statuses(): Promise<Record<string, string>> {
  const rows = await queue.sql<{ type: string; status: string }>('select type, status from background_jobs');
  return Object.fromEntries(rows.map(({ type, status }) => [type, status]));
}

describe('a job that depends on others', () => {
  it('runs when the last of them has completed, wherever in the batch they stand', async () => {
    const [first = ''] = await queue.enqueue({ type: 'known' });
    const enqueued = await queue.sql<{ status: string }>('select status from enqueue_background_jobs($1)', [
      JSON.stringify([
        { type: 'root' },
        { type: 'middle', depends_on: [0, 0] },
        { type: 'end', depends_on: [1, first] },
      ]),
    ]);
    expect(enqueued.map(({ status }) => status)).toEqual(['queued', 'queued', 'queued']);
    expect(await completeAll()).toEqual(['known', 'root']);
    expect(await completeAll()).toEqual(['middle']);
    expect(await completeAll()).toEqual(['end']);
    expect(await completeAll()).toEqual([]);
  });

  it('runs at once when they have completed already', async () => {
    const [parent] = await queue.enqueue({ type: 'parent' });
    await completeAll();
    await queue.enqueue({ type: 'child', depends_on: [parent] });
    expect(await completeAll()).toEqual(['child']);
  });

  it('reads their results', async () => {
    const [, , child] = await queue.enqueue(
      { type: 'a' },
      { type: 'b' },
      { type: 'child', depends_on: [0, 1] },
    );
    await completeAll();
    const parents = await queue.sql('select type, status, result from get_parent_jobs($1)', [child]);
    expect(parents).toEqual([
      { type: 'a', status: 'completed', result: 'a' },
      { type: 'b', status: 'completed', result: 'b' },
    ]);
  });

  it('waits through the retries of a parent', async () => {
    await queue.enqueue({ type: 'parent', max_retries: 1 }, { type: 'child', depends_on: [0] });
    const [parent] = await queue.claim();
    await queue.fail(parent!, { retryAfter: 0 });
    expect(await completeAll()).toEqual(['parent']);
    expect(await completeAll()).toEqual(['child']);
  });

  it('is claimed by nobody while it waits, not even by name, and says for which job it does', async () => {
    const [parent, child] = await queue.enqueue({ type: 'parent' }, { type: 'child', depends_on: [0] });
    expect(await queue.sql(`select * from claim_background_job($1, 'w1', 60)`, [child])).toEqual([]);
    expect(await explain(child)).toBe(`waits for job ${parent} (parent, queued)`);
    expect(
      await queue.value(`select claimable::integer from sweep_background_jobs() where lane = 'edge'`),
    ).toBe(1);
  });

  it('is not begun inline, but waits on the edge lane', async () => {
    const [parent] = await queue.enqueue({ type: 'parent' });
    const job = JSON.stringify({ type: 'inline', depends_on: [parent] });
    const [begun] = await queue.sql(`select run, status, lane from begin_background_job($1, 'w1', 60)`, [
      job,
    ]);
    expect(begun).toEqual({ run: false, status: 'queued', lane: 'edge' });
    await completeAll();
    expect(await completeAll()).toEqual(['inline']);
  });

  it('may be enqueued by a completing job, with positions of its own', async () => {
    const [a, b] = [await queue.running({ type: 'a' }), await queue.running({ type: 'b' })];
    const followUps = (name: string) => [{ type: `${name} 1` }, { type: `${name} 2`, depends_on: [0] }];
    await queue.complete(
      { job_id: a.id, lease_token: a.lease_token, enqueue: [{ type: 'plain' }] },
      { job_id: b.id, lease_token: b.lease_token, enqueue: followUps('follow-up') },
    );
    expect((await completeAll()).toSorted()).toEqual(['follow-up 1', 'plain']);
    expect(await completeAll()).toEqual(['follow-up 2']);
  });

  it('keeps its first parents when its idempotency key is known', async () => {
    const [parent] = await queue.enqueue({ type: 'parent' });
    await queue.enqueue({ type: 'child', idempotency_key: 'k' });
    await queue.enqueue({ type: 'child', idempotency_key: 'k', depends_on: [parent] });
    expect((await completeAll()).toSorted()).toEqual(['child', 'parent']);
  });

  it('has seven days to start, because its parents take their time', async () => {
    const [, child = ''] = await queue.enqueue({ type: 'parent' }, { type: 'child', depends_on: [0] });
    const days = `select round(extract(epoch from expires_at - run_at) / 86400)::integer from background_jobs where id = $1`;
    expect(await queue.value(days, [child])).toBe(7);
  });
});

describe('when a parent does not complete', () => {
  const family = [
    { type: 'parent', max_retries: 0 },
    { type: 'cancels', depends_on: [0] },
    { type: 'fails', depends_on: [0], on_parent_failure: 'fail' },
    { type: 'runs', depends_on: [0], on_parent_failure: 'run' },
    { type: 'grandchild', depends_on: [2], on_parent_failure: 'fail' },
  ];
  const ended = { cancels: 'cancelled', fails: 'failed', grandchild: 'failed' };

  const endings: [string, (parent: Claimed) => Promise<unknown>, string][] = [
    ['fails', (parent) => queue.fail(parent), 'failed: boom'],
    [
      'dies',
      (parent) => queue.expireLeases(parent.id).then(() => queue.sql('select sweep_background_jobs()')),
      'failed: the lease',
    ],
    [
      'is set to failed by hand',
      ({ id }) => queue.sql(`update background_jobs set status = 'failed', error = 'x' where id = $1`, [id]),
      'failed: x',
    ],
    [
      'is cancelled',
      async (parent) => {
        await queue.sql('select cancel_background_job($1)', [parent.id]);
        await queue.fail(parent);
      },
      'was cancelled',
    ],
    ['is deleted', ({ id }) => queue.sql('delete from background_jobs where id = $1', [id]), 'was deleted'],
  ];

  it.each(endings)('because it %s, its dependents do what their policies say', async (_how, end, reason) => {
    const [parent = '', , fails = '', , grandchild = ''] = await queue.enqueue(...family);
    const [claimed] = await queue.claim();
    await end(claimed!);
    expect(await statuses()).toMatchObject({ ...ended, runs: 'queued' });
    expect(await completeAll()).toEqual(['runs']);
    expect((await queue.job(fails)).error).toContain(`job ${parent} (`);
    expect((await queue.job(fails)).error).toContain(reason);
    expect(await queue.job(grandchild)).toMatchObject({ failure_reason: 'dependency_failed' });
    expect(await explain(grandchild)).toMatch(
      /^dead because a job that it depends on did not complete: job /,
    );
  });

  it('because it expires, they do too', async () => {
    await queue.enqueue({ ...family[0], expires_at: '2001-01-01T00:00:00Z' }, ...family.slice(1));
    await queue.sql('select sweep_background_jobs()');
    expect(await statuses()).toMatchObject({ ...ended, runs: 'queued' });
  });

  it('a job that is enqueued later does so at once', async () => {
    const parent = await queue.running({ type: 'parent', max_retries: 0 });
    await queue.fail(parent);
    const [answer] = await queue.sql('select status from enqueue_background_jobs($1)', [
      JSON.stringify([{ type: 'child', depends_on: [parent.id] }]),
    ]);
    expect(answer).toEqual({ status: 'cancelled' });
  });

  it('an operator may run the dependent all the same', async () => {
    const [, , fails] = await queue.enqueue(...family);
    await queue.fail((await queue.claim())[0]!);
    await queue.sql('select retry_failed_job($1)', [fails]);
    expect((await completeAll()).toSorted()).toEqual(['fails', 'runs']);
  });
});

describe('enqueue_background_jobs', () => {
  const unknown = '00000000-0000-4000-8000-000000000000';
  it.each([
    [
      [{ type: 'a', depends_on: [0] }],
      'jobs[0].depends_on[0]: expected a job id or the position of an earlier job of this call, got 0',
    ],
    [
      [
        { type: 'a', depends_on: [1] },
        { type: 'b', depends_on: [0] },
      ],
      'jobs[0].depends_on[0]: expected',
    ],
    [[{ type: 'a' }, { type: 'b', depends_on: [0, 0.5] }], 'jobs[1].depends_on[1]: expected'],
    [[{ type: 'a', depends_on: ['x'] }], 'jobs[0].depends_on[0]: expected'],
    [[{ type: 'a', depends_on: 'x' }], 'jobs[0].depends_on: expected an array of at most 1000'],
    [[{ type: 'a', on_parent_failure: 'panic' }], 'jobs[0].on_parent_failure: expected cancel, run or fail'],
    [[{ type: 'a' }, { type: 'b', depends_on: [unknown] }], `jobs[1].depends_on: there is no job ${unknown}`],
  ])('refuses %j, so there are no cycles and no orphans', async (jobs, message) => {
    await expect(queue.enqueue(...jobs)).rejects.toMatchObject({
      code: 'PT400',
      message: expect.stringContaining(message) as string,
    });
    expect(await queue.value('select count(*)::integer from background_jobs')).toBe(0);
  });
});

describe('races', () => {
  it('two parents that complete at the same moment release their child once', async () => {
    const [, , child] = await queue.enqueue(
      { type: 'a' },
      { type: 'b' },
      { type: 'child', depends_on: [0, 1] },
    );
    const parents = await queue.claim();
    const [first, second] = [await queue.connect(), await queue.connect()];
    const complete = (client: typeof first, { id, lease_token }: Claimed) =>
      client.query('select * from complete_background_jobs($1)', [
        JSON.stringify([{ job_id: id, lease_token }]),
      ]);
    await first.query('begin');
    await complete(first, parents[0]!);
    const waiting = complete(second, parents[1]!);
    await queue.untilBlocked(second, first);
    await first.query('commit');
    await waiting;
    expect((await queue.claim()).map(({ id }) => id)).toEqual([child]);
  });

  it('a parent that completes while its child is being enqueued finds the child', async () => {
    const parent = await queue.running({ type: 'parent' });
    const [producer, worker] = [await queue.connect(), await queue.connect()];
    await producer.query('begin');
    await producer.query('select * from enqueue_background_jobs($1)', [
      JSON.stringify([{ type: 'child', depends_on: [parent.id] }]),
    ]);
    const completion = worker.query('select * from complete_background_jobs($1)', [
      JSON.stringify([{ job_id: parent.id, lease_token: parent.lease_token }]),
    ]);
    await queue.untilBlocked(worker, producer);
    await producer.query('commit');
    await completion;
    expect(types(await queue.claim())).toEqual(['child']);
  });

  it('an open transaction on the child does not keep its parent from completing; the sweep releases it', async () => {
    const [, child] = await queue.enqueue({ type: 'parent' }, { type: 'child', depends_on: [0] });
    const [parent] = await queue.claim();
    const operator = await queue.connect();
    await operator.query('begin');
    await operator.query('select from background_jobs where id = $1 for update', [child]);
    expect(await queue.complete({ job_id: parent!.id, lease_token: parent!.lease_token })).toEqual([true]);
    await operator.query('commit');
    expect(await queue.claim()).toEqual([]);
    await queue.sql('select sweep_background_jobs()');
    expect(types(await queue.claim())).toEqual(['child']);
  });

  it('hundreds of families under eight claimers that crash now and then all end, each child after its parents', async () => {
    const families = 150;
    for (let n = 0; n < families; n += 1)
      await queue.enqueue(
        { type: 'root', max_retries: 50 },
        { type: 'left', depends_on: [0], max_retries: 50 },
        { type: 'right', depends_on: [0], max_retries: 50 },
        { type: 'last', depends_on: [1, 2], max_retries: 50 },
      );
    const clients = await Promise.all(Array.from({ length: 8 }, () => queue.connect()));
    let turn = 0;
    const early = `select count(*)::integer from background_job_dependencies d join background_jobs p on p.id = d.parent_id
      where d.job_id = any ($1) and p.status <> 'completed'`;
    const left = () =>
      queue.value<number>(`select count(*)::integer from background_jobs where status <> 'completed'`);
    const work = async (client: (typeof clients)[number]): Promise<void> => {
      while ((await left()) > 0) {
        const claimed = await queue.claim({ maxJobs: 5 }, client);
        expect(await queue.value(early, [claimed.map(({ id }) => id)])).toBe(0);
        turn += 1;
        if (turn % 9 === 0) {
          await queue.expireLeases(...claimed.map(({ id }) => id));
          await client.query('select sweep_background_jobs()');
          await queue.sql(
            `update background_jobs set run_at = now() where status = 'queued' and run_at > now()`,
          );
          continue;
        }
        await client.query('select * from complete_background_jobs($1)', [
          JSON.stringify(claimed.map(({ id, lease_token }) => ({ job_id: id, lease_token }))),
        ]);
      }
    };
    await Promise.all(clients.map(work));
  });
});
