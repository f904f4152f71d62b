import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startOpenAiStandIn } from '../src/local/openai/stand-in.ts';
import { createJobQueue } from '../src/queue/job-queue.ts';
import { startAnalysisWorld, userToken } from './analysis/analysis-world.ts';
import { expectSoundQueue } from './support/database.ts';
import { startEdgeProcessJob } from './support/edge-process-job.ts';
import { addIssues } from './support/embedding-process.ts';

it('embeddings are computed and a repository is analysed in Deno, with OpenAI and with the sealed token of a user', async () => {
  const cacheDir = await mkdtemp(join(tmpdir(), 'ai-jobs-'));
  onTestFinished(async () => await rm(cacheDir, { recursive: true, force: true }));
  const world = await startAnalysisWorld();
  onTestFinished(async () => await world.close());
  const openai = await startOpenAiStandIn();
  onTestFinished(async () => await openai.close());
  const edge = await startEdgeProcessJob({
    ...{ databaseUrl: world.database.url, cacheDir },
    entryFile: '../supabase/functions/process-job/index.ts',
    env: {
      ...{ GITHUB_API_URL: world.standIn.url, GITHUB_TOKEN: 'platform-token' },
      ...{ OPENAI_BASE_URL: openai.url, OPENAI_API_KEY: 'sk-of-the-platform' },
      // The key that the world seals with.
      GITHUB_TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    },
  });
  onTestFinished(async () => await edge.close());
  const queue = createJobQueue(world.database.rpc);
  await addIssues(world.database, 20, `'What happened in number ' || n`);
  const user = crypto.randomUUID();
  await world.leave(user, 'github', userToken);

  const [embeddings] = await queue.enqueue([{ type: 'embeddings/compute.requested', payload: {} }]);
  const analysis = await world.start(user, world.repositories['octo-org/secret']);
  await edge.post({});
  const ended = async (id: string) =>
    await vi.waitFor(
      async () => {
        const row = await queue.get(id);
        expect(row).toMatchObject({ status: 'completed', retryCount: 0 });
        return row;
      },
      { timeout: 120_000, interval: 200 },
    );

  expect((await ended(embeddings?.id ?? ''))?.result).toMatchObject({ embedded: 20, failed: 0, requests: 1 });
  const { rows } = await world.database.pool.query(
    'select count(*)::integer as vectors, min(dimensions) as dimensions from embeddings where vector is not null',
  );
  expect(rows).toEqual([{ vectors: 20, dimensions: 512 }]);
  expect((await ended(analysis.jobId))?.result).toMatchObject({ commits: 3, asUser: true });
  expect(await world.analysis(analysis.analysisId)).toMatchObject({
    status: 'completed',
    result: { repository: 'octo-org/secret', narrative: { status: 'written' } },
  });
  await expectSoundQueue(world.database.pool);
}, 180_000);
