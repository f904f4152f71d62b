import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { storeRepository } from '../../../tests/support/captured-repository.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { enqueueJob, runAttempt, runJob } from '../../../tests/support/job-context.ts';
import { silentLogger } from '../../../tests/support/silent-logger.ts';
import { createGitHub } from '../../github/create-github.ts';
import type { GitHub } from '../../github/github.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../local/github/stand-in.ts';
import { discoverRepository } from './discover-repository.ts';

const { type } = discoverRepository;
const repository = 'octo-org/hello-hybrid';
const firstJobs = ['capture/repository.sync', 'classify/repository.single'];
let database: TestDatabase;
let standIn: GitHubStandIn;
let github: GitHub;

beforeAll(async () => {
  standIn = await startGitHubStandIn();
  github = createGitHub({
    token: 'test-token',
    tokenName: 'GITHUB_TOKEN',
    baseUrl: standIn.url,
    log: silentLogger,
  });
});

afterAll(() => standIn.close());

beforeEach(async () => {
  standIn.faults.clear();
  database = await createTestDatabase();
  return () => database.close();
});

async function started(): Promise<object[]> {
  const { rows } = await database.pool.query<object>(
    'select type, payload from background_jobs where type = any ($1) order by type',
    [firstJobs],
  );
  return rows;
}

async function tracked(): Promise<object[]> {
  const { rows } = await database.pool.query<object>(
    `select r.github_id::integer, r.owner, r.name, t.priority, t.enabled
     from tracked_repositories t join repositories r on r.id = t.repository_id order by r.name`,
  );
  return rows;
}

const githubIdOf = (fullName: string): number => standIn.data.repository(fullName)?.fields.databaseId ?? 0;

describe('discover/repository.new', () => {
  it('stores an unknown repository, tracks it, and starts its first sync', async () => {
    const job = await runJob(database, github, type, { repository: 'Octo-Org/hello-hybrid' });
    const { rows } = await database.pool.query<{ id: string }>('select * from repositories');
    const fields = standIn.data.repository(repository)?.fields;
    const [owner, name, github_id] = ['octo-org', 'hello-hybrid', fields?.databaseId];
    expect(rows).toMatchObject([
      { owner, name, github_id: String(github_id), description: fields?.description, default_branch: 'main' },
    ]);
    expect(job).toMatchObject({
      status: 'completed',
      result: {
        ...{ repositoryId: rows[0]?.id, repository, known: false },
        ...{ source: 'github', githubRequests: 1, enqueued: firstJobs },
      },
    });
    const payload = { repository: { owner, name, github_id } };
    expect(await started()).toEqual(firstJobs.map((type) => ({ type, payload })));
    expect(await tracked()).toEqual([{ github_id, owner, name, priority: 'medium', enabled: true }]);
  });

  it('asks GitHub nothing about a known repository, and starts nothing', async () => {
    await runJob(database, github, type, { repository });
    const asked = standIn.requests.length;
    const again = await runJob(database, github, type, { owner: 'octo-org', repo: 'HELLO-hybrid' });
    expect(again.result).toMatchObject({
      repository,
      known: true,
      source: 'cache',
      githubRequests: 0,
      enqueued: [],
    });
    expect(standIn.requests).toHaveLength(asked);
    expect(await started()).toHaveLength(2);
  });

  it('tracks a repository that another job had stored', async () => {
    const repositoryId = await storeRepository(database, repository, githubIdOf(repository));
    const job = await runJob(database, github, type, { repositoryId });
    expect(job.result).toMatchObject({ repositoryId, repository, known: true, source: 'cache' });
    expect(await tracked()).toMatchObject([{ name: 'hello-hybrid', enabled: true }]);
  });

  it('leaves the settings of a tracked repository as they are', async () => {
    await runJob(database, github, type, { repository });
    await database.pool.query(`update tracked_repositories set priority = 'high', enabled = false`);
    await runJob(database, github, type, { repository, force: true });
    expect(await tracked()).toMatchObject([{ priority: 'high', enabled: false }]);
  });

  it('fetches the metadata of a known repository when it is forced', async () => {
    await storeRepository(database, repository, githubIdOf(repository));
    const job = await runJob(database, github, type, { repository, force: true });
    expect(job.result).toMatchObject({ known: true, source: 'github', githubRequests: 1, enqueued: [] });
    const { rows } = await database.pool.query('select default_branch from repositories');
    expect(rows).toEqual([{ default_branch: 'main' }]);
  });

  it('finds the row of a repository that was renamed or transferred', async () => {
    const repositoryId = await storeRepository(database, 'octo-org/former-name', githubIdOf(repository));
    const job = await runJob(database, redirecting('octo-org/older-name', repository), type, {
      repository: 'octo-org/older-name',
    });
    expect(job.result).toMatchObject({ repositoryId, repository, known: true, enqueued: [] });
    expect(await tracked()).toMatchObject([{ owner: 'octo-org', name: 'hello-hybrid' }]);
  });

  it('starts one first sync when a repository is discovered under two names at once', async () => {
    const redirected = redirecting('octo-org/older-name', repository);
    const [first, second] = await Promise.all(
      [repository, 'octo-org/older-name'].map((name) => enqueueJob(database, type, { repository: name })),
    );
    await Promise.all([first, second].map((id) => runAttempt(database, redirected, id ?? '')));
    expect(await started()).toHaveLength(2);
    expect(await tracked()).toHaveLength(1);
  });

  it('starts the first sync although its process is lost after the repository is stored', async () => {
    const id = await enqueueJob(database, type, { repository });
    const loseStep: TestDatabase['rpc'] = async (...call) => {
      const answer = await database.rpc<unknown>(...call);
      if (call[0] === 'track_repository') throw new Error('the process is lost');
      return answer as never;
    };
    expect(await runAttempt({ rpc: loseStep }, github, id)).toMatchObject({ status: 'queued' });
    const job = await runAttempt(database, github, id);
    expect(job.result).toMatchObject({ known: false, enqueued: firstJobs });
    expect(await started()).toHaveLength(2);
  });

  it('is not followed by a second first sync when the due repositories are looked for', async () => {
    await runJob(database, github, type, { repository });
    const job = await runJob(database, github, 'sync/workspace.priorities', {});
    expect(job.result).toMatchObject({ enqueued: 0, left: 0 });
  });

  it('fails for good when GitHub has no such repository, and stores nothing', async () => {
    const job = await runJob(database, github, type, { repository: 'octo-org/nowhere' });
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(job.error).toContain('404');
    expect(await tracked()).toEqual([]);
  });

  it('is snoozed by a rate limit, and tried again after a failure of GitHub', async () => {
    standIn.faults.add({ kind: 'primary-limit', resetSeconds: 120 }, { kind: 'bad-gateway' });
    const limited = await runJob(database, github, type, { repository });
    expect(limited).toMatchObject({ status: 'queued', retryCount: 0 });
    const failing = await runJob(database, github, type, { repository });
    expect(failing).toMatchObject({ status: 'queued', retryCount: 1 });
  });
});

/** A GitHub that answers to the old name of a repository with a redirect, which is followed. */
function redirecting(before: string, after: string): GitHub {
  return createGitHub({
    tokenName: 'GITHUB_TOKEN',
    baseUrl: standIn.url,
    log: silentLogger,
    fetch: (url, init) => fetch(new Request(url, init).url.replace(before, after), init),
  });
}
