import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lease, useQueue } from './test-queue.ts';

const queue = useQueue();

const receiver = 'https://hooks.example.com/jobs';
const url = `${receiver}/done?for=tests`;
const register = (...values: unknown[]): Promise<string> =>
  queue.value(`select register_callback_endpoint(${values.map((_, n) => `$${n + 1}`).join(', ')})`, values);

let secret: string;
beforeEach(async () => {
  secret = await register(receiver);
});
afterEach(async () => {
  await queue.sql('delete from callback_endpoints');
});

interface Delivery {
  id: string;
  url: string;
  body: { type: string; timestamp: string; data: Record<string, unknown> };
}

/** What waits to be sent, in the order in which the jobs ended. */
async function deliveries(): Promise<Delivery[]> {
  return await queue.sql(
    `select j.id, c.url, c.body::jsonb as body from background_jobs j join background_job_callbacks c on c.job_id = j.id
     where j.type = 'system/callback.deliver' order by j.id`,
  );
}

const told = async (): Promise<string[]> => (await deliveries()).map(({ body }) => body.type);

describe('a job with a callback_url', () => {
  it('that completes starts one delivery, with its result', async () => {
    const job = await queue.running({ callback_url: url, idempotency_key: 'order 7' });
    expect(await deliveries()).toEqual([]);
    await queue.complete(lease(job, { result: { rows: 3, none: null } }));
    expect(await deliveries()).toEqual([
      {
        id: expect.any(String) as string,
        url,
        body: {
          type: 'job.completed',
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
          data: expect.objectContaining({
            jobId: job.id,
            type: 'test/job',
            status: 'completed',
            idempotencyKey: 'order 7',
            result: { rows: 3, none: null },
          }) as object,
        },
      },
    ]);
    const [{ id } = { id: '' }] = await deliveries();
    expect(await queue.job(id)).toMatchObject({ status: 'queued', lane: 'edge', payload: { jobId: job.id } });
  });

  it('that another job enqueues, or that begins inline, calls back as well', async () => {
    const begun = JSON.stringify({ type: 'inline', callback_url: url, idempotency_key: 'inline 1' });
    const [inline] = await queue.sql<{ id: string; lease_token: string }>(
      `select * from begin_background_job($1, 'w1', 60)`,
      [begun],
    );
    const followUp = { type: 'follow-up', callback_url: url };
    await queue.complete({ job_id: inline?.id, lease_token: inline?.lease_token, enqueue: [followUp] });
    const [claimed] = await queue.claim({ types: ['follow-up'] });
    await queue.complete(lease(claimed!));
    expect((await deliveries()).map(({ body }) => body.data.type)).toEqual(['inline', 'follow-up']);
  });

  it('says nothing while it is retried, and tells its error when it fails', async () => {
    const job = await queue.running({ callback_url: url, max_retries: 1 });
    await queue.fail(job, { retryAfter: 0 });
    expect(await told()).toEqual([]);
    const [again] = await queue.claim();
    await queue.fail(again!);
    expect(await deliveries()).toMatchObject([
      { body: { type: 'job.failed', data: { jobId: job.id, error: 'boom', reason: 'retries_spent' } } },
    ]);
  });

  it('tells a cancellation and its reason', async () => {
    const [id] = await queue.enqueue({ type: 'a', callback_url: url });
    await queue.sql(`select cancel_background_job($1, 'not wanted')`, [id]);
    expect(await deliveries()).toMatchObject([
      { body: { type: 'job.cancelled', data: { jobId: id, reason: 'not wanted' } } },
    ]);
  });

  it('tells that its process died for good, that it expired, and that its parent failed', async () => {
    const crashed = await queue.running({ type: 'crashed', callback_url: url, max_retries: 0 });
    await queue.enqueue(
      { type: 'expired', callback_url: url, expires_at: '2020-01-01T00:00:00Z' },
      { type: 'child', callback_url: url, depends_on: [crashed.id], on_parent_failure: 'fail' },
    );
    await queue.expireLeases(crashed.id);
    await queue.sql('select sweep_background_jobs()');
    const reasons = (await deliveries()).map(({ body: { data } }) => [data.type, data.reason]);
    expect(Object.fromEntries(reasons)).toEqual({
      crashed: 'crashed',
      expired: 'expired',
      child: 'dependency_failed',
    });
    expect(reasons).toHaveLength(3);
  });

  it('calls again when an operator retries it and it fails again', async () => {
    const job = await queue.running({ callback_url: url });
    await queue.fail(job, { retryable: false });
    await queue.sql('select retry_failed_job($1)', [job.id]);
    const [again] = await queue.claim({ types: ['test/job'] });
    await queue.fail(again!, { retryable: false });
    expect(await told()).toEqual(['job.failed', 'job.failed']);
    const ids = (await deliveries()).map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
  });

  it.each(['the edit', 'the completion'])(
    'calls once when %s wins the race between the two',
    async (first) => {
      const job = await queue.running({ callback_url: url });
      const [operator, worker] = [await queue.connect(), await queue.connect()];
      const edit = (): Promise<unknown> =>
        operator.query(`update background_jobs set status = 'failed' where id = $1`, [job.id]);
      const complete = (): Promise<unknown> =>
        worker.query('select * from complete_background_jobs($1)', [JSON.stringify([lease(job)])]);
      const [winner, win, loser, lose] =
        first === 'the edit'
          ? ([operator, edit, worker, complete] as const)
          : ([worker, complete, operator, edit] as const);
      await winner.query('begin');
      await win();
      const losing = lose();
      await queue.untilBlocked(loser, winner);
      await winner.query('commit');
      await losing;
      expect(await told()).toEqual([first === 'the edit' ? 'job.failed' : 'job.completed']);
    },
  );

  it('calls once when a hundred rows are edited by hand at once, and not when they are deleted', async () => {
    await queue.enqueue(...Array.from({ length: 100 }, () => ({ type: 'a', callback_url: url })));
    await queue.sql(`update background_jobs set status = 'failed', error = 'by hand' where type = 'a'`);
    expect(await told()).toHaveLength(100);
    await queue.sql(`delete from background_jobs where type = 'a'`);
    expect(await told()).toHaveLength(100);
  });

  it('leaves a result of more than 64 KiB to be fetched', async () => {
    const job = await queue.running({ callback_url: url });
    await queue.complete(lease(job, { result: 'x'.repeat(65_535) }));
    expect((await deliveries())[0]?.body.data).toMatchObject({
      result: null,
      resultOmitted: true,
      resultBytes: 65_537,
    });
  });

  it('ends all the same when somebody wrote a senseless URL into its row', async () => {
    const job = await queue.running();
    await queue.sql(`update background_jobs set callback_url = 'no url' where id = $1`, [job.id]);
    expect(await queue.complete(lease(job))).toEqual([true]);
    const [delivery] = await deliveries();
    expect(await queue.sql('select endpoint, headers from sign_callback($1)', [delivery?.id])).toEqual([
      { endpoint: null, headers: null },
    ]);
  });
});

describe('enqueue refuses', () => {
  const refusal = async (callbackUrl: unknown): Promise<string> =>
    await queue.enqueue({ type: 'a' }, { type: 'a', callback_url: callbackUrl }).then(
      () => 'nothing',
      (error: { code: string; message: string }) => `${error.code} ${error.message}`,
    );

  it.each([
    'https://hooks.example.com',
    'https://hooks.example.com/job',
    'https://hooks.example.com/jobs-of-another',
    'https://hooks.example.com.evil.example/jobs',
    'https://hooks.example.com:8443/jobs',
    'http://hooks.example.com/jobs',
  ])('%s, which lies under no endpoint', async (callbackUrl) => {
    expect(await refusal(callbackUrl)).toMatch(
      /^PT400 jobs\[1\]\.callback_url: expected a URL under a registered/,
    );
  });

  it.each([
    'https://hooks.example.com/jobs/../admin',
    'https://hooks.example.com/jobs/%2E%2e/admin',
    'https://hooks.example.com/jobs/.%2e',
    'https://hooks.example.com/jobs\\..\\admin',
    'https://hooks.example.com/jobs/\t../admin',
    'https://hooks.example.com/jobs/#fragment',
    'https://user:password@hooks.example.com/jobs',
    'https://HOOKS.example.com/jobs',
    'https://hooks.example.com/jobs/\n',
    `https://hooks.example.com/jobs/${'x'.repeat(2000)}`,
    'ftp://hooks.example.com/jobs',
    '',
    7,
    ['https://hooks.example.com/jobs'],
  ])('%j, which is no plain URL', async (callbackUrl) => {
    expect(await refusal(callbackUrl)).toMatch(/^PT400 jobs\[1\]\.callback_url: expected a plain http/);
  });

  it('a URL whose endpoint is disabled, until it is enabled', async () => {
    await queue.sql(`select disable_callback_endpoint($1, 'moved')`, [receiver]);
    expect(await refusal(url)).toBe(
      `PT400 jobs[1].callback_url: the callback endpoint ${receiver} is disabled (moved)`,
    );
    expect(await queue.value('select enable_callback_endpoint($1)', [receiver])).toBe(true);
    expect(await refusal(url)).toBe('nothing');
  });

  it('nothing under an endpoint, whatever its path and query', async () => {
    for (const good of [
      receiver,
      `${receiver}/`,
      `${receiver}?a=/../b`,
      `${receiver}/a%20b/c.d?x=1&y=[]`.slice(0, -2),
    ])
      expect(await refusal(good)).toBe('nothing');
  });
});

describe('register_callback_endpoint', () => {
  it('returns a secret of 32 bytes, another for each', async () => {
    expect(secret).toMatch(/^whsec_/);
    expect(Buffer.from(secret.slice(6), 'base64')).toHaveLength(32);
    expect(await register('https://other.example.com/')).not.toBe(secret);
  });

  it('refuses one that is known, and points to rotation', async () => {
    await expect(register(`${receiver}/`)).rejects.toMatchObject({ code: 'PT409' });
  });

  it.each([
    'http://hooks.example.com',
    'https://localhost',
    'https://queue',
    'https://printer.local',
    'https://metadata.google.internal',
    'https://127.0.0.1',
    'https://127.1',
    'https://2130706433',
    'https://0x7f000001',
    'https://0177.0.0.1',
    'https://169.254.169.254',
    'https://8.8.8.8',
    'https://[::1]',
    'https://[::ffff:127.0.0.1]',
    'https://localhost.',
  ])('refuses %s unless it is told that private ones are meant', async (privateUrl) => {
    await expect(register(privateUrl)).rejects.toMatchObject({
      code: 'PT400',
      message: 'url: expected https and a public host name',
    });
    expect(await register(privateUrl, true)).toMatch(/^whsec_/);
  });

  it.each([`${receiver}?a=1`, 'https://a@b.example.com', 'gopher://a.example.com', '', null])(
    'refuses %j, private or not',
    async (malformed) => {
      await expect(register(malformed, true)).rejects.toMatchObject({ code: 'PT400' });
    },
  );
});

describe('what is signed', () => {
  interface Signed {
    headers: Record<string, string>;
    body: string;
  }
  const sign = async (id: string): Promise<Signed> =>
    (await queue.sql<Signed>('select * from sign_callback($1)', [id]))[0] as Signed;
  const signature = (key: string, { headers, body }: Signed): string =>
    `v1,${createHmac('sha256', Buffer.from(key.slice('whsec_'.length), 'base64'))
      .update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`)
      .digest('base64')}`;

  async function ended(result: unknown = 'done'): Promise<string> {
    const job = await queue.running({ callback_url: url });
    await queue.complete(lease(job, { result }));
    return (await deliveries()).at(-1)?.id ?? '';
  }

  it("is the test vector of Standard Webhooks' libraries", async () => {
    const vector = [
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      '1614265330',
      '{"test": 2432232314}',
    ];
    expect(await queue.value('select job_queue.webhook_signature($1, $2, $3, $4)', vector)).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });

  it('holds for every length of key, as HMAC of another library does', async () => {
    for (const length of [0, 1, 63, 64, 65, 200]) {
      const key = Buffer.alloc(length, 0xa7);
      expect(await queue.value(`select encode(job_queue.hmac_sha256($1, 'message'), 'hex')`, [key])).toBe(
        createHmac('sha256', key).update('message').digest('hex'),
      );
    }
  });

  it('has the id of the delivery, the time of now and the one signature', async () => {
    const id = await ended('ünïcode 🐘');
    const signed = await sign(id);
    expect(signed.headers).toEqual({
      'webhook-id': id,
      'webhook-timestamp': expect.stringMatching(/^\d{10}$/) as string,
      'webhook-signature': signature(secret, signed),
    });
    expect(signed.body).toContain('ünïcode 🐘');
  });

  it('has both signatures for 24 hours after a rotation, then the new one', async () => {
    const id = await ended();
    const fresh = await queue.value<string>('select rotate_callback_secret($1)', [receiver]);
    const both = await sign(id);
    expect(both.headers['webhook-signature']).toBe(`${signature(fresh, both)} ${signature(secret, both)}`);
    expect(
      await queue.value(
        `select previous_secret_until between now() + interval '23 hours 59 minutes' and now() + interval '24 hours 1 minute'
         from callback_endpoints`,
      ),
    ).toBe(true);
    await queue.sql('update callback_endpoints set previous_secret_until = now()');
    const one = await sign(id);
    expect(one.headers['webhook-signature']).toBe(signature(fresh, one));
  });

  it('is nothing for a disabled endpoint, and for a job that is no delivery', async () => {
    const id = await ended();
    await queue.sql('select disable_callback_endpoint($1)', [receiver]);
    expect((await sign(id)).headers).toBeNull();
    const [other] = await queue.enqueue({ type: 'system/callback.deliver', payload: { jobId: id } });
    expect(await sign(other ?? '')).toBeUndefined();
  });

  it('needs a secret that nobody may read', async () => {
    const client = await queue.connect();
    for (const role of ['anon', 'authenticated', 'service_role'])
      for (const column of ['secret', 'previous_secret', '*']) {
        await client.query(`begin; set local role ${role}`);
        await expect(client.query(`select ${column} from callback_endpoints`)).rejects.toMatchObject({
          code: '42501',
        });
        await client.query('rollback');
      }
    await client.query('begin; set local role service_role');
    expect((await client.query('select url, enabled from callback_endpoints')).rows).toEqual([
      { url: receiver, enabled: true },
    ]);
    for (const change of ['delete from callback_endpoints', `update callback_endpoints set secret = 'x'`]) {
      await client.query('savepoint s');
      await expect(client.query(change)).rejects.toMatchObject({ code: '42501' });
      await client.query('rollback to s');
    }
  });

  it.each(['rotate_callback_secret', 'disable_callback_endpoint', 'enable_callback_endpoint'])(
    'cannot be changed by %s where nothing is registered',
    async (name) => {
      await expect(queue.sql(`select ${name}('https://nobody.example.com')`)).rejects.toMatchObject({
        code: 'PT404',
      });
    },
  );
});
