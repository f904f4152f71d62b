import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { neededSchema } from '../../src/database/needed-schema.ts';
import { SchemaOutdatedError } from '../../src/database/rpc.ts';
import { requireSchema } from '../../src/database/schema-check.ts';
import { type Gateway, startGateway } from '../../src/local/gateway.ts';
import { catalog } from '../../src/jobs/catalog.ts';
import { createEdgeProcessJob } from '../../src/process-job/edge-process-job.ts';
import { runCli } from '../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { testKeys } from '../support/drivers.ts';
import { silentLogger } from '../support/silent-logger.ts';

const sentence = (state: string): string =>
  `the database's schema ${state}, this code needs ${neededSchema}: apply supabase/migrations first`;
const history = 'supabase_migrations.schema_migrations';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => await database.close());

/** Takes the newest migration away. @returns the version before it */
async function ageDatabase(): Promise<string> {
  await database.pool.query(`delete from ${history} where version = $1`, [neededSchema]);
  const { rows } = await database.pool.query<{ max: string }>(`select max(version) from ${history}`);
  return rows[0]?.max ?? '';
}

describe('code that is newer than the schema', () => {
  test('is a worker that does not start, and says which migrations are missing', async () => {
    const version = await ageDatabase();
    const dataDir = await mkdtemp(join(tmpdir(), 'schema-check-'));
    const worker = runCli('worker', ['--data-dir', dataDir], { DATABASE_URL: database.url });
    expect(await worker.ended).toBe(1);
    expect(worker.output()).toContain(sentence(`is at ${version}`));
    await rm(dataDir, { recursive: true });
  });

  test('is a stack that does not start on a database of somebody else', async () => {
    const version = await ageDatabase();
    const dataDir = await mkdtemp(join(tmpdir(), 'schema-check-'));
    const stack = runCli('start', ['--data-dir', dataDir], { DATABASE_URL: database.url });
    expect(await stack.ended).toBe(1);
    expect(stack.output()).toContain(sentence(`is at ${version}`));
    await rm(dataDir, { recursive: true });
  });

  describe('on the edge', () => {
    let gateway: Gateway;

    beforeEach(async () => {
      gateway = await startGateway({ databaseUrl: database.url, keys: testKeys, log: silentLogger });
    });
    afterEach(async () => await gateway.close());

    async function post(): Promise<Response> {
      const processJob = createEdgeProcessJob({
        env: { SUPABASE_URL: gateway.url, SUPABASE_SECRET_KEY: testKeys.secret, LOG_LEVEL: 'silent' },
        loadCatalog: () => Promise.resolve(catalog),
        startedAt: new Date(),
        waitUntil: () => {},
      });
      const headers = { authorization: `Bearer ${testKeys.secret}` };
      return await processJob.handle(new Request('https://edge.local/', { method: 'POST', headers }));
    }

    test('answers 503 and says so where a function is missing', async () => {
      await database.pool.query('drop function claim_job_batch');
      const version = await ageDatabase();
      const answer = await post();
      expect(answer.status).toBe(503);
      expect(await answer.json()).toEqual({
        error: `claim_job_batch: ${sentence(`is at ${version}`)}`,
      });
    });

    test('goes on where everything that it needs is there', async () => {
      await ageDatabase();
      expect((await post()).status).toBe(200);
    });

    test('does not blame the migrations for what is missing in a database that has them all', async () => {
      await database.pool.query('drop function claim_job_batch');
      const answer = await post();
      expect(answer.status).toBe(500);
      expect(await answer.json()).toEqual({ error: 'internal error' });
    });
  });
});

describe('requireSchema', () => {
  test('takes a database with all migrations, and with newer ones', async () => {
    await requireSchema(database.rpc);
    await database.pool.query(`insert into ${history} (version) values ('20991231000000')`);
    await requireSchema(database.rpc);
  });

  test('names a schema that does not even know its version', async () => {
    await database.pool.query('drop function get_schema_version');
    const refusal = requireSchema(database.rpc);
    await expect(refusal).rejects.toThrow(sentence('is older'));
    await expect(refusal).rejects.toBeInstanceOf(SchemaOutdatedError);
  });

  test('does not judge a database that was migrated by other means', async () => {
    await database.pool.query('drop schema supabase_migrations cascade');
    await requireSchema(database.rpc);
  });
});

test('get_schema_version refuses what is no version', async () => {
  const call = database.rpc('get_schema_version', { up_to: 'latest' });
  await expect(call).rejects.toMatchObject({
    code: 'PT400',
    message: expect.stringContaining('up_to: expected') as string,
  });
});
