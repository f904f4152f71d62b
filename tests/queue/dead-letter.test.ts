import { describe, expect, it } from 'vitest';
import { deaths } from './deaths.ts';
import { useQueue } from './test-queue.ts';

const queue = useQueue();

/** Failed jobs of these types, failed so many hours ago. */
async function failed(...jobs: [type: string, hoursAgo: number][]): Promise<string[]> {
  const ids = await queue.enqueue(...jobs.map(([type]) => ({ type, max_retries: 2 })));
  for (const job of await queue.claim()) await queue.fail(job, { retryable: false });
  for (const [index, [, hoursAgo]] of jobs.entries())
    await queue.internally(
      `update background_jobs set failed_at = now() - $2 * interval '1 hour', retry_count = 2 where id = $1`,
      [ids[index], hoursAgo],
    );
  return ids;
}

const dead = async (): Promise<string[]> =>
  (await queue.sql<{ type: string }>('select type from dead_letter_jobs order by type')).map(
    ({ type }) => type,
  );

describe('dead_letter_jobs', () => {
  it.each(deaths)(
    'shows a job that is dead: $reason, and it is explained',
    async ({ reason, die, explained }) => {
      const id = await die(queue);
      expect(await queue.sql('select id, failure_reason from dead_letter_jobs where id = $1', [id])).toEqual([
        { id, failure_reason: reason },
      ]);
      expect(await queue.value('select explain_background_job($1)', [id])).toMatch(explained);
    },
  );

  it('knows all reasons that a row may have', async () => {
    const refusal = await queue
      .sql(`insert into background_jobs (type, status, failure_reason) values ('a', 'failed', 'bad luck')`)
      .then(() => '', String);
    const [, known = ''] = /failure_reason: expected (.*), got bad luck/.exec(refusal) ?? [];
    const reasons = known.split(/, | or /);
    expect(reasons.sort()).toEqual(deaths.map(({ reason }) => reason).sort());
  });
});

describe('redrive_dead_letter_jobs', () => {
  it('queues failed jobs again with all their retries, and keeps their errors', async () => {
    const [id = ''] = await failed(['a', 1], ['b', 2]);
    expect(await queue.value('select redrive_dead_letter_jobs()')).toBe(2);
    expect(await queue.job(id)).toMatchObject({
      status: 'queued',
      retry_count: 0,
      failed_at: null,
      error: 'boom',
    });
    expect(await queue.claim()).toHaveLength(2);
  });

  it('takes those of a type, since a time, the earliest first, and no more than asked for', async () => {
    await failed(['a', 1], ['a', 2], ['a', 30], ['b', 1]);
    const redrive = `select redrive_dead_letter_jobs(type => 'a', since => now() - interval '1 day', max_jobs => 1)`;
    expect(await queue.value(redrive)).toBe(1);
    expect(await queue.value(redrive)).toBe(1);
    expect(await queue.value(redrive)).toBe(0);
    expect(await dead()).toEqual(['a', 'b']);
  });

  it('passes by a job that somebody holds', async () => {
    const [held] = await failed(['a', 1], ['b', 1]);
    const operator = await queue.connect();
    await operator.query('begin');
    await operator.query('select from background_jobs where id = $1 for update', [held]);
    expect(await queue.value('select redrive_dead_letter_jobs()')).toBe(1);
    expect(await dead()).toEqual(['a']);
  });
});

describe('discard_dead_letter_jobs', () => {
  it('takes failed jobs out of the dead letter, and leaves their errors readable', async () => {
    const [old = '', young = ''] = await failed(['a', 48], ['a', 1], ['b', 48]);
    const discard = `select discard_dead_letter_jobs(type => 'a', before => now() - interval '1 day')`;
    expect(await queue.value(discard)).toBe(1);
    expect(await queue.job(old)).toMatchObject({
      status: 'cancelled',
      error: 'boom',
      cancel_reason: 'discarded from the dead letter',
    });
    expect(await queue.job(young)).toMatchObject({ status: 'failed' });
    expect(await dead()).toEqual(['a', 'b']);
  });

  it.each(['redrive_dead_letter_jobs', 'discard_dead_letter_jobs'])(
    'refuses, like %s, a senseless number',
    async (name) => {
      for (const max of [0, -1, 100_001, null])
        await expect(queue.value(`select ${name}(max_jobs => $1)`, [max])).rejects.toMatchObject({
          code: 'PT400',
          message: expect.stringContaining('max_jobs: expected 1 to 100000') as string,
        });
    },
  );
});

describe('prune_background_jobs', () => {
  const monthAgo = `now() - interval '30 days'`;

  /** A job that was made and ended a month ago, as its id says, too. */
  async function old(status: string): Promise<void> {
    await queue.sql(
      `insert into background_jobs (id, type, lane, status, created_at, run_at)
       values (job_queue.first_uuid_at(${monthAgo} + random() * interval '1 hour'), 'old', 'edge', $1, ${monthAgo}, ${monthAgo})`,
      [status],
    );
    await queue.internally(
      `update background_jobs set completed_at = ${monthAgo}, failed_at = ${monthAgo}, started_at = ${monthAgo}
       where type = 'old' and status = 'completed'`,
    );
  }

  it('deletes old finished jobs, never one that waits or runs, nor a young one', async () => {
    await queue.running({ type: 'young' });
    const finished = await queue.running({ type: 'young' });
    await queue.complete({ job_id: finished.id, lease_token: finished.lease_token });
    await old('completed');
    await old('cancelled');
    await old('queued');
    expect(await queue.value(`select prune_background_jobs('7 days', 1)`)).toBe(1);
    expect(await queue.value(`select prune_background_jobs('7 days', 1000)`)).toBe(1);
    expect(await queue.value(`select prune_background_jobs('7 days', 1000)`)).toBe(0);
    const left = await queue.sql('select type, status from background_jobs order by type, status');
    expect(left).toEqual([
      { type: 'old', status: 'queued' },
      { type: 'young', status: 'completed' },
      { type: 'young', status: 'processing' },
    ]);
  });

  it('keeps an old job that ended lately', async () => {
    await old('completed');
    await queue.internally('update background_jobs set completed_at = now()');
    expect(await queue.value(`select prune_background_jobs('7 days', 1000)`)).toBe(0);
  });

  it.each([
    [`'6 days 23 hours'`, '1', 'older_than: expected at least 7 days'],
    ['null', '1', 'older_than: expected at least 7 days'],
    [`'7 days'`, '0', 'max_rows: expected 1 to 100000'],
  ])('refuses (%s, %s)', async (olderThan, maxRows, message) => {
    await expect(queue.value(`select prune_background_jobs(${olderThan}, ${maxRows})`)).rejects.toMatchObject(
      {
        code: 'PT400',
        message: expect.stringContaining(message) as string,
      },
    );
  });

  it('finds its rows through the ids, however many younger ones there are', async () => {
    await queue.sql(
      `select from enqueue_background_jobs((select jsonb_agg('{"type": "young"}'::jsonb) from generate_series(1, 3000)))`,
    );
    await queue.sql('analyze background_jobs');
    const plan = await queue.sql<{ 'QUERY PLAN': string }>(
      `explain select p.id from background_jobs p where p.id < job_queue.first_uuid_at(now() - interval '7 days')
         and p.status in ('completed', 'failed', 'cancelled') order by p.id limit 100 for update skip locked`,
    );
    expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toContain(
      'Index Scan using background_jobs_pkey',
    );
  });
});
