import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { storeRepository } from '../../tests/support/captured-repository.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../tests/support/database.ts';
import { testKeys } from '../../tests/support/drivers.ts';
import { noOpenAi } from '../../tests/support/no-openai.ts';
import { recordingLogger } from '../../tests/support/recording-logger.ts';
import { createSupabaseClientRpc } from '../database/supabase-rpc.ts';
import { catalog } from '../jobs/catalog.ts';
import { type Gateway, startGateway } from '../local/gateway.ts';
import { createOutsideHttp } from '../runtime/outside-http.ts';
import { createSecretBox } from '../secrets/secret-box.ts';
import { type AnalysisAppOptions, createAnalysisApp } from './app.ts';

const log = recordingLogger();
const secrets = createSecretBox([new Uint8Array(32).fill(7)]);
let database: TestDatabase;
let gateway: Gateway;
let repositoryId: string;
let otherId: string;
/** Bodies of what was sent to Inngest; its answer. */
let sentToInngest: string[] = [];
let inngest: () => Response = () => Response.error();
let wakes = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  gateway = await startGateway({ databaseUrl: database.url, keys: testKeys, log });
  repositoryId = await storeRepository(database, 'octo-org/one', 1);
  otherId = await storeRepository(database, 'octo-org/two', 2);
});
afterAll(async () => {
  await gateway.close();
  await database.close();
});
afterEach(async () => {
  await expectSoundQueue(database.pool);
  await database.pool.query('delete from background_jobs; delete from analysis_jobs');
  [sentToInngest, wakes] = [[], 0];
  inngest = () => Response.error();
  log.records.length = 0;
});

const newUser = (): string => crypto.randomUUID();

async function accessToken(
  claims: Record<string, unknown>,
  expiresAt: string | number = '1h',
): Promise<string> {
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expiresAt)
    .sign(new TextEncoder().encode(testKeys.jwtSecret));
}

const tokenOf = (userId: string): Promise<string> => accessToken({ role: 'authenticated', sub: userId });

function createApp(more: Partial<AnalysisAppOptions> = {}, { url = gateway.url, eventKey = '' } = {}) {
  const unset = { baseUrl: undefined, branch: undefined, serveOrigin: undefined, servePath: undefined };
  const fetcher: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    if (request.url.includes('process-job')) {
      wakes += 1;
      return Response.json({ message: 'No jobs in queue', jobs: [] });
    }
    sentToInngest.push(await request.text());
    return inngest();
  };
  return createAnalysisApp({
    config: {
      inngest: {
        environment: 'production',
        isDev: false,
        eventKey: eventKey || undefined,
        signingKey: undefined,
        ...unset,
      },
      processJob: { url: 'http://process-job.test', key: 'sb_secret_test' },
      inlineBudgetSeconds: 10,
      allowedOrigins: ['https://app.example.com'],
    },
    catalog,
    rpc: createSupabaseClientRpc({ url, key: testKeys.secret }),
    openAsUser: (token) => createSupabaseClientRpc({ url, key: testKeys.secret, accessToken: token }),
    openai: noOpenAi,
    secrets,
    github: () => {
      throw new Error('these tests use no GitHub');
    },
    http: { ...createOutsideHttp(), fetch: fetcher },
    log,
    now: () => new Date(),
    ...more,
  });
}

interface Answer {
  status: number;
  body: { id?: string; status?: string; error?: string; reason?: string };
}

async function ask(request: Request, app = createApp()): Promise<Answer> {
  const response = await app(request);
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

function post(body: unknown, token: string | null, headers: Record<string, string> = {}): Request {
  return new Request('https://site.test/api/analysis/start', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const start = async (userId: string, repoId = repositoryId, app = createApp()): Promise<Answer> =>
  await ask(post({ repo_id: repoId }, await tokenOf(userId)), app);

async function rows<Row extends object>(statement: string): Promise<Row[]> {
  return (await database.pool.query<Row>(statement)).rows;
}

describe('a signed-in user', () => {
  it('starts an analysis: its row, its job, and process-job is woken', async () => {
    const user = newUser();
    const { status, body } = await start(user);
    expect([status, body.status]).toEqual([202, 'pending']);
    expect(await rows('select * from analysis_jobs')).toMatchObject([
      { id: body.id, user_id: user, repository_id: repositoryId, status: 'pending', job_id: null },
    ]);
    expect(await rows('select type, payload, inngest_event_id from background_jobs')).toEqual([
      {
        type: 'repo/analyze.requested',
        payload: { jobId: body.id, userId: user, repoId: repositoryId },
        inngest_event_id: body.id,
      },
    ]);
    expect(wakes).toBe(1);
  });

  it('calling ten times at once has one analysis and one job', async () => {
    const user = newUser();
    const answers = await Promise.all(Array.from({ length: 10 }, () => start(user)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
    expect(await rows('select from analysis_jobs')).toHaveLength(1);
    expect(await rows('select from background_jobs')).toHaveLength(1);
  });

  it('is told of the analysis that runs, and may have another one of another repository', async () => {
    const user = newUser();
    const { body } = await start(user);
    await rows(`update analysis_jobs set status = 'running'`);
    expect(await start(user)).toEqual({ status: 200, body: { id: body.id, status: 'running' } });
    expect((await start(user, otherId)).body.id).not.toBe(body.id);
    expect((await start(newUser())).body.id).not.toBe(body.id);
  });

  it('starts by Inngest where there is an event key, and once, whatever Inngest does', async () => {
    const app = createApp({}, { eventKey: 'the-key' });
    inngest = () => Response.json({ ids: ['x'], status: 200 });
    const user = newUser();
    const { body } = await start(user, repositoryId, app);
    const data = { jobId: body.id, userId: user, repoId: repositoryId };
    expect(sentToInngest.map((text) => JSON.parse(text) as unknown)).toEqual([
      [{ id: body.id, name: 'repo/analyze.requested', data }],
    ]);
    expect(await rows('select from background_jobs')).toEqual([]);
    // Inngest has lost it: the next call goes straight to the queue.
    expect(await start(user, repositoryId, app)).toEqual({
      status: 202,
      body: { id: body.id, status: 'pending' },
    });
    expect(await rows('select from background_jobs')).toHaveLength(1);
  });

  it.each([
    ['refuses', () => new Response('no', { status: 500 })],
    ['is away', () => Promise.reject(new TypeError('fetch failed: https://inn.gs/e/the-key')) as never],
  ])('starts without Inngest when that %s, and no key is logged', async (_case, answer) => {
    inngest = answer;
    expect(await start(newUser(), repositoryId, createApp({}, { eventKey: 'the-key' }))).toMatchObject({
      status: 202,
    });
    expect(await rows('select from background_jobs')).toHaveLength(1);
    expect(JSON.stringify(log.records)).not.toContain('the-key');
  });

  it('gets no more analyses a month than the plan has, those in error not counted', async () => {
    const user = newUser();
    await rows(`insert into analysis_jobs (user_id, repository_id, status, result, error)
      select '${user}', '${repositoryId}', s.status, s.result, s.error from (values
        ('completed', '{}'::jsonb, null), ('completed', '{}', null), ('completed', '{}', null),
        ('completed', '{}', null), ('error', null, 'broken')) as s(status, result, error)`);
    expect((await start(user)).status).toBe(202);
    // The one that waits is still answered.
    expect((await start(user)).status).toBe(202);
    const refused = await start(user, otherId);
    expect(refused).toMatchObject({ status: 402, body: { reason: 'plan_limit' } });
    expect(refused.body.error).toMatch(/^the plan free allows 5 analyses a month/);
    await rows(`insert into analysis_plans values ('team', null);
      insert into analysis_subscribers values ('${user}', 'team')`);
    expect((await start(user, otherId)).status).toBe(202);
    await rows('delete from analysis_subscribers');
  });

  it('is not limited with an OpenAI key of their own, which is kept sealed as the GitHub token is', async () => {
    const user = newUser();
    await rows(`update analysis_plans set analyses_per_month = 0 where plan = 'free'`);
    expect((await start(user)).status).toBe(402);
    const body = { repo_id: repositoryId, github_token: 'gho_canary', openai_key: 'sk-canary' };
    expect((await ask(post(body, await tokenOf(user)))).status).toBe(202);
    await rows(`update analysis_plans set analyses_per_month = 5 where plan = 'free'`);
    for (const [provider, secret] of [
      ['github', 'gho_canary'],
      ['openai', 'sk-canary'],
    ] as const) {
      const sealed = await database.rpc<string>('get_user_credential', { user_id: user, provider });
      expect(sealed).not.toContain('canary');
      expect(await secrets.open(sealed, { userId: user, purpose: provider })).toMatchObject({ secret });
    }
    expect(JSON.stringify([log.records, await rows('select * from background_jobs')])).not.toContain(
      'canary',
    );
  });

  it('reads their own analyses and nobody else’s, and writes none', async () => {
    const [user, other] = [newUser(), newUser()];
    await start(user);
    await start(other);
    const client = await database.pool.connect();
    try {
      await client.query(`begin; set local role authenticated`);
      await client.query(`select set_config('request.jwt.claims', $1, true)`, [
        JSON.stringify({ sub: user }),
      ]);
      expect((await client.query('select user_id, status from analysis_jobs')).rows).toEqual([
        { user_id: user, status: 'pending' },
      ]);
      await client.query('savepoint here');
      for (const statement of [
        `update analysis_jobs set status = 'completed'`,
        'select from user_credentials',
        'select from analysis_commits',
      ]) {
        await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
        await client.query('rollback to here');
      }
    } finally {
      await client.query('rollback');
      client.release();
    }
  });
});

describe('a request that cannot be served', () => {
  const body = { repo_id: '0199aaaa-0000-7000-8000-000000000001' };

  it.each([
    ['without a token', () => null],
    ['with somebody’s key', () => testKeys.secret],
    ['with the public key', () => testKeys.publishable],
    ['with a token of another project', () => 'eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl'],
    ['with an expired token', () => accessToken({ role: 'authenticated', sub: newUser() }, 1_000_000_000)],
    ['with a token of nobody', () => accessToken({ role: 'authenticated' })],
  ])('%s gets 401', async (_case, token) => {
    const answer = await ask(post(body, await token()));
    expect(answer).toMatchObject({ status: 401 });
    expect(answer.body.error).toMatch(/^Authorization: expected .*access token of a signed-in user/);
    expect(await rows('select from analysis_jobs')).toEqual([]);
  });

  it.each([
    ['{', 'body: expected JSON, an object with repo_id'],
    ['[]', 'body: expected an object with repo_id'],
    [{}, 'repo_id: expected the uuid of a repository'],
    [{ repo_id: 7 }, 'repo_id: expected the uuid of a repository'],
    [{ repo_id: 'octo-org/one' }, 'repo_id: expected the uuid of a repository'],
    [{ ...body, repository: 'x' }, 'repository: unknown field, expected repo_id, github_token or openai_key'],
    [{ ...body, github_token: 'two\nlines' }, 'github_token: expected a token in one line'],
  ])('with the body %j gets 400, which names the field', async (text, error) => {
    expect(await ask(post(text, await tokenOf(newUser())))).toEqual({ status: 400, body: { error } });
  });

  it('for an unknown repository gets 404', async () => {
    const { status, body: answer } = await start(newUser(), body.repo_id);
    expect([status, answer.error]).toEqual([
      404,
      `repo_id: expected the id of a known repository, got ${body.repo_id}`,
    ]);
  });

  it('of another method, type or size gets 405, 415 or 413', async () => {
    const token = await tokenOf(newUser());
    const get = new Request('https://site.test/api/analysis/start', { headers: { authorization: token } });
    expect((await ask(get)).status).toBe(405);
    expect((await ask(post(body, token, { 'content-type': 'text/plain' }))).status).toBe(415);
    expect((await ask(post({ ...body, github_token: 'x'.repeat(70_000) }, token))).status).toBe(413);
  });

  it('with a token for a deployment that keeps none gets 400', async () => {
    const asked = post({ repo_id: repositoryId, github_token: 'gho_canary' }, await tokenOf(newUser()));
    const { status, body: answer } = await ask(asked, createApp({ secrets: createSecretBox([]) }));
    expect(status).toBe(400);
    expect(answer.error).toContain('GITHUB_TOKEN_ENCRYPTION_KEY');
    expect(answer.error).not.toContain('canary');
  });

  it('gets 401 where the gateway refuses the token, and the log has it: our own key may be bad', async () => {
    const app = createApp({
      openAsUser: (token) =>
        createSupabaseClientRpc({ url: gateway.url, key: 'sb_secret_wrong', accessToken: token }),
    });
    expect((await start(newUser(), repositoryId, app)).status).toBe(401);
    expect(log.records).toMatchObject([{ level: 'error' }]);
  });

  it('for which our own key is refused gets 500, not 401, and the log has it', async () => {
    const app = createApp({ rpc: createSupabaseClientRpc({ url: gateway.url, key: 'sb_secret_wrong' }) });
    const asked = post({ repo_id: repositoryId, github_token: 'gho_canary' }, await tokenOf(newUser()));
    expect(await ask(asked, app)).toEqual({ status: 500, body: { error: 'internal error' } });
    expect(log.records).toMatchObject([{ level: 'error' }]);
    expect(JSON.stringify(log.records)).not.toContain('canary');
  });

  it('while the database is away gets 503', async () => {
    const app = createApp({}, { url: 'http://127.0.0.1:9' });
    expect((await start(newUser(), repositoryId, app)).status).toBe(503);
  });
});

describe('pages of other origins', () => {
  const preflight = (origin: string): Promise<Response> =>
    createApp()(
      new Request('https://site.test/api/analysis/start', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      }),
    );

  it('may call when they are configured, and others may not', async () => {
    const allowed = await preflight('https://app.example.com');
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://app.example.com',
    ]);
    expect(allowed.headers.get('access-control-allow-headers')).toContain('authorization');
    const other = await preflight('https://evil.example.com');
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([405, null]);
    const token = await tokenOf(newUser());
    const asked = post({ repo_id: repositoryId }, token, { origin: 'https://app.example.com' });
    expect((await createApp()(asked)).headers.get('access-control-allow-origin')).toBe(
      'https://app.example.com',
    );
  });
});
