import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProcessJobHandler } from '../../src/process-job/handler.ts';
import { createJobQueue } from '../../src/queue/job-queue.ts';
import { parseProcessJobConfig } from '../../src/runtime/config.ts';
import { createOutsideHttp } from '../../src/runtime/outside-http.ts';
import { type Endpoints, openEndpoints } from '../fuzz/http/endpoints.ts';
import { fuzzKeys } from '../fuzz/http/outside.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { noOpenAi } from '../support/no-openai.ts';
import { silentLogger } from '../support/silent-logger.ts';

let database: TestDatabase;
let endpoints: Endpoints;

beforeAll(async () => {
  database = await createTestDatabase();
  endpoints = await openEndpoints(database.url, silentLogger);
});
afterAll(async () => {
  await endpoints.close();
  await database.close();
});

async function token(
  claims: Record<string, unknown>,
  expires = '1h',
  secret = fuzzKeys.jwtSecret,
): Promise<string> {
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(secret));
}

const user = { role: 'authenticated', sub: '01920000-0000-7000-8000-000000000001' };
const service = { role: 'service_role' };

/** What a stranger, a user or an operator may come with. */
const credentials: Record<string, () => Promise<string | null>> = {
  'no key': () => Promise.resolve(null),
  'a wrong key': () => Promise.resolve('sb_secret_wrong'),
  'the beginning of the secret key': () => Promise.resolve(fuzzKeys.secret.slice(0, -1)),
  'the publishable key': () => Promise.resolve(fuzzKeys.publishable),
  'the token of a user': () => token(user),
  'the token of an operator': () => token({ ...user, app_metadata: { role: 'job_operator' } }),
  'an expired token': () => token(user, '-1h'),
  'an expired legacy key': () => token(service, '-1h'),
  'a token signed by somebody else': () => token(service, '1h', 'x'.repeat(40)),
  'a token that nobody signed': () =>
    Promise.resolve(new UnsecuredJWT(service).setExpirationTime('1h').encode()),
  'the secret key': () => Promise.resolve(fuzzKeys.secret),
  'the legacy service role key': () => token(service),
  'the event key': () => Promise.resolve(fuzzKeys.event),
  'the signing key': () => Promise.resolve(fuzzKeys.signing),
};

/** Who is let in, as the status of an answer to a request that is right in all else; all others get 401. */
const letIn: Record<
  string,
  { body: object; path?: string; statuses: Partial<Record<keyof typeof credentials, number>> }
> = {
  // 404: there is no such job, and no such repository.
  'process-job': { body: { jobId: user.sub }, statuses: { 'the secret key': 404 } },
  'analysis-start': {
    body: { repo_id: user.sub },
    statuses: { 'the token of a user': 404, 'the token of an operator': 404 },
  },
  gateway: {
    body: {},
    path: '/rest/v1/rpc/get_job_statistics_summary',
    // 403: known, and not allowed to.
    statuses: {
      'the secret key': 200,
      'the legacy service role key': 200,
      'the token of a user': 403,
      'the token of an operator': 403,
    },
  },
  // The key is a part of the address, the signature one of the body: no header opens these.
  events: { body: { name: 'system/ping' }, path: '/wrong', statuses: {} },
  'inngest-hybrid': { body: {}, path: '?fnId=hybrid-jobs-system-ping&stepId=step', statuses: {} },
  'inngest-embeddings': {
    body: {},
    path: '?fnId=hybrid-jobs-embeddings-compute-embeddings&stepId=step',
    statuses: {},
  },
};

/** Asks for no key: the host of a worker, which may reach its port, learns whether it lives. */
const health = 'worker-health';

/** Nobody may become somebody by them. */
const forwarded = {
  'x-forwarded-for': '127.0.0.1',
  'x-forwarded-host': 'localhost',
  'x-forwarded-proto': 'https',
  'x-real-ip': '127.0.0.1',
  forwarded: 'for=127.0.0.1;host=localhost',
  'x-http-method-override': 'GET',
};

async function post(name: string, headers: Record<string, string>): Promise<Response> {
  const endpoint = endpoints.all.find((each) => each.name === name);
  const { body, path = '' } = letIn[name] ?? { body: {} };
  if (!endpoint) throw new Error(`${name} is not an endpoint`);
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
  return await endpoint.handle(new Request(endpoint.url + path, init));
}

it('every endpoint is in the matrix', () => {
  expect([...Object.keys(letIn), health].sort()).toEqual(endpoints.all.map(({ name }) => name).sort());
});

it.each(Object.entries(credentials))('the health port tells %s no more than anybody', async (_who, make) => {
  const key = await make();
  const endpoint = endpoints.all.find(({ name }) => name === health);
  const headers: HeadersInit = key === null ? {} : { authorization: `Bearer ${key}` };
  const answer = await endpoint?.handle(new Request(`${endpoint.url}/live`, { headers }));
  expect(answer?.status).toBe(200);
  const known = ['idle', 'lanes', 'lastHeartbeat', 'running', 'stopping', 'worker'];
  expect(Object.keys((await answer?.json()) as object).sort()).toEqual(known);
});

describe.each(Object.keys(letIn))('%s', (name) => {
  it.each(Object.entries(credentials))('asks %s for what it may', async (who, make) => {
    const key = await make();
    const expected = letIn[name]?.statuses[who] ?? 401;
    const answer = await post(name, key === null ? {} : { authorization: `Bearer ${key}` });
    expect(answer.status).toBe(expected);
    const text = await answer.text();
    expect(text).not.toContain(key ?? 'sb_secret');
    if (name !== 'gateway') expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('believes no header that a proxy would set, and no page of another origin', async () => {
    const answer = await post(name, { ...forwarded, origin: 'https://evil.example.com' });
    expect(answer.status).toBe(401);
  });
});

describe('process-job, while keys are rotated', () => {
  const legacy = 'eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl';
  const env = (keys: object) => ({
    SUPABASE_URL: 'http://localhost:1',
    SUPABASE_SECRET_KEYS: JSON.stringify(keys),
  });

  async function statusWith(settings: Record<string, string>, key: string): Promise<number> {
    const { acceptedKeys } = parseProcessJobConfig(settings);
    const handler = createProcessJobHandler({
      ...{
        acceptedKeys,
        queue: createJobQueue(database.rpc),
        rpc: database.rpc,
        inngestEvents: null,
      },
      loadJobs: () => Promise.reject(new Error('there are no jobs here')),
      ...{ openai: noOpenAi, http: createOutsideHttp(), log: silentLogger, now: () => new Date() },
      ...{ worker: 'w', concurrency: 1, leaseSeconds: 30, startedAt: new Date(), wallSeconds: 150 },
      waitUntil: () => undefined,
      wake: () => Promise.resolve({ woken: false }),
    });
    const headers = { apikey: key };
    return (
      await handler.handle(new Request('http://localhost/', { method: 'POST', headers, body: '{"x":1}' }))
    ).status;
  }

  it('takes both keys of a dictionary, and no longer the one that left it', async () => {
    const both = env({ default: 'sb_secret_new', old: 'sb_secret_old' });
    expect(await statusWith(both, 'sb_secret_new')).toBe(400);
    expect(await statusWith(both, 'sb_secret_old')).toBe(400);
    expect(await statusWith(env({ default: 'sb_secret_new' }), 'sb_secret_old')).toBe(401);
  });

  it('takes the legacy key where it is set, and a secret of its own', async () => {
    const settings = {
      ...env(['sb_secret_new']),
      SUPABASE_SERVICE_ROLE_KEY: legacy,
      PROCESS_JOB_SECRET: 'its-own-secret',
    };
    expect(await statusWith(settings, legacy)).toBe(400);
    expect(await statusWith(settings, 'its-own-secret')).toBe(400);
    expect(await statusWith(env(['sb_secret_new']), legacy)).toBe(401);
  });
});
