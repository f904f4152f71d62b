import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { catalog } from '../src/jobs/catalog.ts';
import { denoPath } from '../src/local/deno-path.ts';
import { type EdgeRuntime, startEdgeRuntime } from '../src/local/edge-runtime.ts';
import { type Gateway, startGateway } from '../src/local/gateway.ts';
import { type GitHubStandIn, startGitHubStandIn } from '../src/local/github/stand-in.ts';
import { createInngestExecutor, type InngestExecutor } from '../src/local/inngest-executor.ts';
import { type Listening, listen } from '../src/local/listen.ts';
import { createEndpoint } from '../src/router/endpoint.ts';
import { coreSet, hybridSet } from '../src/router/function-sets.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from './support/database.ts';
import { testKeys } from './support/drivers.ts';
import { root } from './support/imports.ts';
import { silentLogger } from './support/silent-logger.ts';

/** `inngest-prod` in real Deno behind Supabase's gateway, once in each mode. */
const signingKey = 'signkey-prod-0123456789abcdef0123456789abcdef';
const modes = ['development', 'cloud', 'keyless'] as const;
type Mode = (typeof modes)[number];

let database: TestDatabase;
let gitHub: GitHubStandIn;
let gateway: Gateway;
let devServer: Listening;
let folder: string;
const runtimes = new Map<Mode, EdgeRuntime>();
/** What the Dev Server was told about apps. */
const registrations: unknown[] = [];
let wakes = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  gitHub = await startGitHubStandIn();
  folder = await mkdtemp(join(tmpdir(), 'inngest-prod-'));
  devServer = await listen(
    createAdaptorServer({
      fetch: async (request: Request) => {
        if (request.method === 'POST') registrations.push(await request.json());
        return Response.json({ ok: true, modified: true });
      },
    }),
  );
  gateway = await startGateway({
    databaseUrl: database.url,
    keys: testKeys,
    functions: answer,
    log: silentLogger,
  });
  for (const mode of modes) runtimes.set(mode, start(mode));
});

afterAll(async () => {
  for (const runtime of runtimes.values()) await runtime.close();
  await gateway.close();
  await devServer.close();
  await gitHub.close();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

afterEach(async () => {
  await expectSoundQueue(database.pool);
  await database.pool.query('delete from background_jobs');
  wakes = 0;
});

async function answer(name: string, request: Request): Promise<Response | undefined> {
  if (name === 'inngest-prod') return await runtimes.get('development')?.handle(name, request);
  wakes += 1;
  return Response.json({ message: 'No jobs in queue', jobs: [] });
}

/** What hosted Supabase gives to every function, and where the outside is. */
const platform = (): Record<string, string> => ({
  SUPABASE_URL: gateway.url,
  SUPABASE_SECRET_KEYS: JSON.stringify({ default: testKeys.secret }),
  GITHUB_API_URL: gitHub.url,
  LOG_LEVEL: 'error',
});

const settings = (): Record<Mode, Record<string, string>> => ({
  development: { INNGEST_DEV: devServer.url },
  cloud: { INNGEST_SIGNING_KEY: 'signkey-test-ffff', INNGEST_PRODUCTION_SIGNING_KEY: signingKey },
  keyless: {},
});

function start(mode: Mode): EdgeRuntime {
  return startEdgeRuntime({
    functions: { 'inngest-prod': join(root, 'supabase/functions/inngest-prod/index.ts') },
    env: { ...platform(), ...settings()[mode] },
    denoPath,
    configPath: join(root, 'deno.json'),
    cacheDir: join(folder, 'deno'),
    log: silentLogger,
  });
}

const development = (): string => `${gateway.url}/functions/v1/inngest-prod`;

/** Inngest's way to an endpoint that listens nowhere. */
const to =
  (handle: (request: Request) => Promise<Response>): typeof fetch =>
  async (input, init) =>
    await handle(new Request(input, init));

const toMode = (mode: Mode): typeof fetch =>
  to(async (request) => (await runtimes.get(mode)?.handle('inngest-prod', request)) ?? Response.error());

/** Inngest Cloud tells nobody which functions there are: it knows. */
const inngestCloud = (): InngestExecutor =>
  createInngestExecutor({
    url: 'https://project.supabase.co/functions/v1/inngest-prod',
    fetch: toMode('cloud'),
    signingKey,
    functions: catalog.map(({ functionId, type }) => ({
      id: `hybrid-jobs-core-${functionId}`,
      triggers: [{ event: type }],
    })),
  });

async function rows(): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    'select type, status, lane, retry_count, result, inngest_event_id from background_jobs',
  );
  return rows;
}

it('lists its ten functions with their triggers in development', async () => {
  const listed = (await (await fetch(development())).json()) as {
    function_count: number;
    functions: { id: string; triggers: { event?: string }[] }[];
  };
  const ids = listed.functions.map(({ id }) => id.replace(/^hybrid-jobs-core-/, ''));
  expect(ids.sort()).toEqual([...coreSet.functionIds].sort());
  expect(listed.function_count).toBe(10);
  expect(listed.functions.flatMap(({ triggers }) => triggers)).toContainEqual({
    event: 'capture/pr.details',
  });
});

it('registers the address at which Inngest reaches it, not the one that it sees', async () => {
  const answer = await fetch(development(), { method: 'PUT' });
  expect(await answer.json()).toMatchObject({ message: expect.stringMatching(/registered/i) as string });
  expect(registrations).toMatchObject([{ url: development(), appName: 'hybrid-jobs-core' }]);
});

it('runs a signed inline job in Deno, and enqueues a signed edge job', async () => {
  const data = { repository: 'octo-org/hello-hybrid', prNumber: 1 };
  const [details] = await inngestCloud().send({ name: 'capture/pr.details', data, id: 'details-1' });
  expect(details).toMatchObject({
    status: 'completed',
    output: { lane: 'inline', status: 'completed', result: { pullRequest: 1, source: 'github' } },
  });
  const [reviews] = await inngestCloud().send({ name: 'capture/pr.reviews', data, id: 'reviews-1' });
  expect(reviews).toMatchObject({ status: 'completed', output: { lane: 'edge', status: 'queued' } });
  expect(await rows()).toMatchObject([
    { type: 'capture/pr.details', status: 'completed', lane: 'inline', inngest_event_id: 'details-1' },
    { type: 'capture/pr.reviews', status: 'queued', lane: 'edge', inngest_event_id: 'reviews-1' },
  ]);
  expect(wakes).toBe(1);
});

it('refuses in the cloud what is not signed, and without a signing key everything', async () => {
  const url =
    'https://project.supabase.co/functions/v1/inngest-prod?fnId=hybrid-jobs-core-capture-pr-details';
  const call = { method: 'POST', body: '{}' };
  expect((await toMode('cloud')(url, call)).status).toBe(401);
  for (const init of [call, { method: 'GET' }, { method: 'PUT' }]) {
    const answer = await toMode('keyless')(url, init);
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({ message: 'inngest-prod is not configured to serve' });
  }
  expect(await rows()).toEqual([]);
});

it('shares an event with inngest-hybrid: one row, and one run', async () => {
  const hybrid = createEndpoint({
    set: hybridSet,
    catalog,
    env: { ...platform(), INNGEST_DEV: '1' },
    createLogger: () => silentLogger,
  });
  const endpoints = [
    createInngestExecutor({ url: 'http://127.0.0.1/api/inngest', fetch: to(hybrid) }),
    createInngestExecutor({ url: development() }),
  ];
  const before = gitHub.requests.length;
  const data = { repository: 'octo-org/hello-hybrid', prNumber: 2, force: true };
  const event = { name: 'capture/pr.details', data, id: 'shared-1' };
  const runs = (await Promise.all(endpoints.map((endpoint) => endpoint.send(event)))).flat();
  expect(runs.map(({ functionId, status }) => [functionId, status])).toEqual([
    ['hybrid-jobs-capture-pr-details', 'completed'],
    ['hybrid-jobs-core-capture-pr-details', 'completed'],
  ]);
  expect(await rows()).toMatchObject([{ status: 'completed', retry_count: 0 }]);
  const asked = gitHub.requests.slice(before).filter(({ path }) => path.endsWith('/pulls/2'));
  expect(asked).toHaveLength(1);
});
