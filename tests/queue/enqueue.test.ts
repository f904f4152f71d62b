import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { useQueue } from './test-queue.ts';

const queue = useQueue();

interface Answer {
  id: string;
  status: string;
  created: boolean;
}

async function enqueue(jobs: unknown, runner?: Parameters<typeof queue.sql>[2]): Promise<Answer[]> {
  return await queue.sql<Answer>('select * from enqueue_background_jobs($1)', [JSON.stringify(jobs)], runner);
}

async function failForGood(key: string): Promise<void> {
  await queue.internally(
    `update background_jobs set status = 'failed', failed_at = now(), retry_count = 2, error = 'boom',
       failure_reason = 'retries_spent' where idempotency_key = $1`,
    [key],
  );
  await queue.internally(
    'delete from background_job_ready where id = (select id from background_jobs where idempotency_key = $1)',
    [key],
  );
}

describe('enqueue_background_jobs', () => {
  it('answers in input order, and jobs are claimed in that order', async () => {
    const ids = await queue.enqueue(...Array.from({ length: 50 }, (_, n) => ({ type: 'a', payload: { n } })));
    const claimed = await queue.claim();
    expect(claimed.map(({ id }) => id)).toEqual(ids);
    expect(claimed.map(({ payload }) => payload)).toEqual(Array.from({ length: 50 }, (_, n) => ({ n })));
  });

  it('takes 10,000 jobs in one call, in order, and refuses 10,001', async () => {
    const jobs = Array.from({ length: 10_000 }, (_, n) => ({ type: 'a', payload: n }));
    const answers = await enqueue(jobs);
    const stored = await queue.value('select jsonb_agg(payload order by id) from background_jobs');
    expect(stored).toEqual(jobs.map(({ payload }) => payload));
    expect(answers.map(({ id }) => id)).toEqual(answers.map(({ id }) => id).toSorted());
    await expect(enqueue([...jobs, { type: 'a' }])).rejects.toMatchObject({ code: 'PT400' });
    expect(await queue.value('select count(*)::int from background_jobs')).toBe(10_000);
  });

  it('answers nothing for no jobs', async () => {
    expect(await enqueue([])).toEqual([]);
  });

  it('creates one row for one idempotency key, within a call and across calls', async () => {
    const first = await enqueue([
      { type: 'a', idempotency_key: 'k', payload: 1 },
      { type: 'a' },
      { type: 'a', idempotency_key: 'k', payload: 2 },
    ]);
    expect(first.map(({ created }) => created)).toEqual([true, true, false]);
    expect(first[2]?.id).toBe(first[0]?.id);
    const again = await enqueue([{ type: 'b', idempotency_key: 'k', payload: 3 }]);
    expect(again).toEqual([{ id: first[0]?.id, status: 'queued', created: false }]);
    expect(await queue.job(first[0]?.id as string)).toMatchObject({ type: 'a', payload: 1 });
  });

  it('creates one row when five calls bring the same key at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => enqueue([{ type: 'a', idempotency_key: 'k' }])),
    );
    expect(new Set(answers.flat().map(({ id }) => id)).size).toBe(1);
    expect(answers.flat().filter(({ created }) => created)).toHaveLength(1);
  });

  it('does not deadlock when two calls bring the same keys in opposite order', async () => {
    const keys = Array.from({ length: 300 }, (_, n) => ({ type: 'a', idempotency_key: `k${n}` }));
    for (let round = 0; round < 5; round++) {
      const jobs = keys.map((job) => ({ ...job, idempotency_key: `${job.idempotency_key}-${round}` }));
      const [forward, backward] = await Promise.all([enqueue(jobs), enqueue(jobs.toReversed())]);
      expect(backward.toReversed().map(({ id }) => id)).toEqual(forward.map(({ id }) => id));
    }
  });

  it('queues a failed job again, with all its retries, for another Inngest run only', async () => {
    const [job] = await enqueue([{ type: 'a', idempotency_key: 'k', inngest_run_id: 'run-1' }]);
    await failForGood('k');
    const sameRun = await enqueue([{ type: 'a', idempotency_key: 'k', inngest_run_id: 'run-1' }]);
    const noRun = await enqueue([{ type: 'a', idempotency_key: 'k' }]);
    expect([...sameRun, ...noRun].map(({ status }) => status)).toEqual(['failed', 'failed']);
    const replay = await enqueue([{ type: 'a', idempotency_key: 'k', inngest_run_id: 'run-2' }]);
    expect(replay).toEqual([{ id: job?.id, status: 'queued', created: false }]);
    expect(await queue.job(job?.id as string)).toMatchObject({
      retry_count: 0,
      failed_at: null,
      inngest_run_id: 'run-2',
      error: 'boom',
    });
    expect(await queue.claim()).toHaveLength(1);
  });

  it('does not deadlock when two replays bring the same failed jobs in opposite order', async () => {
    const keys = ['a', 'c', 'x1', 'x2', 'y1', 'y2'];
    await enqueue(keys.map((key) => ({ type: 'a', idempotency_key: key, inngest_run_id: 'run-1' })));
    for (const key of keys) await failForGood(key);
    const hold = async (...held: string[]) => {
      const client = await queue.connect();
      await client.query('begin');
      await client.query('select from background_jobs where idempotency_key = any ($1) for update', [held]);
      return client;
    };
    const [before, between] = [await hold('x1', 'x2'), await hold('y1', 'y2')];
    const [one, two] = [await queue.connect(), await queue.connect()];
    const replay = (run: string, names: string[]) =>
      names.map((key) => ({ type: 'a', idempotency_key: key, inngest_run_id: run }));
    const first = enqueue(replay('run-2', ['x1', 'a', 'y1', 'c']), one);
    const second = enqueue(replay('run-3', ['x2', 'c', 'y2', 'a']), two);
    await Promise.all([queue.untilBlocked(one), queue.untilBlocked(two)]);
    await before.query('commit');
    await Promise.all([queue.untilBlocked(one, between, two), queue.untilBlocked(two, between, one)]);
    await between.query('commit');
    const answers = await Promise.all([first, second]);
    expect(answers.flat().map(({ status }) => status)).toEqual(Array(8).fill('queued'));
    expect(await queue.value(`select count(*)::int from background_jobs where status = 'queued'`)).toBe(6);
  });

  it('takes defaults from job_types, and knows what to do with unknown types', async () => {
    await queue.syncTypes(
      { type: 'a', lane: 'worker', timeout_seconds: 7, max_retries: 9, priority: 5, concurrency_limit: 4 },
      { type: 'in', lane: 'inline' },
    );
    const [known, given, unknown, inline] = await queue.enqueue(
      { type: 'a', concurrency_key: 'k' },
      {
        type: 'a',
        lane: 'edge',
        timeout_seconds: 1,
        max_retries: 0,
        priority: 0,
        concurrency_key: 'k',
        concurrency_limit: 2,
      },
      { type: 'never/seen', payload: null, concurrency_key: 'k' },
      { type: 'in' },
    );
    expect(await queue.job(known as string)).toMatchObject({
      lane: 'worker',
      timeout_seconds: 7,
      max_retries: 9,
      priority: 5,
      concurrency_limit: 4,
      payload: {},
    });
    expect(await queue.job(given as string)).toMatchObject({
      lane: 'edge',
      timeout_seconds: 1,
      max_retries: 0,
      priority: 0,
      concurrency_limit: 2,
    });
    expect(await queue.job(unknown as string)).toMatchObject({
      lane: 'edge',
      max_retries: 3,
      concurrency_limit: 1,
      payload: null,
    });
    expect(await queue.job(inline as string)).toMatchObject({ lane: 'edge' });
    const expires = 'select extract(epoch from expires_at - run_at)::int from background_jobs where id = $1';
    expect(await queue.value(expires, [known])).toBe(24 * 3600);
  });

  it('keeps every key it was given', async () => {
    const job = {
      type: 'a',
      payload: { x: [1] },
      lane: 'worker',
      priority: -3,
      run_at: '2031-01-01T00:00:00.000Z',
      expires_at: '2031-01-02T00:00:00.000Z',
      max_retries: 1,
      timeout_seconds: 2,
      idempotency_key: 'i',
      concurrency_key: 'c',
      concurrency_limit: 3,
      inngest_event_id: 'e',
      inngest_run_id: 'r',
      repository_id: randomUUID(),
    };
    const [id] = await queue.enqueue(job);
    expect(await queue.job(id as string)).toMatchObject({
      ...job,
      run_at: new Date(job.run_at),
      expires_at: new Date(job.expires_at),
      status: 'queued',
    });
  });

  it('reads whole numbers however JSON writes them', async () => {
    const [{ id } = { id: '' }] = await queue.sql<Answer>(
      `select * from enqueue_background_jobs('[{"type": "a", "priority": 2.0, "max_retries": 1e1}]')`,
    );
    expect(await queue.job(id)).toMatchObject({ priority: 2, max_retries: 10 });
  });

  it('refuses texts too wide for an index by name', async () => {
    const wide = Array.from({ length: 1000 }, () =>
      String.fromCodePoint(0x20000 + Math.floor(Math.random() * 40_000)),
    );
    for (const key of ['idempotency_key', 'concurrency_key', 'type']) {
      await expect(enqueue([{ type: 'a', [key]: wide.join('') }])).rejects.toMatchObject({
        code: 'PT400',
        message: expect.stringMatching(new RegExp(`^jobs\\[0\\]\\.${key}: `)) as string,
      });
    }
  });
});

describe('enqueue_background_jobs refuses the whole call', () => {
  const refused: [string, unknown, RegExp][] = [
    ['a job that is no object', 7, /^jobs\[1\]: expected an object, got number$/],
    ['a job that is null', null, /^jobs\[1\]: expected an object, got null$/],
    ['no type', { payload: 1 }, /^jobs\[1\]\.type: /],
    ['a null type', { type: null }, /^jobs\[1\]\.type: /],
    ['a blank type', { type: ' ' }, /^jobs\[1\]\.type: /],
    ['a type that is no string', { type: 5 }, /^jobs\[1\]\.type: /],
    ['an unknown key', { type: 'a', colour: 'red' }, /^jobs\[1\]\.colour: unknown key$/],
    ['a lane that does not exist', { type: 'a', lane: 'moon' }, /^jobs\[1\]\.lane: expected edge or worker/],
    ['the inline lane', { type: 'a', lane: 'inline' }, /^jobs\[1\]\.lane: expected edge or worker/],
    ['a lane that is no string', { type: 'a', lane: ['edge'] }, /^jobs\[1\]\.lane: /],
    ['a fractional priority', { type: 'a', priority: 1.5 }, /^jobs\[1\]\.priority: .* got 1\.5$/],
    ['a priority out of bounds', { type: 'a', priority: 10_001 }, /^jobs\[1\]\.priority: /],
    ['a priority in a string', { type: 'a', priority: '1' }, /^jobs\[1\]\.priority: /],
    ['negative retries', { type: 'a', max_retries: -1 }, /^jobs\[1\]\.max_retries: /],
    ['a time-out of zero', { type: 'a', timeout_seconds: 0 }, /^jobs\[1\]\.timeout_seconds: /],
    ['an enormous time-out', { type: 'a', timeout_seconds: 1e300 }, /^jobs\[1\]\.timeout_seconds: /],
    ['a concurrency limit of zero', { type: 'a', concurrency_limit: 0 }, /^jobs\[1\]\.concurrency_limit: /],
    ['a run_at that is no time', { type: 'a', run_at: 'soonish' }, /^jobs\[1\]\.run_at: /],
    ['a run_at that is a number', { type: 'a', run_at: 1 }, /^jobs\[1\]\.run_at: /],
    ['an infinite run_at', { type: 'a', run_at: 'infinity' }, /^jobs\[1\]\.run_at: /],
    ['a run_at at the end of time', { type: 'a', run_at: '294276-12-31T23:59:59Z' }, /^jobs\[1\]\.run_at: /],
    [
      'a run_at at the beginning of time',
      { type: 'a', run_at: '4713-01-01 00:00:00 BC' },
      /^jobs\[1\]\.run_at: /,
    ],
    ['an expires_at that is no time', { type: 'a', expires_at: {} }, /^jobs\[1\]\.expires_at: /],
    [
      'an idempotency key that is no string',
      { type: 'a', idempotency_key: 1 },
      /^jobs\[1\]\.idempotency_key: /,
    ],
    ['an empty idempotency key', { type: 'a', idempotency_key: '' }, /^jobs\[1\]\.idempotency_key: /],
    ['an object as concurrency key', { type: 'a', concurrency_key: {} }, /^jobs\[1\]\.concurrency_key: /],
    ['an empty concurrency key', { type: 'a', concurrency_key: '' }, /^jobs\[1\]\.concurrency_key: /],
    [
      'a concurrency limit of zero beside its key',
      { type: 'a', concurrency_key: 'k', concurrency_limit: 0 },
      /^jobs\[1\]\.concurrency_limit: /,
    ],
    [
      'a text as concurrency limit beside its key',
      { type: 'a', concurrency_key: 'k', concurrency_limit: '2' },
      /^jobs\[1\]\.concurrency_limit: /,
    ],
    [
      'an unknown field beside a concurrency key',
      { type: 'a', concurrency_key: 'k', limit: 2 },
      /^jobs\[1\]\.limit: unknown key/,
    ],
    ['a number as event id', { type: 'a', inngest_event_id: 1 }, /^jobs\[1\]\.inngest_event_id: /],
    ['a list as run id', { type: 'a', inngest_run_id: [] }, /^jobs\[1\]\.inngest_run_id: /],
    [
      'a repository id that is no uuid',
      { type: 'a', repository_id: '42' },
      /^jobs\[1\]\.repository_id: expected a uuid/,
    ],
    [
      'a callback to whom nobody registered',
      { type: 'a', callback_url: 'https://example.com/private' },
      /^jobs\[1\]\.callback_url: expected a URL under a registered callback endpoint .* https:\/\/example\.com$/,
    ],
  ];

  it.each(refused)('for %s, naming index and key', async (_name, job, message) => {
    await expect(enqueue([{ type: 'a' }, job])).rejects.toMatchObject({
      code: 'PT400',
      message: expect.stringMatching(message) as string,
    });
    expect(await queue.value('select count(*)::int from background_jobs')).toBe(0);
  });

  it.each([[{ type: 'a' }], ['x'], [null], [3]])('for %j instead of an array', async (jobs) => {
    await expect(enqueue(jobs)).rejects.toMatchObject({
      code: 'PT400',
      message: expect.stringMatching(/^jobs: /) as string,
    });
    await expect(queue.sql('select enqueue_background_jobs(null)')).rejects.toMatchObject({ code: 'PT400' });
  });

  it('for a payload over 1 MB, with PT413, and takes one of 1 MB', async () => {
    const megabyte = 'x'.repeat(1_048_576 - 2);
    await expect(enqueue([{ type: 'a' }, { type: 'a', payload: `${megabyte}x` }])).rejects.toMatchObject({
      code: 'PT413',
      message: expect.stringMatching(/^jobs\[1\]\.payload: .*1 MB/) as string,
    });
    expect(await queue.value('select count(*)::int from background_jobs')).toBe(0);
    expect(await enqueue([{ type: 'a', payload: megabyte }])).toHaveLength(1);
  });
});
