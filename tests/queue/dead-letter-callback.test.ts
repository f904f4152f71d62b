import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deaths } from './deaths.ts';
import { lease, useQueue } from './test-queue.ts';

const queue = useQueue();

const receiver = 'https://alerts.example.com/jobs';
const url = `${receiver}/dead`;
const elsewhere = 'https://hooks.example.com/jobs';

const setTo = (value: unknown): Promise<unknown[]> =>
  queue.sql(`update job_settings set value = $1 where name = 'dead_letter_callback_url'`, [
    JSON.stringify(value),
  ]);

beforeEach(async () => {
  await queue.sql('select register_callback_endpoint($1), register_callback_endpoint($2)', [
    receiver,
    elsewhere,
  ]);
  await setTo(url);
});
afterEach(async () => {
  await setTo(null);
  await queue.sql('delete from callback_endpoints');
});

interface Delivery {
  id: string;
  url: string;
  body: { type: string; data: Record<string, unknown> };
}

const deliveries = (): Promise<Delivery[]> =>
  queue.sql(
    `select j.id, c.url, c.body::jsonb as body from background_jobs j join background_job_callbacks c on c.job_id = j.id
     where j.type = 'system/callback.deliver' order by j.id`,
  );

describe('dead_letter_callback_url', () => {
  it.each(deaths)('is told of a job that is dead: $reason', async ({ reason, die }) => {
    const jobId = await die(queue);
    const data = expect.objectContaining({ jobId, type: 'test/dead', status: 'failed', reason }) as object;
    expect(await deliveries()).toEqual([
      {
        id: expect.any(String) as string,
        url,
        body: { type: 'job.failed', timestamp: expect.any(String) as string, data },
      },
    ]);
  });

  it('is told with a signature of its endpoint, a few messages at a time', async () => {
    await deaths[0]?.die(queue);
    const [{ id } = { id: '' }] = await deliveries();
    expect(await queue.job(id)).toMatchObject({
      concurrency_key: 'callback:https://alerts.example.com',
      concurrency_limit: 5,
    });
    expect(await queue.sql('select endpoint, headers from sign_callback($1)', [id])).toEqual([
      {
        endpoint: receiver,
        headers: expect.objectContaining({
          'webhook-id': id,
          'webhook-signature': expect.stringMatching(/^v1,/) as string,
        }) as object,
      },
    ]);
  });

  it('is not told of a job that completes, is cancelled, or will be tried again', async () => {
    const [done, retried] = [await queue.running(), await queue.running()];
    await queue.complete(lease(done));
    await queue.fail(retried);
    await queue.sql('select cancel_background_job($1)', [retried.id]);
    expect(await queue.sql(`select status from background_jobs order by id`)).toEqual([
      { status: 'completed' },
      { status: 'cancelled' },
    ]);
    expect(await deliveries()).toEqual([]);
  });

  it('is not told of its own failed deliveries, nor of other jobs of the queue itself', async () => {
    await deaths[0]?.die(queue);
    const [delivery] = await queue.claim({ types: ['system/callback.deliver'] });
    await queue.fail(delivery!, { retryable: false });
    const own = await queue.running({ type: 'system/ping' });
    await queue.fail(own, { retryable: false });
    expect(await queue.sql(`select type from dead_letter_jobs where type like 'system/%'`)).toHaveLength(2);
    expect(await deliveries()).toHaveLength(1);
  });

  it('is told beside the callback_url of the job, and once where both are the same', async () => {
    await queue.enqueue(
      { type: 'test/both', callback_url: `${elsewhere}/done` },
      { type: 'test/same', callback_url: url },
    );
    for (const job of await queue.claim()) await queue.fail(job, { retryable: false });
    const told = (await deliveries()).map((delivery) => [delivery.body.data['type'], delivery.url]);
    expect(told.sort()).toEqual([
      ['test/both', url],
      ['test/both', `${elsewhere}/done`],
      ['test/same', url],
    ]);
  });

  it('is told again when a redriven job fails again', async () => {
    const id = await deaths[1]!.die(queue);
    await queue.sql(`select redrive_dead_letter_jobs('test/dead')`);
    const [again] = await queue.claim({ types: ['test/dead'] });
    await queue.fail(again!, { retryable: false });
    expect((await deliveries()).map(({ body }) => body.data['jobId'])).toEqual([id, id]);
  });

  it('is told of each of many jobs that expire at once', async () => {
    await queue.sql(
      `select from enqueue_background_jobs((select jsonb_agg(
         '{"type": "test/dead", "expires_at": "2020-01-01T00:00:00Z"}'::jsonb) from generate_series(1, 1200)))`,
    );
    await queue.sql('select sweep_background_jobs()');
    const told = await deliveries();
    expect(told).toHaveLength(1200);
    expect(new Set(told.map(({ body }) => body.data['jobId'])).size).toBe(1200);
  });

  it('tells nobody while it is null', async () => {
    await setTo(null);
    await deaths[0]?.die(queue);
    expect(await deliveries()).toEqual([]);
  });

  it.each([
    ['https://other.example.com/jobs', /^dead_letter_callback_url: expected a URL under a registered/],
    ['https://alerts.example.com/jobs/../admin', /^dead_letter_callback_url: expected a plain http/],
    [7, /^dead_letter_callback_url: expected a plain http/],
    [true, /^dead_letter_callback_url: expected a plain http/],
  ])('refuses %j', async (value, message) => {
    await expect(setTo(value)).rejects.toMatchObject({
      code: 'PT400',
      message: expect.stringMatching(message) as string,
    });
  });

  it('refuses a URL of a disabled endpoint, also from service_role, which may set it otherwise', async () => {
    await queue.sql(`select disable_callback_endpoint($1, 'moved')`, [elsewhere]);
    const client = await queue.connect();
    const set = (value: string | null) =>
      client.query(`update job_settings set value = $1 where name = 'dead_letter_callback_url'`, [
        JSON.stringify(value),
      ]);
    await client.query('set role service_role');
    try {
      await expect(set(elsewhere)).rejects.toMatchObject({
        code: 'PT400',
        message: expect.stringContaining('is disabled (moved)') as string,
      });
      for (const value of [receiver, null]) expect((await set(value)).rowCount).toBe(1);
    } finally {
      await client.query('reset role');
    }
  });
});
