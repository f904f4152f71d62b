import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askedSizes } from '../../../tests/support/captured-details.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { enqueueJob, runAttempt, runJob } from '../../../tests/support/job-context.ts';
import { silentLogger } from '../../../tests/support/silent-logger.ts';
import { createGitHub } from '../../github/create-github.ts';
import type { GitHub } from '../../github/github.ts';
import type { Fault } from '../../local/github/faults.ts';
import type { PullRequest } from '../../local/github/data/records.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../local/github/stand-in.ts';
import { syncRepositoryGraphQL } from './repository-sync-graphql.ts';

const { type } = syncRepositoryGraphQL;
const repository = 'octo-org/hello-hybrid';
const tables = ['repositories', 'contributors', 'pull_requests', 'reviews', 'comments', 'issues'];
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

/** All captured rows, by table and GitHub id, without the times of the captures. */
async function snapshot(): Promise<Record<string, unknown[]>> {
  const entries = tables.map(async (table) => {
    const { rows } = await database.pool.query<object>(`select * from ${table} order by github_id`);
    const content = rows.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([column]) => !column.endsWith('synced_at'))),
    );
    return [table, content] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

function trueRow(pull: PullRequest): object {
  const time = (text: string | null): Date | null => (text === null ? null : new Date(text));
  return {
    github_id: String(pull.databaseId),
    number: pull.number,
    title: pull.title,
    body: pull.body || null,
    state: pull.state === 'OPEN' ? 'open' : 'closed',
    draft: pull.isDraft,
    merged: pull.state === 'MERGED',
    base_branch: pull.baseRefName,
    head_branch: pull.headRefName,
    head_sha: pull.headRefOid,
    additions: pull.additions,
    deletions: pull.deletions,
    changed_files: pull.changedFiles,
    commits: pull.commits,
    created_at: time(pull.createdAt),
    updated_at: time(pull.updatedAt),
    closed_at: time(pull.closedAt),
    merged_at: time(pull.mergedAt),
    author: pull.author?.login ?? null,
    author_is_bot: pull.author && pull.author.type === 'Bot',
    merged_by: pull.mergedBy?.login ?? null,
  };
}

describe('capture/repository.sync.graphql', () => {
  it('stores the 100 newest pull requests with one request', async () => {
    const asked = standIn.requests.length;
    const job = await runJob(database, github, type, { repository });
    expect(job).toMatchObject({
      status: 'completed',
      result: { pullRequests: 100, pages: 1, truncated: true, githubRequests: 1, source: 'github' },
    });
    expect(standIn.requests.slice(asked)).toHaveLength(1);
    const newest = standIn.data.repository(repository)?.pullRequests().slice(-100) ?? [];
    const { rows } = await database.pool.query(
      `select pull.*, author.username as author, author.is_bot as author_is_bot, merger.username as merged_by
       from pull_requests pull
       left join contributors author on author.id = pull.author_id
       left join contributors merger on merger.id = pull.merged_by_id
       order by pull.number`,
    );
    expect(rows).toMatchObject(newest.map(trueRow));
  });

  it('takes one look, one upsert and one checkpoint in the database', async () => {
    const asked: string[] = [];
    const rpc: TestDatabase['rpc'] = async (name, args, options) => {
      asked.push(name);
      return await database.rpc(name, args, options);
    };
    await runJob({ rpc }, github, type, { repository });
    const completion = asked.findIndex((name) => name.startsWith('complete_'));
    const own = asked.slice(asked.indexOf('claim_background_job') + 1, completion);
    expect(own).toEqual(['get_capture_state', 'upsert_capture_page', 'save_background_job_step']);
  });

  it('goes on when it is tried again, though the repository has become fresh', async () => {
    const id = await enqueueJob(database, type, { repository });
    standIn.faults.add({ kind: 'server-error' });
    expect(await runAttempt(database, github, id)).toMatchObject({ status: 'queued', retryCount: 1 });
    const prNumber = standIn.data.repository(repository)?.busyNumber;
    await runJob(database, github, 'capture/pr.details', { repository, prNumber });
    await database.pool.query('update repositories set pull_requests_synced_at = now()');
    expect(await runAttempt(database, github, id)).toMatchObject({
      result: { pullRequests: 100, source: 'github' },
    });
  });

  it('says so when it has all there is', async () => {
    const single = await runJob(database, github, type, { repository: 'octo-org/single' });
    expect(single.result).toMatchObject({ pullRequests: 1, truncated: false });
    const empty = await runJob(database, github, type, { owner: 'octo-org', repo: 'empty' });
    expect(empty).toMatchObject({ status: 'completed', result: { pullRequests: 0, truncated: false } });
  });

  it('changes no row when it runs again', async () => {
    await runJob(database, github, type, { repository });
    const before = await snapshot();
    const again = await runJob(database, github, type, { repository, force: true });
    expect(again.result).toMatchObject({ pullRequests: 100, source: 'github' });
    expect(await snapshot()).toEqual(before);
  });

  it('takes over what was edited on GitHub, and nothing else', async () => {
    await runJob(database, github, type, { repository });
    const before = await snapshot();
    const truth = standIn.data.repository(repository);
    const number = truth?.pullRequests().at(-1)?.number ?? 0;
    const updatedAt = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, '');
    truth?.editPullRequest(number, { title: 'Now with 🐙', updatedAt });
    await runJob(database, github, type, { repository, force: true });
    const after = await snapshot();
    const changed = after.pull_requests?.filter((row, index) => {
      return JSON.stringify(row) !== JSON.stringify(before.pull_requests?.[index]);
    });
    expect(changed).toMatchObject([{ number, title: 'Now with 🐙' }]);
  });

  it('asks GitHub nothing while the repository is fresh', async () => {
    await runJob(database, github, type, { repository });
    const asked = standIn.requests.length;
    const again = await runJob(database, github, type, {
      repository: { owner: 'OCTO-org', name: 'hello-hybrid' },
    });
    expect(again.result).toEqual({
      pullRequests: 0,
      pages: 0,
      truncated: false,
      githubRequests: 0,
      source: 'cache',
    });
    expect(standIn.requests).toHaveLength(asked);
  });

  it('gives a pull request the row that capture/pr.details gives it', async () => {
    await runJob(database, github, type, { repository });
    const before = await snapshot();
    const captured = standIn.data.repository(repository)?.pullRequests().slice(-40) ?? [];
    for (const { number: prNumber } of captured) {
      const details = await runJob(database, github, 'capture/pr.details', { repository, prNumber });
      expect(details.result).toMatchObject({ source: 'github' });
    }
    const after = await snapshot();
    expect(after.repositories).toEqual(before.repositories);
    expect(after.pull_requests).toEqual(before.pull_requests);
    expect(after.contributors).toEqual(expect.arrayContaining(before.contributors ?? []));
    expect(after.reviews).not.toEqual([]);
  });

  it('has one concurrency key and one lane for a repository', () => {
    const key = syncRepositoryGraphQL.concurrency?.key(syncRepositoryGraphQL.payload.parse({ repository }));
    expect([syncRepositoryGraphQL.lane, key]).toEqual(['edge', `repository:${repository}`]);
    expect(syncRepositoryGraphQL.functionId).toBe('capture-repository-sync-graphql');
  });
});

describe('when GitHub refuses', () => {
  const snoozed: Fault[] = [
    { kind: 'graphql-rate-limited', resetSeconds: 120 },
    { kind: 'primary-limit', resetSeconds: 120 },
    { kind: 'primary-limit', resetSeconds: 120, status: 429 },
    { kind: 'secondary-limit', retryAfterSeconds: 120 },
  ];

  it.each(snoozed)('the job is snoozed until the limit ends, free of charge: %j', async (fault) => {
    standIn.faults.add(fault);
    const before = Date.now();
    const job = await runJob(database, github, type, { repository });
    expect(job).toMatchObject({ status: 'queued', retryCount: 0 });
    expect(job.runAt.getTime()).toBeGreaterThanOrEqual(before + 119_000);
    expect(job.runAt.getTime()).toBeLessThanOrEqual(Date.now() + 122_000);
  });

  const retried: Fault[] = [{ kind: 'server-error' }, { kind: 'truncated' }, { kind: 'graphql-partial' }];

  it.each(retried)('the job is tried again: %j', async (fault) => {
    standIn.faults.add(fault);
    const job = await runJob(database, github, type, { repository });
    expect(job).toMatchObject({ status: 'queued', retryCount: 1 });
    expect((await snapshot()).pull_requests).toEqual([]);
  });

  const tooLarge: Fault[] = [{ kind: 'bad-gateway' }, { kind: 'graphql-timeout' }];

  it.each(tooLarge)('the job asks for smaller pages: $kind', async (fault) => {
    standIn.faults.add(fault);
    const asked = standIn.requests.length;
    const job = await runJob(database, github, type, { repository });
    expect(job).toMatchObject({
      ...{ status: 'completed', retryCount: 0 },
      result: { pullRequests: 100, pages: 2, truncated: true, githubRequests: 3, source: 'github' },
    });
    expect(askedSizes(standIn, asked)).toEqual([100, 50, 50]);
    const newest = standIn.data.repository(repository)?.pullRequests().slice(-100) ?? [];
    const { rows } = await database.pool.query('select number from pull_requests order by number');
    expect(rows).toEqual(newest.map(({ number }) => ({ number })));
    const again = await runJob(database, github, type, { repository });
    expect(again.result).toMatchObject({ source: 'cache' });
  });

  const failed: [fault: Fault, message: string][] = [
    [{ kind: 'unauthorized' }, 'The token in GITHUB_TOKEN is wrong, expired or revoked'],
    [{ kind: 'not-found' }, '404'],
    [{ kind: 'gone' }, '410'],
    [{ kind: 'unavailable-for-legal-reasons' }, '451'],
  ];

  it.each(failed)('the job fails for good: %j', async (fault, message) => {
    standIn.faults.add(fault);
    const job = await runJob(database, github, type, { repository });
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(job.error).toContain(message);
    expect(job.error).not.toContain('test-token');
  });

  it('the job fails for good when the repository does not exist', async () => {
    const job = await runJob(database, github, type, { repository: 'octo-org/nowhere' });
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(job.error).toContain("Could not resolve to a Repository with the name 'octo-org/nowhere'");
  });
});
