import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { testKeys } from '../../../tests/support/drivers.ts';
import { type HybridEndpoint, startHybridEndpoint } from '../../../tests/support/hybrid-endpoint.ts';
import { runJobs } from '../../../tests/support/jobs-command.ts';
import { silentLogger } from '../../../tests/support/silent-logger.ts';
import { catalog } from '../../jobs/catalog.ts';
import { type Gateway, startGateway } from '../../local/gateway.ts';
import { createJobQueue } from '../../queue/job-queue.ts';
import type { Finding } from '../command/findings.ts';

/** A deployment on this machine: the gateway answers for process-job, the endpoint wants signatures. */

const signingKey = 'signkey-test-0123456789abcdef';
let database: TestDatabase;
let gateway: Gateway;
let endpoint: HybridEndpoint;
/** What process-job answers; null: it completes the job. */
let processJobAnswers: Response | null;

beforeAll(async () => {
  database = await createTestDatabase();
  gateway = await startGateway({
    databaseUrl: database.url,
    keys: testKeys,
    functions: async (_, request) => {
      const { jobId } = (await request.json()) as { jobId: string };
      return processJobAnswers ?? (await complete(jobId));
    },
    log: silentLogger,
  });
  endpoint = await startHybridEndpoint({
    rpc: database.rpc,
    catalog,
    inngest: { environment: 'production', isDev: false, signingKey, eventKey: 'event-key' },
  });
});
afterAll(async () => {
  await endpoint.close();
  await gateway.close();
  await database.close();
});
beforeEach(async () => {
  processJobAnswers = null;
  await createJobQueue(database.rpc).syncJobTypes(catalog);
});
afterEach(async () => {
  await database.pool.query('delete from background_jobs');
  await database.pool.query('delete from background_job_workers');
});

async function complete(jobId: string): Promise<Response> {
  const queue = createJobQueue(database.rpc);
  const claimed = await queue.claimOne(jobId, 'process-job', 60);
  await queue.complete([{ jobId, leaseToken: claimed?.leaseToken ?? '', result: claimed?.payload }]);
  return Response.json({ jobId, status: 'completed' });
}

interface Told {
  code: number;
  findings: Finding[];
  text: string;
}

async function doctor(env: Record<string, string | undefined> = {}, ...args: string[]): Promise<Told> {
  const variables = {
    DATABASE_URL: database.url,
    SUPABASE_URL: gateway.url,
    SUPABASE_SECRET_KEY: testKeys.secret,
    INNGEST_SIGNING_KEY: signingKey,
    INNGEST_EVENT_KEY: 'event-key',
    GITHUB_TOKEN: 'ghp_secret',
    JOBS_SWEEP: 'inngest',
    ...env,
  };
  const defined = Object.entries(variables).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const { code, output } = await runJobs(['doctor', '--endpoint', endpoint.url, '--json', ...args], {
    env: Object.fromEntries(defined),
  });
  expect(output).not.toMatch(/ghp_secret|sb_secret_for_tests|0123456789abcdef/);
  return { code, text: output, findings: (JSON.parse(output) as { findings: Finding[] }).findings };
}

const of = (check: string, { findings }: Told): Finding[] => findings.filter((each) => each.check === check);

it('finds nothing that failed in a sound deployment, down to a job that process-job runs', async () => {
  const told = await doctor();
  expect(told.findings.filter(({ state }) => state === 'failed')).toEqual([]);
  expect(told.code).toBe(0);
  expect(of('endpoint', told)[0]?.found).toMatch(new RegExp(`^it serves all ${catalog.length} functions`));
  expect(of('round trip', told)[0]?.found).toMatch(/^system\/ping completed in \d+ ms, job /);
  expect(of('schema', told)).toMatchObject([{ state: 'ok' }]);
  expect(of('wake path', told)[0]?.found).toContain('Inngest, every minute');
  expect(of('variables', told).map(({ found }) => found.split(' ')[0])).toEqual([
    'OPENAI_API_KEY',
    'GITHUB_TOKEN_ENCRYPTION_KEY',
  ]);
});

it('leaves the job out when it may only read', async () => {
  const told = await doctor({}, '--read-only');
  expect(of('round trip', told)).toEqual([]);
  const { rows } = await database.pool.query('select from background_jobs');
  expect(rows).toEqual([]);
});

it.each([
  ['variables', { SUPABASE_URL: undefined }, 'SUPABASE_URL (or VITE_SUPABASE_URL'],
  ['keys', { SUPABASE_SECRET_KEY: 'sb_secret_wrong' }, 'Invalid API key'],
  ['endpoint', { INNGEST_SIGNING_KEY: 'signkey-test-ffff' }, 'refuses our signature'],
  ['wake path', { JOBS_SWEEP: undefined }, 'nobody sweeps'],
  [
    'database',
    { DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:1/jobs' },
    'cannot connect to postgres://me:***@',
  ],
])('names what is wrong with the %s, and what to do', async (check, env, message) => {
  const told = await doctor(env, '--read-only');
  expect(told.code).toBe(1);
  expect(of(check, told)[0]).toMatchObject({
    state: 'failed',
    found: expect.stringContaining(message) as string,
    todo: expect.stringMatching(/\w/) as string,
  });
  expect(told.text).not.toContain('hunter2');
});

it('tells a migration that was not applied, and one that only the database knows', async () => {
  const history = 'supabase_migrations.schema_migrations';
  await database.pool.query(
    `update ${history} set version = '20991231000000' where version = '20261122000730'`,
  );
  expect(of('schema', await doctor({}, '--read-only'))).toMatchObject([
    { state: 'failed', found: expect.stringContaining('the first is 20261122000730') as string },
  ]);
  await database.pool.query(`insert into ${history} (version) values ('20261122000730')`);
  expect(of('schema', await doctor({}, '--read-only'))).toMatchObject([{ state: 'warning' }]);
  await database.pool.query(`delete from ${history} where version = '20991231000000'`);
});

it('tells types that the database does not know, and paused ones', async () => {
  await database.pool.query(`delete from job_types where type = 'system/ping'`);
  await database.pool.query(`select pause_job_type('sync/discussions')`);
  const types = of('job types', await doctor({}, '--read-only'));
  expect(types.map(({ state }) => state)).toEqual(['warning', 'warning']);
  expect(types.map(({ found }) => found).join()).toMatch(/system\/ping.*paused: sync\/discussions/);
  await database.pool.query(`select resume_job_type('sync/discussions')`);
});

it('tells that jobs wait for a worker, until one is there', async () => {
  await createJobQueue(database.rpc).enqueue([{ type: 'system/ping', lane: 'worker' }]);
  expect(of('worker', await doctor({}, '--read-only'))).toMatchObject([{ state: 'failed' }]);
  await database.pool.query(`select report_worker('host:1', '["worker"]', true)`);
  const told = await doctor({ JOBS_SWEEP: undefined }, '--read-only');
  expect(of('worker', told)).toMatchObject([{ state: 'ok', found: 'host:1, on worker' }]);
  expect(of('wake path', told)[0]?.found).toContain('the worker host:1');
});

it.each([
  [401, 'give it the same PROCESS_JOB_SECRET'],
  [404, 'supabase functions deploy process-job'],
  [503, 'read the log of the Edge Function'],
])('says what to do when process-job answers %s', async (status, todo) => {
  processJobAnswers = Response.json({ error: 'no' }, { status });
  const told = await doctor();
  expect(told.code).toBe(1);
  expect(of('round trip', told)).toMatchObject([
    {
      state: 'failed',
      found: `process-job answers ${status}: no`,
      todo: expect.stringContaining(todo) as string,
    },
  ]);
});

it('prints a table for people', async () => {
  const { output, code } = await runJobs(['doctor', '--read-only'], { env: { DATABASE_URL: database.url } });
  expect(code).toBe(1);
  expect(output).toMatch(/│ variables +│ FAILED +│ SUPABASE_URL/);
  expect(output).toMatch(/│ schema +│ ok /);
  expect(output).toMatch(/\d failed\.$/);
});
