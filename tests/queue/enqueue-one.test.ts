import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { useQueue } from './test-queue.ts';

const queue = useQueue();

type Arguments = Partial<
  Record<
    'type' | 'payload' | 'lane' | 'idempotency_key' | 'inngest_event_id' | 'inngest_run_id',
    string | null
  >
>;

/** Calls by name, as PostgREST does; `payload` is JSON. */
async function enqueueOne(args: Arguments): Promise<string | null> {
  const list = Object.keys(args).map((name, index) => `${name} => $${index + 1}`);
  return await queue.value(`select enqueue_background_job(${list.join(', ')})`, Object.values(args));
}

const count = async (): Promise<number> => await queue.value('select count(*)::integer from background_jobs');

describe('enqueue_background_job', () => {
  const columns = `type, payload, status, lane, priority, max_retries, timeout_seconds, idempotency_key, inngest_event_id,
    inngest_run_id, revision > 0 as ours, expires_at - run_at as keeps, abs(extract(epoch from run_at - created_at)) < 60 as now`;

  it.each(['known', 'unknown'])('makes the row that an array of one makes, of an %s type', async (type) => {
    await queue.syncTypes({
      ...{ type: 'known', lane: 'inline', timeout_seconds: 7, max_retries: 5, priority: 2 },
    });
    const texts = { inngest_event_id: 'event', inngest_run_id: 'run' };
    const [listed] = await queue.enqueue({ type, payload: { n: 1 }, idempotency_key: 'a', ...texts });
    const one = await enqueueOne({ type, payload: '{"n": 1}', idempotency_key: 'b', ...texts });
    const row = async (id: string | null | undefined) =>
      await queue.sql(
        `select ${columns.replace('idempotency_key,', '')} from background_jobs where id = $1`,
        [id],
      );
    expect(await row(one)).toEqual(await row(listed));
    const ready = `select lane, type, run_at - sort_at as priority, expires_at - run_at as keeps from background_job_ready where id = $1`;
    expect(await queue.sql(ready, [one])).toEqual(await queue.sql(ready, [listed]));
  });

  it('needs no more than a type, and takes a lane', async () => {
    const id = await enqueueOne({ type: 'a', lane: 'worker' });
    expect(await queue.sql('select id, lane, payload from background_jobs')).toEqual([
      { id, lane: 'worker', payload: {} },
    ]);
  });

  it('stores null as a payload that says null', async () => {
    await enqueueOne({ type: 'a', payload: null });
    expect(await queue.value('select payload::text from background_jobs')).toBe('null');
  });

  it('does nothing when the idempotency key is known, and answers null', async () => {
    expect(await enqueueOne({ type: 'a', idempotency_key: 'k' })).not.toBeNull();
    expect(await enqueueOne({ type: 'b', idempotency_key: 'k' })).toBeNull();
    expect(await queue.sql('select type from background_jobs')).toEqual([{ type: 'a' }]);
    expect(await queue.value('select count(*)::integer from background_job_ready')).toBe(1);
  });

  it('makes one row when five calls bring the same key at once', async () => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => queue.connect()));
    const key = randomUUID();
    const answers = await Promise.all(
      clients.map((client) =>
        queue.value<string | null>(
          `select enqueue_background_job('a', idempotency_key => $1)`,
          [key],
          client,
        ),
      ),
    );
    expect(answers.filter((id) => id !== null)).toHaveLength(1);
    expect(await count()).toBe(1);
  });

  it('takes a payload of 1 MB', async () => {
    const payload = JSON.stringify('x'.repeat(1_048_576 - 2));
    const id = await enqueueOne({ type: 'a', payload, idempotency_key: 'k' });
    expect(await queue.sql('select id, pg_column_size(payload) > 0 as kept from background_jobs')).toEqual([
      { id, kept: true },
    ]);
    expect(await enqueueOne({ type: 'a', payload, idempotency_key: 'k' })).toBeNull();
  });

  const long = 'x'.repeat(1001);
  it.each<[string, Arguments, string, RegExp]>([
    ['no type', { type: null }, 'PT400', /^jobs\[0\]\.type/],
    ['a blank type', { type: ' ' }, 'PT400', /^jobs\[0\]\.type/],
    ['a type that is too long', { type: long }, 'PT400', /^jobs\[0\]\.type/],
    ['a type that is too long by its blanks', { type: `a${' '.repeat(1000)}` }, 'PT400', /^jobs\[0\]\.type/],
    ['the inline lane', { type: 'a', lane: 'inline' }, 'PT400', /^jobs\[0\]\.lane/],
    ['an empty key', { type: 'a', idempotency_key: '' }, 'PT400', /^jobs\[0\]\.idempotency_key/],
    ['a key that is too long', { type: 'a', idempotency_key: long }, 'PT400', /^jobs\[0\]\.idempotency_key/],
    ['an empty event id', { type: 'a', inngest_event_id: '' }, 'PT400', /^jobs\[0\]\.inngest_event_id/],
    [
      'a long run id',
      { type: 'a', inngest_event_id: 'e', inngest_run_id: long },
      'PT400',
      /^jobs\[0\]\.inngest_run_id/,
    ],
    [
      'a payload over 1 MB',
      { type: 'a', payload: JSON.stringify('x'.repeat(1_048_577)) },
      'PT413',
      /^jobs\[0\]\.payload/,
    ],
  ])('refuses %s by name, and enqueues nothing', async (_what, args, code, message) => {
    await expect(enqueueOne(args)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
    expect(await count()).toBe(0);
  });
});
