import { createAdaptorServer } from '@hono/node-server';
import { Inngest } from 'inngest';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { noOpenAi } from '../../tests/support/no-openai.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../tests/support/database.ts';
import { type HybridEndpoint, startHybridEndpoint } from '../../tests/support/hybrid-endpoint.ts';
import { recordingLogger } from '../../tests/support/recording-logger.ts';
import { DatabaseUnreachableError, type UncheckedRpc } from '../database/rpc.ts';
import { defineJob, type JobDefinition } from '../jobs/define-job.ts';
import { cancelJobs } from '../jobs/system/cancel-jobs.ts';
import { ping } from '../jobs/system/ping.ts';
import { createInngestExecutor, type InngestExecutor } from '../local/inngest-executor.ts';
import { listen, type Listening } from '../local/listen.ts';
import { createEventsApp } from './app.ts';
import { createOutsideHttp } from '../runtime/outside-http.ts';

const long = defineJob({
  type: 'test/long',
  aliases: ['test/long.old-name'],
  payload: z.object({ n: z.number() }),
  run: () => Promise.resolve(null),
});
const onePerKey = defineJob({
  type: 'test/one-per-key',
  lane: 'inline',
  payload: z.object({ key: z.string() }),
  concurrency: { key: ({ key }) => key, limit: 1, expression: 'event.data.key' },
  run: () => Promise.resolve(null),
});
const catalog = [ping, cancelJobs, long, onePerKey] as JobDefinition[];
const key = 'the-event-key';

let database: TestDatabase;
let hybrid: HybridEndpoint;
let inngest: InngestExecutor;
const servers: Listening[] = [];
const log = recordingLogger();

/** Names of the functions that the event API called, and how often `process-job` was woken. */
let calls: string[] = [];
let wakes = 0;
let isAway = false;

const rpc: UncheckedRpc = (name, ...rest) => {
  calls.push(name);
  if (isAway) return Promise.reject(new DatabaseUnreachableError(`${name}: the database did not answer`));
  return database.rpc(name, ...rest);
};

interface Settings {
  eventKey?: string | undefined;
  isDev?: boolean;
  inlineBudgetSeconds?: number;
}

function createApp(settings: Settings = {}) {
  const { eventKey, isDev, inlineBudgetSeconds } = {
    eventKey: key,
    isDev: false,
    inlineBudgetSeconds: 10,
    ...settings,
  };
  const unset = { baseUrl: undefined, branch: undefined, serveOrigin: undefined, servePath: undefined };
  return createEventsApp({
    config: {
      inngest: { environment: 'production', isDev, eventKey, signingKey: undefined, ...unset },
      processJob: { url: 'http://process-job.test', key: 'sb_secret_test' },
      inlineBudgetSeconds,
    },
    catalog,
    rpc,
    openai: noOpenAi,
    github: () => {
      throw new Error('these tests use no GitHub');
    },
    log,
    http: {
      ...createOutsideHttp(),
      fetch: () => {
        wakes += 1;
        return Promise.resolve(Response.json({ message: 'No jobs in queue', jobs: [] }));
      },
    },
    now: () => new Date(),
  });
}

let app: ReturnType<typeof createApp>;
let url: string;

beforeAll(async () => {
  database = await createTestDatabase();
  hybrid = await startHybridEndpoint({ rpc: database.rpc, catalog });
  inngest = createInngestExecutor({ url: hybrid.url });
  app = createApp();
  const server = await listen(createAdaptorServer({ fetch: app }));
  servers.push(server);
  url = server.url;
});

afterAll(async () => {
  for (const server of servers) await server.close();
  await hybrid.close();
  await database.close();
});

afterEach(async () => {
  await expectSoundQueue(database.pool);
  await database.pool.query('truncate background_jobs cascade');
  calls = [];
  wakes = 0;
  log.records.length = 0;
});

/** A sender that knows of us only the URL. */
const sender = (more: Partial<ConstructorParameters<typeof Inngest>[0]> = {}) =>
  new Inngest({ id: 'some-sender', isDev: false, eventKey: key, baseUrl: url, ...more });

interface Answer {
  status: number;
  body: { ids: string[]; status: number; error?: string };
}

async function post(
  body: unknown,
  path = `/e/${key}`,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const request = new Request(`http://events.test${path}`, { method: 'POST', body: text, headers });
  const response = await app(request);
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

async function rows(): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    'select * from background_jobs order by created_at, id',
  );
  return rows;
}

describe("a sender with Inngest's own SDK", () => {
  it('sends one event and gets its id', async () => {
    const { ids } = await sender().send({ name: 'test/long', data: { n: 1 } });
    expect(await rows()).toMatchObject([
      { type: 'test/long', lane: 'edge', status: 'queued', payload: { n: 1 }, inngest_event_id: ids[0] },
    ]);
    expect(wakes).toBe(1);
  });

  it('sends many, by type and by alias, with ids of its own and without', async () => {
    const { ids } = await sender().send([
      { name: 'test/long', data: { n: 1 }, id: 'mine' },
      { name: 'test/long.old-name', data: { n: 2 } },
      { name: 'system/ping', data: { n: 3 } },
    ]);
    expect(ids[0]).toBe('mine');
    expect(new Set(ids).size).toBe(3);
    expect(new Map((await rows()).map((row) => [row['inngest_event_id'], row]))).toMatchObject(
      new Map([
        [ids[0], { type: 'test/long', idempotency_key: 'test/long:mine' }],
        [ids[1], { type: 'test/long', payload: { n: 2 } }],
        [ids[2], { type: 'system/ping', lane: 'edge', status: 'queued' }],
      ]),
    );
  });

  it('sends again when the answer was lost, and makes no second row', async () => {
    let sent = 0;
    const losesFirstAnswer: typeof fetch = async (...request) => {
      const answer = await fetch(...request);
      return sent++ === 0 ? new Response('lost on the way', { status: 502 }) : answer;
    };
    const { ids } = await sender({ fetch: losesFirstAnswer }).send([
      { name: 'test/long', data: { n: 1 } },
      { name: 'test/long', data: { n: 2 } },
    ]);
    expect(sent).toBe(2);
    expect((await rows()).map((row) => row['inngest_event_id']).sort()).toEqual([...ids].sort());
  });

  it('sends again while the database is away, and comes through when it is back', async () => {
    const statuses: number[] = [];
    isAway = true;
    const seesBoth: typeof fetch = async (...request) => {
      const answer = await fetch(...request);
      statuses.push(answer.status);
      isAway = false;
      return answer;
    };
    await sender({ fetch: seesBoth }).send({ name: 'test/long', data: { n: 1 } });
    expect(statuses).toEqual([503, 200]);
    expect(await rows()).toHaveLength(1);
  });

  it('learns why its events were refused', async () => {
    const once = sender();
    await expect(once.send({ name: 'inngest/scheduled.timer', data: {} })).rejects.toThrow(
      '400 events[0].name: expected a name outside inngest/',
    );
    await expect(sender({ eventKey: 'another' }).send({ name: 'test/long' })).rejects.toThrow(
      '401 Event key not found',
    );
    expect(await rows()).toEqual([]);
  });
});

describe('an event that arrives both ways', () => {
  it.each([
    ['test/long', { n: 1 }, { lane: 'edge', status: 'queued' }],
    ['system/ping', { n: 1 }, { lane: 'edge', status: 'queued' }],
  ])('makes one row when it comes here first: %s', async (name, data, expected) => {
    await sender().send({ name, data, id: 'both' });
    const [run] = await inngest.send({ name, data, id: 'both' });
    const [row, ...others] = await rows();
    expect(others).toEqual([]);
    expect(row).toMatchObject(expected);
    expect(run).toMatchObject({ status: 'completed', output: { jobId: row?.['id'], ...expected } });
  });

  it.each([
    ['test/long', { n: 1 }, { lane: 'edge', status: 'queued' }],
    ['system/ping', { n: 1 }, { lane: 'inline', status: 'completed' }],
  ])('makes one row when it comes from Inngest first: %s', async (name, data, expected) => {
    await inngest.send({ name, data, id: 'both' });
    expect(await sender().send({ name, data, id: 'both' })).toEqual({ ids: ['both'] });
    expect(await rows()).toMatchObject([expected]);
    expect(await rows()).toHaveLength(1);
  });

  it('makes one row when both come at once', async () => {
    const event = { name: 'system/ping', data: {}, id: 'both' };
    await Promise.all([inngest.send(event), sender().send(event), sender().send(event)]);
    expect(await rows()).toHaveLength(1);
  });
});

describe('a request', () => {
  it('with thousands of events takes one call of the queue', async () => {
    const events = Array.from({ length: 5_000 }, (_, n) => ({ name: 'test/long', data: { n } }));
    const { status, body } = await post(events);
    expect([status, new Set(body.ids).size]).toEqual([200, 5_000]);
    expect(calls.filter((name) => name !== 'sync_job_types' && name !== 'list_job_lanes')).toEqual([
      'enqueue_background_jobs',
    ]);
    const { rows: counted } = await database.pool.query('select count(*)::integer from background_jobs');
    expect(counted).toEqual([{ count: 5_000 }]);
  });

  it('takes an event that nobody answers to, and logs its name', async () => {
    const { status, body } = await post([
      { name: 'shop/order.placed' },
      { name: 'test/long', data: { n: 1 } },
    ]);
    expect([status, body.ids.length]).toEqual([200, 2]);
    expect(await rows()).toMatchObject([{ type: 'test/long', inngest_event_id: body.ids[1] }]);
    expect(log.records).toContainEqual({
      level: 'warn',
      fields: { names: ['shop/order.placed'] },
      message: 'no job kind answers to these events',
    });
  });

  it('with a time to come makes a job that waits until then, as in Inngest', async () => {
    const ts = Date.now() + 3_600_000;
    await post({ name: 'system/ping', ts }, `/e/${key}?wait=1`);
    expect(await rows()).toMatchObject([{ status: 'queued', run_at: new Date(ts) }]);
  });

  it('does not hand on what Inngest keeps for itself in the data', async () => {
    await post({ name: 'system/ping', data: { kept: 1, _inngest: { fn_id: 'x' } } });
    expect(await rows()).toMatchObject([{ payload: { kept: 1 } }]);
    expect((await rows())[0]?.['payload']).toEqual({ kept: 1 });
  });

  it('may say of whom and of which version an event is', async () => {
    await post({ name: 'system/ping', user: { external_id: 'u' }, v: '2026-11-22', meta: {} });
    expect(await rows()).toMatchObject([{ type: 'system/ping', payload: {} }]);
  });

  it('without events is answered with no ids', async () => {
    expect(await post([])).toEqual({ status: 200, body: { ids: [], status: 200 } });
  });

  it('puts a job on the lane that an operator gave to its type', async () => {
    const moved = createApp();
    await database.pool.query("select set_job_lane('test/long', 'worker')");
    const request = { method: 'POST', body: JSON.stringify({ name: 'test/long', data: { n: 1 } }) };
    await moved(new Request(`http://events.test/e/${key}`, request));
    await database.pool.query("select set_job_lane('test/long', null)");
    expect(await rows()).toMatchObject([{ lane: 'worker' }]);
    expect(wakes).toBe(0);
  });
});

describe('a request that waits', () => {
  it('runs quick jobs before it answers, and enqueues the others', async () => {
    const events = [
      { name: 'system/ping', data: { n: 1 } },
      { name: 'test/long', data: { n: 2 } },
    ];
    const { body } = await post(events, `/e/${key}?wait=1`);
    expect(new Map((await rows()).map((row) => [row['inngest_event_id'], row]))).toMatchObject(
      new Map([
        [body.ids[0], { lane: 'inline', status: 'completed', result: { n: 1 } }],
        [body.ids[1], { lane: 'edge', status: 'queued' }],
      ]),
    );
  });

  it('leaves quick jobs for which no time is left to the edge lane', async () => {
    const outOfTime = createApp({ inlineBudgetSeconds: 0 });
    const request = { method: 'POST', body: JSON.stringify({ name: 'system/ping' }) };
    await outOfTime(new Request(`http://events.test/e/${key}?wait=1`, request));
    expect(await rows()).toMatchObject([{ lane: 'edge', status: 'queued' }]);
  });

  it('leaves a job with a concurrency limit to the edge lane, where the limit is kept', async () => {
    await post({ name: 'test/one-per-key', data: { key: 'a' } }, `/e/${key}?wait=1`);
    expect(await rows()).toMatchObject([{ lane: 'edge', concurrency_key: 'a', concurrency_limit: 1 }]);
  });

  it('cancels the job of an event', async () => {
    await post({ name: 'test/long', data: { n: 1 }, id: 'unwanted' });
    const data = { reason: 'user_requested', eventId: 'unwanted' };
    await post({ name: 'cancel/function', data }, `/e/${key}?wait=1`);
    expect(await rows()).toMatchObject([
      { type: 'test/long', status: 'cancelled' },
      { type: 'system/jobs.cancel', status: 'completed' },
    ]);
  });
});

describe('a malformed request', () => {
  it.each([
    ['not JSON', '[{"name":', 'body: expected JSON, an event or an array of events'],
    ['no object', [{ name: 'test/long' }, 'test/long'], 'events[1]: expected an object'],
    ['no name', { data: {} }, 'events[0].name: expected a non-empty string'],
    ['an empty name', [{ name: '' }], 'events[0].name: expected a non-empty string'],
    ['no data object', { name: 'a', data: [] }, 'events[0].data: expected an object'],
    ['an id that is no text', { name: 'a', id: 7 }, 'events[0].id: expected a string'],
    ['a long id', { name: 'a', id: 'x'.repeat(901) }, 'events[0].id: expected at most 900 bytes of text'],
    ['U+0000 in its id', { name: 'a', id: '\0' }, 'events[0].id: expected at most 900 bytes of text'],
    ['seconds for a time', { name: 'a', ts: 5 }, 'events[0].ts: expected a time from 1980 on'],
    ['half a millisecond', { name: 'a', ts: 1.5 }, 'events[0].ts: expected a whole number of milliseconds'],
    ['too many', new Array(5_001).fill({ name: 'a' }), 'body: expected at most 5000 events, got 5001'],
    ['a cron tick', { name: 'inngest/scheduled.timer' }, 'events[0].name: expected a name outside inngest/'],
  ])('is refused with 400 and the place: %s', async (_, body, error) => {
    const answer = await post(body);
    expect(answer).toMatchObject({ status: 400, body: { ids: [], status: 400 } });
    expect(answer.body.error).toContain(error);
    expect(await rows()).toEqual([]);
  });

  it.each([
    [
      'a payload over 1 MB',
      { name: 'test/long', data: { n: 1, text: 'x'.repeat(1_048_577) } },
      'payload: expected',
    ],
    [
      'a concurrency key that the database refuses',
      { name: 'test/one-per-key', data: { key: 'x'.repeat(1_001) } },
      'concurrency_key: expected a string of 1 to 1000 bytes',
    ],
  ])('is refused as a whole for %s', async (_, bad, error) => {
    const { status, body } = await post([{ name: 'unheard/of' }, { name: 'test/long', data: { n: 1 } }, bad]);
    expect([status, body.ids]).toEqual([400, []]);
    expect(body.error).toContain('events[2]: ');
    expect(body.error).toContain(error);
    expect(await rows()).toEqual([]);
  });

  it('is refused with 413 over 6 MB', async () => {
    const { status, body } = await post(`"${'x'.repeat(6 * 1024 * 1024)}"`);
    expect([status, body.status, body.error]).toEqual([413, 413, 'body: expected at most 6 MB']);
  });
});

describe('the event key', () => {
  it.each([
    ['/e/another-key', 'Event key not found'],
    [`/e/${key}x`, 'Event key not found'],
    ['/e/%E0%A4%A', 'Event key not found'],
    ['/e/', 'Event key is required'],
    ['/.netlify/functions/events', 'Event key is required'],
  ])('is missed at %s', async (path, error) => {
    expect(await post({ name: 'system/ping' }, path)).toEqual({
      status: 401,
      body: { ids: [], status: 401, error },
    });
    expect(calls).toEqual([]);
  });

  it.each([`/e/${key}/`, `/.netlify/functions/events/${key}`, '/e/the%2Devent%2Dkey'])(
    'is found at %s',
    async (path) => {
      expect((await post([], path)).status).toBe(200);
    },
  );

  it('is any one in development where none is set', async () => {
    const anyKey = createApp({ eventKey: undefined, isDev: true });
    const request = new Request('http://events.test/e/NO_EVENT_KEY_SET', { method: 'POST', body: '[]' });
    expect((await anyKey(request)).status).toBe(200);
  });

  it('has to be set elsewhere', () => {
    expect(() => createApp({ eventKey: undefined })).toThrow('expected an event key outside development');
  });
});

it('anything but POST is refused', async () => {
  const answer = await app(new Request(`http://events.test/e/${key}`));
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
});

it('the job types are mirrored into the database at the first request', async () => {
  const fresh = createApp();
  const send = (): Promise<Response> =>
    fresh(new Request(`http://events.test/e/${key}`, { method: 'POST', body: '[]' }));
  await send();
  await send();
  expect(calls.filter((name) => name === 'sync_job_types')).toHaveLength(1);
});
