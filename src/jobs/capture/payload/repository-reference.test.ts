import { describe, expect, it } from 'vitest';
import { parsePayload } from '../../../queue/parse-payload.ts';
import { captureDetails } from '../pr-details.ts';
import { pullRequestPayload, repositoryKey, repositoryPayload } from './repository-reference.ts';

const uuid = '0190f3f6-7c1a-7000-8000-0123456789ab';

/** What the row of a job with this payload will say. */
async function refusal(payload: unknown): Promise<string> {
  try {
    await parsePayload(captureDetails, payload);
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a repository in a payload', () => {
  it.each([
    ['repository "owner/name"', { repository: 'octo-org/hello.hybrid' }],
    ['repository {owner, name}', { repository: { owner: 'octo-org', name: 'hello.hybrid' } }],
    ['owner with repo', { owner: 'octo-org', repo: 'hello.hybrid' }],
    ['owner with name', { owner: 'octo-org', name: 'hello.hybrid' }],
    ['the same name twice', { repository: 'octo-org/hello.hybrid', owner: 'Octo-Org', repo: 'hello.hybrid' }],
    ['fields of the sender’s own', { repository: 'octo-org/hello.hybrid', reason: 'scheduled' }],
  ])('may be written as %s', (_spelling, payload) => {
    expect(repositoryPayload.parse(payload)).toEqual({
      repository: { id: null, githubId: null, owner: 'octo-org', name: 'hello.hybrid' },
    });
  });

  it('may carry GitHub’s id, or be our uuid alone', () => {
    expect(
      repositoryPayload.parse({ repository: { owner: 'a', name: 'b', github_id: 7 } }).repository.githubId,
    ).toBe(7);
    expect(repositoryPayload.parse({ repositoryId: uuid }).repository).toEqual({
      id: uuid,
      githubId: null,
      owner: null,
      name: null,
    });
  });

  it.each([
    [{}, 'payload.repository: expected one of repository "owner/name"'],
    [
      { repository: 'hello' },
      'payload.repository: expected "owner/name" or {owner, name, github_id?}, got string',
    ],
    [
      { repository: '../..' },
      'payload.repository: expected "owner/name" or {owner, name, github_id?}, got string',
    ],
    [{ repository: 5 }, 'payload.repository: expected "owner/name" or {owner, name, github_id?}, got number'],
    [{ repository: ['a/b'] }, 'payload.repository: expected object, got array'],
    [{ repository: { owner: 'a' } }, 'payload.repository.name: expected string, got nothing'],
    [
      { repository: { owner: 'a', name: 'b/c' } },
      'payload.repository.name: expected the name of a GitHub repository, without its owner, got string',
    ],
    [
      { repository: 'a/b', owner: 'c', repo: 'b' },
      'payload.repository: expected the repository that the other fields name',
    ],
    [{ owner: 'a' }, 'payload.repo: expected the name of the repository next to owner, got nothing'],
    [{ owner: 'a', repo: '..' }, 'payload.repo: expected the name of a GitHub repository'],
    [{ repo: 'b' }, 'payload.owner: expected the owner next to repo, got nothing'],
    [{ repositoryId: '17' }, 'payload.repositoryId: expected the uuid of a repository, got string'],
  ])('is refused when it is %j', async (payload, message) => {
    expect(await refusal({ ...payload, prNumber: 1 })).toContain(message);
  });

  it('has one concurrency key, whatever its spelling', () => {
    const keys = [{ repository: 'Octo-Org/App' }, { owner: 'octo-org', repo: 'app' }].map((payload) =>
      repositoryKey(repositoryPayload.parse(payload).repository),
    );
    expect(keys).toEqual(['repository:octo-org/app', 'repository:octo-org/app']);
    expect(repositoryKey(repositoryPayload.parse({ repositoryId: uuid }).repository)).toBe(
      `repository:${uuid}`,
    );
  });
});

describe('a pull request in a payload', () => {
  it.each([{ pr_number: 12 }, { prNumber: 12 }, { prNumbers: [12] }, { pr_number: 12, prNumber: 12 }])(
    'may be written as %j',
    (fields) => {
      expect(pullRequestPayload.parse({ repository: 'a/b', ...fields }).prNumber).toBe(12);
    },
  );

  it.each([
    [{}, 'payload.prNumber: expected pr_number, prNumber or prNumbers to name a pull request, got nothing'],
    [{ prNumbers: [1, 2] }, 'payload.prNumber: expected one pull request, not 2'],
    [{ prNumbers: [] }, 'payload.prNumbers: expected array of at least 1'],
    [{ prNumber: '12' }, 'payload.prNumber: expected number, got string'],
    [{ pr_number: 1.5 }, 'payload.pr_number: expected int, got number'],
    [{ prNumber: 0 }, 'payload.prNumber: expected number above 0'],
    [{ prNumber: 1, maxAgeSeconds: -1 }, 'payload.maxAgeSeconds: expected number of at least 0'],
    [{ prNumber: 1, force: 'yes' }, 'payload.force: expected boolean, got string'],
  ])('is refused when it is %j', async (fields, message) => {
    expect(await refusal({ repository: 'a/b', ...fields })).toContain(message);
  });
});
