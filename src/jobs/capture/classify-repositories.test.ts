import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { storeRepository } from '../../../tests/support/captured-repository.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { enqueueJob, runAttempt, runJob } from '../../../tests/support/job-context.ts';
import { lostAttempt } from '../../../tests/support/killed-attempt.ts';
import { silentLogger } from '../../../tests/support/silent-logger.ts';
import { createGitHub } from '../../github/create-github.ts';
import type { GitHub } from '../../github/github.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../local/github/stand-in.ts';
import { classifyRepositories } from './classify-repositories.ts';

const { type } = classifyRepositories;
const sizes = [0, 1, 99, 100, 101, 500, 501];
const many = 120;
let database: TestDatabase;
let standIn: GitHubStandIn;
let github: GitHub;

beforeAll(async () => {
  const ofSize = sizes.map((pullRequests) => ({ owner: 'sizes', name: `of-${pullRequests}`, pullRequests }));
  const copies = Array.from({ length: many }, (_, n) => ({
    owner: 'many',
    name: `copy-${n}`,
    pullRequests: 2,
  }));
  standIn = await startGitHubStandIn({ repositories: [...ofSize, ...copies] });
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

/** Stores repositories of the stand-in by the owner's name. */
async function storeAll(owner: string): Promise<void> {
  for (const { fullName, fields } of standIn.data.repositories)
    if (fullName.startsWith(`${owner}/`)) await storeRepository(database, fullName, fields.databaseId);
}

interface SizeRow {
  name: string;
  pull_request_count: number | null;
  size_class: string | null;
  size_classified_at: Date | null;
  unavailable_at: Date | null;
}

async function rows(): Promise<SizeRow[]> {
  const answer = await database.pool.query<SizeRow>(
    `select name, pull_request_count, size_class, size_classified_at, unavailable_at
     from repositories order by pull_request_count nulls last, name`,
  );
  return answer.rows;
}

/** Makes all classifications look so old. */
async function age(days: number): Promise<void> {
  await database.pool.query(
    `update repositories set size_classified_at = size_classified_at - $1 * interval '1 day'`,
    [days],
  );
}

describe('classify/repository.size', () => {
  it('calls repositories small under 100 pull requests, medium up to 500, and large above', async () => {
    await storeAll('sizes');
    const job = await runJob(database, github, type, {});
    expect(job).toMatchObject({
      status: 'completed',
      result: {
        ...{ repositories: 7, small: 3, medium: 3, large: 1, unavailable: 0 },
        ...{ pages: 1, truncated: false, githubRequests: 1, source: 'github' },
      },
    });
    const classes = ['small', 'small', 'small', 'medium', 'medium', 'medium', 'large'];
    expect(await rows()).toMatchObject(
      sizes.map((size, index) => ({
        pull_request_count: size,
        size_class: classes[index],
        unavailable_at: null,
      })),
    );
  });

  it('asks for fifty repositories in one request', async () => {
    await storeAll('many');
    const asked = standIn.requests.length;
    const job = await runJob(database, github, type, {});
    expect(job.result).toMatchObject({ repositories: many, small: many, pages: 3, githubRequests: 3 });
    expect(standIn.requests.slice(asked)).toHaveLength(3);
  });

  it('leaves what exceeds maxRepositories to the next run', async () => {
    await storeAll('many');
    const first = await runJob(database, github, type, { maxRepositories: 70 });
    expect(first.result).toMatchObject({ repositories: 70, pages: 2, truncated: true });
    const second = await runJob(database, github, type, { maxRepositories: 70 });
    expect(second.result).toMatchObject({ repositories: many - 70, pages: 1, truncated: false });
    expect((await rows()).map(({ size_class }) => size_class)).toEqual(Array(many).fill('small'));
  });

  it('asks GitHub nothing while all classifications are fresh, and again when they are stale', async () => {
    await storeAll('sizes');
    await runJob(database, github, type, {});
    const asked = standIn.requests.length;
    await age(6);
    const fresh = await runJob(database, github, type, {});
    expect(fresh.result).toEqual({
      ...{ repositories: 0, small: 0, medium: 0, large: 0, unavailable: 0 },
      ...{ pages: 0, truncated: false, githubRequests: 0, source: 'cache' },
    });
    expect(standIn.requests).toHaveLength(asked);
    const impatient = await runJob(database, github, type, { staleAfterDays: 5 });
    expect(impatient.result).toMatchObject({ repositories: 7, source: 'github' });
    await age(8);
    expect((await runJob(database, github, type, {})).result).toMatchObject({ repositories: 7 });
  });

  it('asks for each repository once when it is forced', async () => {
    await storeAll('many');
    await runJob(database, github, type, {});
    const before = await rows();
    const forced = await runJob(database, github, type, { force: true });
    expect(forced.result).toMatchObject({ repositories: many, pages: 3, githubRequests: 3 });
    const withoutTimes = (row: SizeRow): SizeRow => ({ ...row, size_classified_at: null });
    expect((await rows()).map(withoutTimes)).toEqual(before.map(withoutTimes));
  });

  it('notes the repositories that GitHub does not know, and does not ask for them every time', async () => {
    await storeAll('sizes');
    await storeRepository(database, 'sizes/deleted', 17);
    await storeRepository(database, 'sizes/private-now', 18);
    const job = await runJob(database, github, type, {});
    expect(job).toMatchObject({
      status: 'completed',
      result: { repositories: 9, small: 3, unavailable: 2, githubRequests: 2 },
    });
    const gone = (await rows()).slice(-2);
    expect(gone).toMatchObject([
      {
        name: 'deleted',
        pull_request_count: null,
        size_class: null,
        unavailable_at: expect.any(Date) as Date,
      },
      { name: 'private-now', unavailable_at: expect.any(Date) as Date },
    ]);
    expect((await runJob(database, github, type, {})).result).toMatchObject({ githubRequests: 0 });
    await age(8);
    await runJob(database, github, type, {});
    // Since when it is gone, not when GitHub was last asked.
    expect((await rows()).at(-1)?.unavailable_at).toEqual(gone[1]?.unavailable_at);
  });

  it('takes a repository that the token may not see for gone', async () => {
    await storeAll('sizes');
    await storeRepository(database, 'sizes/of-others', 17);
    const job = await runJob(database, replacing('NOT_FOUND', 'FORBIDDEN'), type, {});
    expect(job.result).toMatchObject({ repositories: 8, small: 3, unavailable: 1, githubRequests: 2 });
  });

  it('takes no repository for gone when something else went wrong too', async () => {
    await storeAll('sizes');
    await storeRepository(database, 'sizes/deleted', 17);
    standIn.faults.add({ kind: 'graphql-partial', dataPath: ['r3'] });
    const job = await runJob(database, github, type, {});
    expect(job).toMatchObject({ status: 'queued', retryCount: 1 });
    expect((await rows()).filter(({ unavailable_at }) => unavailable_at !== null)).toEqual([]);
  });

  it('works when GitHub knows none of them', async () => {
    await storeRepository(database, 'sizes/deleted', 17);
    const job = await runJob(database, github, type, {});
    expect(job.result).toMatchObject({ repositories: 1, unavailable: 1, githubRequests: 1 });
  });

  it('takes a repository for available again when it is back', async () => {
    await storeAll('sizes');
    await database.pool.query('update repositories set unavailable_at = now()');
    await runJob(database, github, type, {});
    expect(await rows()).toMatchObject(sizes.map(() => ({ unavailable_at: null })));
  });

  it('does not take a namesake for the repository', async () => {
    await storeRepository(database, 'sizes/of-99', 17);
    const job = await runJob(database, github, type, {});
    expect(job.result).toMatchObject({ repositories: 1, small: 0, unavailable: 1 });
  });

  it('takes over the new name of a renamed repository', async () => {
    const { fields } = standIn.data.repository('sizes/of-99') ?? {};
    await storeRepository(database, 'sizes/formerly', fields?.databaseId ?? 0);
    await runJob(database, renaming('formerly', 'of-99'), type, {});
    expect(await rows()).toMatchObject([{ name: 'of-99', pull_request_count: 99, size_class: 'small' }]);
  });

  it('repeats no page that was saved when its process is lost', async () => {
    await storeAll('many');
    const asked = standIn.requests.length;
    const id = await enqueueJob(database, type, {});
    await lostAttempt(database, github, standIn, id, 1);
    const job = await runAttempt(database, github, id);
    expect(job).toMatchObject({ status: 'completed', result: { repositories: many, githubRequests: 3 } });
    // The second request was not answered, and was made again.
    expect(standIn.requests.length - asked).toBe(4);
    expect((await rows()).map(({ size_class }) => size_class)).toEqual(Array(many).fill('small'));
  });

  it('is snoozed by a rate limit, free of charge', async () => {
    await storeAll('sizes');
    standIn.faults.add({ kind: 'graphql-rate-limited', resetSeconds: 120 });
    const job = await runJob(database, github, type, {});
    expect(job).toMatchObject({ status: 'queued', retryCount: 0 });
  });

  it('asks for fewer at once when GitHub runs out of time', async () => {
    await storeAll('many');
    standIn.faults.add({ kind: 'graphql-timeout' });
    const job = await runJob(database, github, type, {});
    expect(job).toMatchObject({ retryCount: 0, result: { repositories: many, pages: 5, githubRequests: 6 } });
  });

  it('fails for good when the token is wrong, and marks no repository as gone', async () => {
    await storeAll('sizes');
    standIn.faults.add({ kind: 'unauthorized' });
    const job = await runJob(database, github, type, {});
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(await rows()).toMatchObject(sizes.map(() => ({ unavailable_at: null, size_classified_at: null })));
  });
});

/** A GitHub on which `before` is an old name of `after`: it follows renames. */
function renaming(before: string, after: string): GitHub {
  return createGitHub({
    tokenName: 'GITHUB_TOKEN',
    baseUrl: standIn.url,
    log: silentLogger,
    fetch: (url, init) => {
      const body = typeof init?.body === 'string' ? init.body.replaceAll(before, after) : init?.body;
      return fetch(url, { ...init, body });
    },
  });
}

/** A GitHub that says `after` where the stand-in says `before`. */
function replacing(before: string, after: string): GitHub {
  return createGitHub({
    tokenName: 'GITHUB_TOKEN',
    baseUrl: standIn.url,
    log: silentLogger,
    fetch: async (url, init) => {
      const answer = await fetch(url, init);
      return new Response((await answer.text()).replaceAll(before, after), answer);
    },
  });
}
