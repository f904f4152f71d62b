import { createHmac } from 'node:crypto';
import { createAdaptorServer } from '@hono/node-server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../../tests/support/database.ts';
import { claimNew, testHost } from '../../../tests/support/queue-host.ts';
import { type LogRecord, recordingLogger } from '../../../tests/support/recording-logger.ts';
import { listen, type Listening } from '../../local/listen.ts';
import { createJobQueue, type JobQueue } from '../../queue/job-queue.ts';
import type { Outcome } from '../../queue/outcome.ts';
import { perform } from '../../queue/perform.ts';
import type { PerformHostOptions } from '../../queue/perform-host.ts';
import { createOutsideHttp } from '../../runtime/outside-http.ts';
import type { OutsideHttp } from '../job-context.ts';
import { deliverCallback } from './deliver-callback.ts';

interface Received {
  path: string;
  headers: Record<string, string>;
  body: string;
}

let database: TestDatabase;
let queue: JobQueue;
let receiver: Listening;
let received: Received[];
/** What the receiver says next; 204 when it has nothing else to say. */
let answers: Response[];
let secret: string;
let logged: LogRecord[];
const outside = createOutsideHttp();

beforeAll(async () => {
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
  await queue.syncJobTypes([deliverCallback]);
  const fetch = async (request: Request): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    const headers = Object.fromEntries(request.headers);
    received.push({ path: pathname + search, headers, body: await request.text() });
    return answers.shift() ?? new Response(null, { status: 204 });
  };
  receiver = await listen(createAdaptorServer({ fetch }));
});
beforeEach(async () => {
  received = [];
  answers = [];
  logged = [];
  secret = await register(receiver.url, true);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await expectSoundQueue(database.pool);
  await database.pool.query('delete from background_jobs; delete from callback_endpoints');
});
afterAll(async () => {
  await receiver.close();
  await database.close();
});

async function value<T>(text: string, values: unknown[] = []): Promise<T> {
  const { rows } = await database.pool.query<Record<string, T>>(text, values);
  return Object.values(rows[0] ?? {})[0] as T;
}

const register = (url: string, allowPrivate = false): Promise<string> =>
  value('select register_callback_endpoint($1, $2)', [url, allowPrivate]);

/** A job that ends well and is to be told. @returns the ids of the job and of the delivery */
async function ended(
  callbackUrl = `${receiver.url}/hook?from=queue`,
): Promise<{ jobId: string; id: string }> {
  const job = await claimNew(queue, { type: 'test/told', callbackUrl });
  await queue.complete([{ jobId: job.id, leaseToken: job.leaseToken, result: { rows: 3 } }]);
  const id = await value<string>(
    `select id from background_jobs where type = 'system/callback.deliver' order by id desc`,
  );
  return { jobId: job.id, id };
}

async function attempt(id: string, http: Partial<OutsideHttp> = {}, more: Partial<PerformHostOptions> = {}) {
  const claimed = await queue.claimOne(id, 'test', 30);
  if (!claimed) throw new Error(`delivery ${id} could not be claimed`);
  const host = testHost(
    { queue, rpc: database.rpc, catalog: [deliverCallback] },
    { http: { ...outside, ...http }, log: recordingLogger(logged), ...more },
  );
  return await perform(claimed, host);
}

const errorOf = (outcome: Outcome): string => ('error' in outcome ? outcome.error.message : outcome.kind);

/** As a receiver checks it, with a library of its own. */
function signatureOf(key: string, { headers, body }: Received): string {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const bytes = Buffer.from(key.replace('whsec_', ''), 'base64');
  return `v1,${createHmac('sha256', bytes).update(signed).digest('base64')}`;
}

describe('a callback', () => {
  it('reaches its receiver, signed, with what became of the job', async () => {
    const { jobId, id } = await ended();
    expect(await attempt(id)).toMatchObject({
      kind: 'complete',
      result: { status: 204, endpoint: receiver.url },
    });
    const [request] = received;
    expect(request).toMatchObject({
      path: '/hook?from=queue',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-signature': signatureOf(secret, request!),
      },
    });
    const sentAt = Number(request?.headers['webhook-timestamp']) * 1000;
    expect(Math.abs(Date.now() - sentAt)).toBeLessThan(300_000);
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      type: 'job.completed',
      data: { jobId, type: 'test/told', status: 'completed', result: { rows: 3 } },
    });
  });

  it('keeps its id and body over retries, and says the same although the job has moved on', async () => {
    const { jobId, id } = await ended();
    answers = [new Response('busy', { status: 503 }), new Response(null, { status: 502 })];
    expect(await attempt(id)).toMatchObject({ kind: 'retry' });
    await database.pool.query(`update background_jobs set status = 'queued' where id = $1`, [jobId]);
    expect(await attempt(id)).toMatchObject({ kind: 'retry' });
    expect(await attempt(id)).toMatchObject({ kind: 'complete' });
    expect(new Set(received.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([id]));
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    for (const request of received)
      expect(request.headers['webhook-signature']).toBe(signatureOf(secret, request));
  });

  it('is verifiable with either secret for a day after a rotation', async () => {
    const fresh = await value<string>('select rotate_callback_secret($1)', [receiver.url]);
    const { id } = await ended();
    await attempt(id);
    const signatures = received[0]?.headers['webhook-signature']?.split(' ');
    expect(signatures).toEqual([signatureOf(fresh, received[0]!), signatureOf(secret, received[0]!)]);
  });

  it('waits longer from time to time, and as long as the receiver asks', async () => {
    const { id } = await ended();
    answers = [
      new Response(null, { status: 500 }),
      new Response(null, { status: 500 }),
      new Response(null, { status: 429, headers: { 'retry-after': '3000' } }),
    ];
    const waits: number[] = [];
    for (let n = 0; n < 3; n++) {
      const outcome = await attempt(id);
      if (outcome.kind === 'retry') waits.push(outcome.retryAfterSeconds ?? 0);
    }
    expect(waits[0]).toBeGreaterThanOrEqual(5);
    expect(waits[0]).toBeLessThanOrEqual(6);
    expect(waits[1]).toBeGreaterThanOrEqual(60);
    expect(waits[2]).toBe(3000);
  });

  it.each([408, 409, 425, 429, 500, 502, 503, 504, 300, 307])('is tried again after %i', async (status) => {
    const { id } = await ended();
    answers = [new Response(null, { status })];
    expect(errorOf(await attempt(id))).toBe(
      `job system/callback.deliver: ${receiver.url} answered ${status}`,
    );
    expect(await queue.get(id)).toMatchObject({ status: 'queued' });
  });

  it.each([400, 401, 403, 404, 405, 413, 422])('is given up after %i', async (status) => {
    const { id } = await ended();
    answers = [new Response(null, { status })];
    expect(await attempt(id)).toMatchObject({ kind: 'failed' });
  });

  it('follows no redirect', async () => {
    const { id } = await ended();
    answers = [new Response(null, { status: 302, headers: { location: `${receiver.url}/elsewhere` } })];
    expect(await attempt(id)).toMatchObject({ kind: 'retry' });
    expect(received.map(({ path }) => path)).toEqual(['/hook?from=queue']);
  });

  it('disables an endpoint that answers 410; it is sent once that is enabled and the job redriven', async () => {
    const { id } = await ended();
    const waiting = await ended();
    answers = [new Response(null, { status: 410 })];
    expect(await attempt(id)).toMatchObject({ kind: 'failed' });
    expect(errorOf(await attempt(waiting.id))).toContain(`the callback endpoint ${receiver.url} is disabled`);
    expect(received).toHaveLength(1);
    await expect(queue.enqueue([{ type: 'a', callbackUrl: receiver.url }])).rejects.toMatchObject({
      message: expect.stringContaining('is disabled (it answered 410)') as string,
    });
    await database.pool.query('select enable_callback_endpoint($1)', [receiver.url]);
    expect(await value(`select redrive_dead_letter_jobs('system/callback.deliver')`)).toBe(2);
    expect(await attempt(waiting.id)).toMatchObject({ kind: 'complete' });
  });

  it('is tried again when nobody listens, or nobody answers within 15 s', async () => {
    const { id } = await ended();
    const unreachable = `job system/callback.deliver: ${receiver.url} could not be reached`;
    const refused = (): Promise<Response> => Promise.reject(new TypeError('fetch failed'));
    expect(errorOf(await attempt(id, { fetch: refused }))).toBe(unreachable);
    const timeout = new AbortController();
    const timer = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(timeout.signal);
    const hanging: typeof fetch = (_, init) => {
      timeout.abort(new DOMException('timed out', 'TimeoutError'));
      return init?.signal?.aborted ? Promise.reject(init.signal.reason as Error) : new Promise(() => {});
    };
    expect(errorOf(await attempt(id, { fetch: hanging }))).toBe(unreachable);
    expect(timer).toHaveBeenCalledWith(15_000);
    expect(await queue.get(id)).toMatchObject({ status: 'queued' });
  });

  it('started by an event has nothing to send', async () => {
    const { jobId } = await ended();
    const forged = await claimNew(queue, { type: 'system/callback.deliver', payload: { jobId } });
    const host = testHost({ queue, rpc: database.rpc, catalog: [deliverCallback] });
    expect(errorOf(await perform(forged, host))).toContain('nothing was written down for this job to send');
    expect(received).toEqual([]);
  });
});

describe('an endpoint that was not allowed to be private', () => {
  const endpoint = 'https://hooks.example.com';
  const refusal = `job system/callback.deliver: ${endpoint}: expected a host whose addresses are all public`;

  it('is called when all addresses of its name are public', async () => {
    await register(endpoint);
    const { id } = await ended(`${endpoint}/hook`);
    const asked: string[] = [];
    const addresses = ['93.184.216.34', '2606:4700::1111'];
    const postTo = vi.fn<OutsideHttp['postTo']>((_, url, init) =>
      outside.postTo(['127.0.0.1'], url.replace(endpoint, receiver.url), init),
    );
    const resolve = (host: string): Promise<string[]> => Promise.resolve(asked.push(host) ? addresses : []);
    expect(await attempt(id, { resolve, postTo })).toMatchObject({ kind: 'complete' });
    expect(asked).toEqual(['hooks.example.com']);
    expect(postTo.mock.calls.map(([to]) => to)).toEqual([addresses]);
    expect(received).toMatchObject([{ path: '/hook' }]);
  });

  it('is called at the address that was checked, though its name has changed to one of ours since', async () => {
    const url = receiver.url.replace('http://127.0.0.1', 'https://rebound.invalid');
    await register(url);
    const { id } = await ended(`${url}/hook`);
    // The second answer, like that of the host's own resolver, is never asked for.
    const resolve = vi.fn<OutsideHttp['resolve']>().mockResolvedValue(['127.0.0.1']);
    resolve.mockResolvedValueOnce(['93.184.216.34']);
    const connected: (readonly string[])[] = [];
    const postTo: OutsideHttp['postTo'] = (addresses) => {
      connected.push(addresses);
      return Promise.reject(new Error('connect ETIMEDOUT'));
    };
    const fetch = vi.fn<typeof globalThis.fetch>();
    expect(await attempt(id, { resolve, postTo, fetch })).toMatchObject({ kind: 'retry' });
    expect([connected, resolve.mock.calls.length]).toEqual([[['93.184.216.34']], 1]);
    expect(fetch).not.toHaveBeenCalled();
    // The next attempt looks again, and sees the change.
    expect(errorOf(await attempt(id, { resolve, postTo, fetch }))).toContain('addresses are all public');
    expect([connected.length, received]).toEqual([1, []]);
  });

  it.each([
    [['127.0.0.1']],
    [['93.184.216.34', '169.254.169.254']],
    [['::ffff:10.0.0.1']],
    [['fd00::1']],
    [[]],
  ])('is not called when its name resolves to %j', async (addresses) => {
    await register(endpoint);
    const { id } = await ended(`${endpoint}/hook`);
    const send = vi.fn<OutsideHttp['postTo']>();
    const outcome = await attempt(id, { resolve: () => Promise.resolve(addresses), postTo: send });
    expect([outcome.kind, errorOf(outcome)]).toEqual(['failed', refusal]);
    expect(send).not.toHaveBeenCalled();
  });

  it.each(['https://2130706433', 'https://[::1]', 'https://127.1', 'https://169.254.169.254'])(
    'is not called at %s, though somebody wrote that into the table',
    async (address) => {
      await register(address, true);
      await database.pool.query('update callback_endpoints set allow_private = false where url = $1', [
        address,
      ]);
      const { id } = await ended(`${address}/hook`);
      const send = vi.fn<OutsideHttp['postTo']>();
      expect(errorOf(await attempt(id, { postTo: send }))).toContain(
        'expected a host whose addresses are all',
      );
      expect(send).not.toHaveBeenCalled();
    },
  );

  it('is asked for later when its name cannot be resolved', async () => {
    await register(endpoint);
    const { id } = await ended(`${endpoint}/hook`);
    const resolve = (): Promise<string[]> => Promise.reject(new Error('getaddrinfo EAI_AGAIN'));
    expect(await attempt(id, { resolve })).toMatchObject({ kind: 'retry' });
  });
});

it('the secret and what follows the host are in no log line, no row, no error and no result', async () => {
  const { id } = await ended(`${receiver.url}/hook?token=of-the-receiver`);
  answers = [new Response(null, { status: 500 }), new Response(null, { status: 403 })];
  const outcomes = [await attempt(id), await attempt(id)];
  const next = await ended();
  outcomes.push(await attempt(next.id));
  const tables = [
    'background_jobs',
    'background_job_attempts',
    'background_job_steps',
    'background_job_callbacks',
  ];
  const rows = await Promise.all(
    tables.map((table) => value<string>(`select coalesce(string_agg(t::text, ' '), '') from ${table} t`)),
  );
  const said = JSON.stringify([logged, outcomes]);
  expect(said).toContain(id);
  expect(said + rows.join()).not.toContain(secret.slice('whsec_'.length));
  expect(said).not.toContain('of-the-receiver');
});
