import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { storeRepository } from '../../../tests/support/captured-repository.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { runJob } from '../../../tests/support/job-context.ts';
import { silentLogger } from '../../../tests/support/silent-logger.ts';
import { createGitHub } from '../../github/create-github.ts';
import type { GitHub } from '../../github/github.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../local/github/stand-in.ts';
import { classifyRepository } from './classify-repository.ts';

const { type } = classifyRepository;
const repository = 'octo-org/hello-hybrid';
let database: TestDatabase;
let standIn: GitHubStandIn;
let github: GitHub;
let repositoryId: string;

beforeAll(async () => {
  standIn = await startGitHubStandIn();
  github = createGitHub({ tokenName: 'GITHUB_TOKEN', baseUrl: standIn.url, log: silentLogger });
});

afterAll(() => standIn.close());

beforeEach(async () => {
  standIn.faults.clear();
  database = await createTestDatabase();
  const githubId = standIn.data.repository(repository)?.fields.databaseId ?? 0;
  repositoryId = await storeRepository(database, repository, githubId);
  return () => database.close();
});

describe('classify/repository.single', () => {
  it('counts the pull requests of one repository', async () => {
    await storeRepository(database, 'octo-org/single', 17);
    const job = await runJob(database, github, type, { repository });
    const size = { pullRequests: 340, sizeClass: 'medium' };
    expect(job).toMatchObject({
      status: 'completed',
      result: { repositoryId, repository, ...size, githubRequests: 1, source: 'github' },
    });
    const { rows } = await database.pool.query(
      'select name, pull_request_count, size_class from repositories order by name',
    );
    expect(rows).toEqual([
      { name: 'hello-hybrid', pull_request_count: 340, size_class: 'medium' },
      { name: 'single', pull_request_count: null, size_class: null },
    ]);
  });

  it('asks GitHub nothing while its size is fresh, unless it is forced', async () => {
    await runJob(database, github, type, { repositoryId });
    const asked = standIn.requests.length;
    const fresh = await runJob(database, github, type, { repositoryId });
    expect(fresh.result).toMatchObject({ pullRequests: 340, githubRequests: 0, source: 'cache' });
    expect(standIn.requests).toHaveLength(asked);
    const forced = await runJob(database, github, type, { repositoryId, force: true });
    expect(forced.result).toMatchObject({ githubRequests: 1, source: 'github' });
  });

  it('asks again when its size is stale', async () => {
    await runJob(database, github, type, { repositoryId });
    await database.pool.query(`update repositories set size_classified_at = now() - interval '8 days'`);
    const job = await runJob(database, github, type, { repositoryId });
    expect(job.result).toMatchObject({ source: 'github' });
  });

  it('fails for good when GitHub does not know the repository any more, and notes it', async () => {
    const deleted = await storeRepository(database, 'octo-org/deleted', 17);
    const job = await runJob(database, github, type, { repositoryId: deleted });
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(job.error).toContain('GitHub has no repository octo-org/deleted any more');
    const { rows } = await database.pool.query(
      'select unavailable_at is not null as gone from repositories order by name',
    );
    expect(rows).toEqual([{ gone: true }, { gone: false }]);
  });

  it('fails for good when the database does not know the repository', async () => {
    const job = await runJob(database, github, type, { repository: 'octo-org/empty' });
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(job.error).toContain('discover/repository.new');
  });

  it('answers to its old name, under the function id of the old one', () => {
    expect(classifyRepository.aliases).toEqual(['classify/single-repository']);
    expect(classifyRepository.functionId).toBe('classify-single-repository');
  });
});
