import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { catalog } from '../src/jobs/catalog.ts';
import { createInngestExecutor } from '../src/local/inngest-executor.ts';
import { createEndpoint } from '../src/router/endpoint.ts';
import { embeddingsSet, hybridSet, servedBy } from '../src/router/function-sets.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from './support/database.ts';
import { type HybridEndpoint, startHybridEndpoint } from './support/hybrid-endpoint.ts';
import { recordingLogger } from './support/recording-logger.ts';
import { addRepository, storeWorkspace } from './workspaces/stored-pulls.ts';

let database: TestDatabase;
/** Not split, so that an event and a tick reach both. */
let hybrid: HybridEndpoint;
let embeddings: HybridEndpoint;

beforeAll(async () => {
  database = await createTestDatabase();
  [hybrid, embeddings] = (await Promise.all(
    [hybridSet, embeddingsSet].map((set) => startHybridEndpoint({ rpc: database.rpc, catalog, set })),
  )) as [HybridEndpoint, HybridEndpoint];
});

afterAll(async () => {
  await hybrid.close();
  await embeddings.close();
  await database.close();
});

beforeEach(async () => {
  await database.pool.query('truncate workspaces, repositories cascade');
  await database.pool.query('delete from background_jobs');
});

interface Listed {
  id: string;
  triggers: { event?: string; cron?: string }[];
}

async function listed(url: string): Promise<Listed[]> {
  return ((await (await fetch(url)).json()) as { functions: Listed[] }).functions;
}

async function rows(): Promise<unknown[]> {
  const found = await database.pool.query<object>(
    'select type, status, idempotency_key as key from background_jobs order by id',
  );
  return found.rows;
}

const served = servedBy(embeddingsSet, catalog, false);

describe('inngest-embeddings', () => {
  it('lists its functions with their events and cron times, under an app id of its own', async () => {
    expect(await listed(embeddings.url)).toMatchObject(
      served.map(({ functionId, type, aliases, cron }) => ({
        id: `hybrid-jobs-embeddings-${functionId}`,
        triggers: [
          ...[type, ...aliases].map((event) => ({ event })),
          ...cron.map((each) => ({ cron: each })),
        ],
      })),
    );
  });

  it('takes its functions from inngest-hybrid when it is switched on', async () => {
    const split = await startHybridEndpoint({ rpc: database.rpc, catalog, splitsOffEmbeddings: true });
    const left = (await listed(split.url)).map(({ id }) => id);
    await split.close();
    const mine = served.map(({ functionId }) => `hybrid-jobs-${functionId}`);
    const all = (await listed(hybrid.url)).map(({ id }) => id);
    expect(left).toEqual(all.filter((id) => !mine.includes(id)));
    expect(all.length - left.length).toBe(mine.length);
  });

  it('shares an event with inngest-hybrid: one row, and one run', async () => {
    const workspace = await storeWorkspace(database.pool, 'shared');
    const { rows: repositories } = await database.pool.query<{ id: string }>(
      `insert into repositories (github_id, owner, name) values (1, 'octo', 'shared') returning id`,
    );
    const repositoryId = repositories[0]?.id ?? '';
    await addRepository(database.pool, workspace, repositoryId);
    const event = {
      name: 'workspace/repository-change',
      data: { workspaceId: workspace, repositoryId, action: 'added' },
      id: 'shared-1',
    };
    const executors = [hybrid, embeddings].map(({ url }) => createInngestExecutor({ url }));
    const runs = (await Promise.all(executors.map((each) => each.send(event)))).flat();
    expect(runs.map(({ functionId }) => functionId)).toEqual([
      'hybrid-jobs-handle-workspace-repository-change',
      'hybrid-jobs-embeddings-handle-workspace-repository-change',
    ]);
    expect(await rows()).toEqual([
      {
        type: 'workspace.repository.changed',
        status: 'completed',
        key: 'workspace.repository.changed:shared-1',
      },
    ]);
    const { rows: attempts } = await database.pool.query('select from background_job_attempts');
    expect(attempts).toEqual([]);
    await expectSoundQueue(database.pool);
  });

  it('shares a cron tick with inngest-hybrid: one row, and one aggregation of each workspace', async () => {
    await storeWorkspace(database.pool, 'ticking');
    const executors = [hybrid, embeddings].map(({ url }) => createInngestExecutor({ url }));
    const due = new Date('2026-11-22T06:00:00Z');
    await Promise.all(executors.map((each) => each.tick('0 6,18 * * *', due)));
    expect(await rows()).toMatchObject([
      { type: 'workspace.metrics.schedule', key: 'workspace.metrics.schedule@2026-11-22T06:00Z' },
      { type: 'workspace.metrics.aggregate', status: 'queued' },
    ]);
  });
});

describe('outside development', () => {
  const env = {
    SUPABASE_URL: 'http://127.0.0.1:9',
    SUPABASE_SECRET_KEY: 'sb_secret_test',
    INNGEST_SIGNING_KEY: 'signkey-prod-0123456789abcdef',
  };

  async function ask(more: Record<string, string>): Promise<{ status: number; log: string }> {
    const log = recordingLogger();
    const endpoint = createEndpoint({
      set: embeddingsSet,
      catalog,
      env: { ...env, ...more },
      createLogger: () => log,
    });
    const { status } = await endpoint(new Request('https://site.test/api/inngest-embeddings'));
    return { status, log: String(log.records.map(({ fields }) => (fields as { err?: Error }).err)) };
  }

  it('serves only where it is switched on, so that no cron time belongs to two apps', async () => {
    expect(await ask({})).toMatchObject({
      status: 500,
      log: expect.stringContaining('serves where INNGEST_EMBEDDINGS_ENDPOINT is on') as string,
    });
    // 401: it serves, but only who signs.
    expect(await ask({ INNGEST_EMBEDDINGS_ENDPOINT: 'on' })).toMatchObject({ status: 401 });
  });
});
