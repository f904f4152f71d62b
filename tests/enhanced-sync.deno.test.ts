import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startGitHubStandIn } from '../src/local/github/stand-in.ts';
import { createJobQueue } from '../src/queue/job-queue.ts';
import { countsOf, incomplete } from './support/captured-details.ts';
import { createTestDatabase, expectSoundQueue } from './support/database.ts';
import { startEdgeProcessJob } from './support/edge-process-job.ts';

const pullRequests = 1_500;

it('a large repository is synced by several isolates, each going on at the page where the last one stopped', async () => {
  const cacheDir = await mkdtemp(join(tmpdir(), 'enhanced-sync-'));
  onTestFinished(async () => await rm(cacheDir, { recursive: true, force: true }));
  const database = await createTestDatabase();
  onTestFinished(async () => await database.close());
  // So slow that the pages do not fit into one isolate's time on any machine.
  const standIn = await startGitHubStandIn({
    repositories: [{ owner: 'octo-org', name: 'large', pullRequests, historyDays: 900 }],
    latencyMs: 700,
  });
  onTestFinished(async () => await standIn.close());
  const edge = await startEdgeProcessJob({
    ...{ databaseUrl: database.url, cacheDir, wallSeconds: 12 },
    entryFile: '../supabase/functions/process-job/index.ts',
    env: { GITHUB_API_URL: standIn.url, GITHUB_TOKEN: 'test-token' },
  });
  onTestFinished(async () => await edge.close());
  const queue = createJobQueue(database.rpc);

  const [job] = await queue.enqueue([
    { type: 'capture/repository.sync.enhanced', payload: { repository: 'octo-org/large' } },
  ]);
  await edge.post({});
  const seen = new Set<string | null>();
  await vi.waitFor(
    async () => {
      const row = await queue.get(job?.id ?? '');
      seen.add(row?.progressMessage ?? null);
      expect(row).toMatchObject({ status: 'completed', retryCount: 0 });
    },
    { timeout: 150_000, interval: 200 },
  );

  const row = await queue.get(job?.id ?? '');
  const all = standIn.data.repository('octo-org/large')?.pullRequests() ?? [];
  expect(row?.result).toMatchObject({ ...countsOf(all), pages: 15, truncated: false, source: 'github' });
  expect(all).toHaveLength(pullRequests);
  expect(await incomplete(database)).toEqual([]);
  expect([...seen]).toContainEqual(expect.stringMatching(/^\S+ of 1,500 pull requests$/));
  const { rows } = await database.pool.query(
    `select (select count(*)::integer from pull_requests) as pull_requests,
       (select count(*)::integer from reviews) as reviews, (select count(*)::integer from comments) as comments`,
  );
  const { reviews, comments } = countsOf(all);
  expect(rows).toEqual([{ pull_requests: pullRequests, reviews, comments }]);
  const attempts = await database.pool.query('select distinct outcome from background_job_attempts');
  expect(attempts.rows).toEqual([{ outcome: 'handed_off' }]);
  await expectSoundQueue(database.pool);
}, 180_000);
