import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../tests/support/database.ts';
import { type HybridEndpoint, startHybridEndpoint } from '../../tests/support/hybrid-endpoint.ts';
import { DatabaseUnreachableError, type UncheckedRpc } from '../database/rpc.ts';
import type { JobDefinition } from '../jobs/define-job.ts';
import { ping } from '../jobs/system/ping.ts';
import { createInngestExecutor } from '../local/inngest-executor.ts';
import { signAsInngest } from '../local/inngest-signature.ts';
import type { Logger } from '../runtime/logger.ts';

const signingKey = 'signkey-prod-0123456789abcdef0123456789abcdef';
const catalog = [ping] as JobDefinition[];
const functionId = 'hybrid-jobs-system-ping';

let database: TestDatabase;
let cloud: HybridEndpoint;
let development: HybridEndpoint;

beforeAll(async () => {
  database = await createTestDatabase();
  cloud = await startHybridEndpoint({ rpc: database.rpc, catalog, inngest: { isDev: false, signingKey } });
  development = await startHybridEndpoint({ rpc: database.rpc, catalog });
});

afterAll(async () => {
  await cloud.close();
  await development.close();
  await database.close();
});

afterEach(() => expectSoundQueue(database.pool));

async function countJobs(): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>('select count(*)::int from background_jobs');
  return rows[0]?.count ?? 0;
}

const body = {
  version: -1,
  event: { id: 'signed-1', name: 'system/ping', data: { hello: 'wörld', n: 1.5 }, ts: 1 },
  events: [{ id: 'signed-1', name: 'system/ping', data: { hello: 'wörld', n: 1.5 }, ts: 1 }],
  steps: {},
  ctx: { run_id: 'run-1', attempt: 0, stack: { stack: [], current: 0 } },
};

async function post(
  endpoint: HybridEndpoint,
  text: string,
  headers: Record<string, string> = {},
  fnId = functionId,
): Promise<Response> {
  return await fetch(`${endpoint.url}?fnId=${fnId}&stepId=step`, { method: 'POST', headers, body: text });
}

const minutes = (count: number): Date => new Date(Date.now() + count * 60_000);

describe('in the cloud', () => {
  it.each([
    ['unsigned', () => Promise.resolve({})],
    [
      'signed with another key',
      async () => ({ 'x-inngest-signature': await signAsInngest(body, 'signkey-prod-ffff', minutes(0)) }),
    ],
    [
      'signed six minutes ago',
      async () => ({ 'x-inngest-signature': await signAsInngest(body, signingKey, minutes(-6)) }),
    ],
    [
      'signed six minutes ahead',
      async () => ({ 'x-inngest-signature': await signAsInngest(body, signingKey, minutes(6)) }),
    ],
    [
      'signed for another body',
      async () => ({
        'x-inngest-signature': await signAsInngest({ ...body, steps: { x: 1 } }, signingKey, minutes(0)),
      }),
    ],
    ['with a malformed signature', () => Promise.resolve({ 'x-inngest-signature': 'nonsense' })],
  ] as [string, () => Promise<Record<string, string>>][])(
    'refuses a request that is %s, and runs nothing',
    async (_, headers) => {
      const before = await countJobs();
      const answer = await post(cloud, JSON.stringify(body), await headers());
      expect(answer.status).toBe(401);
      expect(await answer.text()).not.toContain(signingKey.slice(13));
      expect(await countJobs()).toBe(before);
    },
  );

  it('runs a request that is signed as Inngest signs, up to five minutes old', async () => {
    const headers = { 'x-inngest-signature': await signAsInngest(body, signingKey, minutes(-4)) };
    const answer = await post(cloud, JSON.stringify(body), headers);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      lane: 'inline',
      status: 'completed',
      result: { hello: 'wörld', n: 1.5 },
    });
    expect(answer.headers.get('x-inngest-signature')).toMatch(/^t=\d+&s=[0-9a-f]{64}$/);
  });

  it('runs what the local executor signs', async () => {
    const executor = createInngestExecutor({
      url: cloud.url,
      signingKey,
      functions: [{ id: functionId, triggers: [{ event: 'system/ping' }] }],
    });
    const [run] = await executor.send({
      name: 'system/ping',
      data: { unicode: '😀 “quoted”', nested: { b: [1, 2], a: null } },
    });
    expect(run).toMatchObject({ status: 'completed', output: { result: { nested: { b: [1, 2] } } } });
  });

  it('does not list its functions to strangers', async () => {
    const answer = await fetch(cloud.url);
    expect(answer.status).toBe(401);
    expect(await answer.text()).not.toContain('functions');
  });

  it('serves nothing without a signing key, and says why only in its log', async () => {
    const lines: string[] = [];
    const log: Logger = {
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: (_, message) => void lines.push(message),
      child: () => log,
    };
    const keyless = await startHybridEndpoint({ rpc: database.rpc, catalog, inngest: { isDev: false }, log });
    try {
      for (const method of ['GET', 'POST', 'PUT']) {
        const answer = await fetch(`${keyless.url}?fnId=${functionId}&stepId=step`, {
          method,
          body: method === 'POST' ? JSON.stringify(body) : undefined,
        });
        expect(answer.status).toBe(500);
        expect(await answer.json()).toEqual({ message: 'inngest-hybrid is not configured to serve' });
      }
      expect(lines.join()).toContain('INNGEST_SIGNING_KEY');
    } finally {
      await keyless.close();
    }
  });
});

describe('in development', () => {
  it('lists its functions with their ids and triggers', async () => {
    const answer = await fetch(development.url);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      mode: 'dev',
      function_count: 1,
      functions: [{ id: functionId, name: 'Ping', triggers: [{ event: 'system/ping' }] }],
    });
  });

  it.each([
    ['malformed JSON', 400, () => post(development, '{"event":')],
    ['no body', 401, () => post(development, '')],
    ['a body that is no call', 500, () => post(development, '{"event": 5}')],
    [
      'an unknown function',
      500,
      () => post(development, JSON.stringify(body), {}, 'hybrid-jobs-no-such-job'),
    ],
    ['another method', 405, () => fetch(development.url, { method: 'DELETE' })],
    [
      'a body over 6 MB of which nobody said how long it is',
      413,
      async () => {
        const chunk = new Uint8Array(1_000_000).fill(0x20);
        let left = 7;
        const pull = (stream: ReadableStreamDefaultController<Uint8Array>): void => {
          left -= 1;
          if (left >= 0) stream.enqueue(chunk);
          else stream.close();
        };
        const body = new ReadableStream({ pull });
        const init = {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
          duplex: 'half',
        };
        return await development.handle(
          new Request(`${development.url}?fnId=${functionId}&stepId=step`, init),
        );
      },
    ],
    ['a body over 6 MB', 413, () => post(development, `{"event": "${'x'.repeat(7_000_000)}"}`)],
  ] as [string, number, () => Promise<Response>][])(
    'answers %s with %i and writes nothing',
    async (_, status, send) => {
      const before = await countJobs();
      const answer = await send();
      expect(answer.status).toBe(status);
      expect(await answer.json()).toHaveProperty('message');
      expect(await countJobs()).toBe(before);
    },
  );

  it('mirrors the job kinds again at the next request when the database was away', async () => {
    let syncs = 0;
    const endpoint = await startHybridEndpoint({
      catalog,
      rpc: async <Result>(...call: Parameters<UncheckedRpc>): Promise<Result> => {
        if (call[0] === 'sync_job_types' && (syncs += 1) === 1) throw new DatabaseUnreachableError('away');
        return await database.rpc<Result>(...call);
      },
    });
    for (let request = 1; request <= 3; request += 1) await fetch(endpoint.url);
    expect(syncs).toBe(2);
    await endpoint.close();
  });

  it('mirrors the job kinds into job_types at the first request', async () => {
    await fetch(development.url);
    await expect
      .poll(async () => {
        const select = `select title, lane from job_types where type = 'system/ping'`;
        const { rows } = await database.pool.query<Record<string, unknown>>(select);
        return rows;
      })
      .toEqual([{ title: 'Ping', lane: 'inline' }]);
  });
});
