import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Repository } from '../data/repository.ts';
import { type GitHubStandIn, startGitHubStandIn } from '../stand-in.ts';
import { createClients } from '../test-clients.ts';

const repo = { owner: 'octo-org', repo: 'hello-hybrid' };
let standIn: GitHubStandIn;
let truth: Repository;
let octokit: ReturnType<typeof createClients>['octokit'];

beforeAll(async () => {
  standIn = await startGitHubStandIn();
  ({ octokit } = createClients(standIn));
  const repository = standIn.data.repository('octo-org/hello-hybrid');
  if (!repository) throw new Error('expected the default repository');
  truth = repository;
});

afterAll(async () => {
  await standIn.close();
});

const numbersOf = (items: readonly { number: number }[]): number[] => items.map(({ number }) => number);

describe('lists of pull requests', () => {
  test('lead octokit through all pages to every pull request, newest first', async () => {
    const pulls = await octokit.paginate(octokit.rest.pulls.list, { ...repo, state: 'all', per_page: 100 });
    expect(numbersOf(pulls)).toEqual(numbersOf(truth.pullRequests()).reverse());
    expect(pulls.map(({ title, body, draft }) => ({ title, body, draft })).reverse()).toEqual(
      truth.pullRequests().map(({ title, body, isDraft }) => ({ title, body, draft: isDraft })),
    );
  });

  test('name the neighbours, the first and the last page', async () => {
    const { headers } = await octokit.rest.pulls.list({ ...repo, state: 'all', per_page: 100, page: 2 });
    const at = (page: number, relation: string): string =>
      `<${standIn.url}/repos/octo-org/hello-hybrid/pulls?state=all&per_page=100&page=${page}>; rel="${relation}"`;
    expect(headers.link).toBe([at(1, 'prev'), at(3, 'next'), at(4, 'last'), at(1, 'first')].join(', '));
  });

  test('have 30 items a page, open ones only, and no link when everything fits', async () => {
    const open = truth.pullRequests().filter(({ state }) => state === 'OPEN');
    const { data } = await octokit.rest.pulls.list(repo);
    expect(numbersOf(data)).toEqual(numbersOf(open).reverse().slice(0, 30));
    const single = await octokit.rest.pulls.list({ owner: 'octo-org', repo: 'single', state: 'all' });
    expect(single.data).toHaveLength(1);
    expect(single.headers.link).toBeUndefined();
    expect((await octokit.rest.pulls.list({ owner: 'octo-org', repo: 'empty', state: 'all' })).data).toEqual(
      [],
    );
  });

  test('sort by the last update, the oldest first unless told otherwise', async () => {
    const list = { ...repo, state: 'closed', sort: 'updated', per_page: 100 } as const;
    const ascending = await octokit.paginate(octokit.rest.pulls.list, list);
    const times = ascending.map(({ updated_at }) => updated_at);
    expect(times).toEqual(times.toSorted());
    expect(ascending).toHaveLength(truth.pullRequests().filter(({ state }) => state !== 'OPEN').length);
    const descending = await octokit.paginate(octokit.rest.pulls.list, { ...list, direction: 'desc' });
    expect(numbersOf(descending)).toEqual(numbersOf(ascending).reverse());
  });

  test('refuse a filter that is not served rather than ignoring it', async () => {
    await expect(octokit.rest.pulls.list({ ...repo, base: 'main' })).rejects.toMatchObject({ status: 501 });
  });
});

describe('one pull request', () => {
  test('answers in full, with sizes and counts', async () => {
    const pull = truth.pullRequest(truth.busyNumber ?? 0);
    const { data } = await octokit.rest.pulls.get({ ...repo, pull_number: pull?.number ?? 0 });
    expect(data).toMatchObject({
      id: pull?.databaseId,
      node_id: pull?.nodeId,
      additions: pull?.additions,
      deletions: pull?.deletions,
      changed_files: pull?.changedFiles,
      comments: pull?.comments.length,
      review_comments: pull?.reviewComments.length,
      merged: pull?.state === 'MERGED',
      merged_at: pull?.mergedAt,
      head: { sha: pull?.headRefOid, repo: { full_name: 'octo-org/hello-hybrid' } },
    });
  });

  test('lists all its reviews and comments, page after page', async () => {
    const pull = truth.pullRequest(truth.busyNumber ?? 0);
    const at = { ...repo, pull_number: pull?.number ?? 0, per_page: 50 };
    const reviews = await octokit.paginate(octokit.rest.pulls.listReviews, at);
    expect(reviews.map(({ id, state, user }) => ({ id, state, login: user?.login }))).toEqual(
      pull?.reviews.map(({ databaseId, state, author }) => ({ id: databaseId, state, login: author?.login })),
    );
    const threads = await octokit.paginate(octokit.rest.pulls.listReviewComments, at);
    expect(threads.map(({ id, in_reply_to_id }) => [id, in_reply_to_id ?? null])).toEqual(
      pull?.reviewComments.map(({ databaseId, inReplyToId }) => [databaseId, inReplyToId]),
    );
    const comments = await octokit.paginate(octokit.rest.issues.listComments, {
      ...repo,
      issue_number: at.pull_number,
      per_page: 50,
    });
    expect(comments.map(({ id, body }) => [id, body])).toEqual(
      pull?.comments.map(({ databaseId, body }) => [databaseId, body]),
    );
  });

  test('of a deleted account belongs to the ghost, while a review of one belongs to nobody', async () => {
    const orphan = truth.pullRequests().find(({ author }) => author === null);
    const { data } = await octokit.rest.pulls.get({ ...repo, pull_number: orphan?.number ?? 0 });
    expect(data.user).toMatchObject({ login: 'ghost', id: 10_137, type: 'User' });
    const reviewed = truth
      .pullRequests()
      .find(({ reviews }) => reviews.some(({ author }) => author === null));
    const reviews = await octokit.rest.pulls.listReviews({
      ...repo,
      pull_number: reviewed?.number ?? 0,
      per_page: 100,
    });
    expect(reviews.data.some(({ user }) => user === null)).toBe(true);
  });

  test('of a bot says so', async () => {
    const bump = truth.pullRequests().find(({ author }) => author?.login === 'dependabot[bot]');
    const { data } = await octokit.rest.pulls.get({ ...repo, pull_number: bump?.number ?? 0 });
    expect(data.user).toMatchObject({ login: 'dependabot[bot]', type: 'Bot' });
  });
});

describe('issues', () => {
  test('include the pull requests, which carry the key pull_request', async () => {
    const items = await octokit.paginate(octokit.rest.issues.listForRepo, {
      ...repo,
      state: 'all',
      per_page: 100,
    });
    expect(items).toHaveLength(400);
    expect(numbersOf(items.filter((item) => item.pull_request === undefined))).toEqual(
      numbersOf(truth.issues()).reverse(),
    );
  });

  test('can be limited to those updated since a moment', async () => {
    const since = truth.issues()[40]?.updatedAt ?? '';
    const items = await octokit.paginate(octokit.rest.issues.listForRepo, { ...repo, state: 'all', since });
    expect(new Set(numbersOf(items))).toEqual(
      new Set(numbersOf(truth.outlines.filter(({ updatedAt }) => updatedAt >= since))),
    );
  });

  test('answer with their reason for being closed', async () => {
    const closed = truth.issues().find(({ stateReason }) => stateReason === 'NOT_PLANNED');
    const { data } = await octokit.rest.issues.get({ ...repo, issue_number: closed?.number ?? 0 });
    expect(data).toMatchObject({ state: 'closed', state_reason: 'not_planned', body: closed?.body });
  });
});

describe('requests', () => {
  test('with the ETag of an unchanged answer get 304 at no cost, until something changes', async () => {
    const number = truth.pullRequests()[3]?.number ?? 0;
    const ask = async (etag?: string) =>
      await octokit.rest.pulls.get({
        ...repo,
        pull_number: number,
        headers: etag ? { 'if-none-match': etag } : {},
      });
    const first = await ask();
    await expect(ask(first.headers.etag)).rejects.toMatchObject({
      status: 304,
      response: { headers: { 'x-ratelimit-remaining': first.headers['x-ratelimit-remaining'] } },
    });
    truth.editPullRequest(number, { title: 'Renamed while nobody looked' });
    expect((await ask(first.headers.etag)).data.title).toBe('Renamed while nobody looked');
  });

  test('for what does not exist get the 404 that GitHub gives', async () => {
    const response = await fetch(`${standIn.url}/repos/octo-org/hello-hybrid/pulls/99999`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      message: 'Not Found',
      documentation_url: 'https://docs.github.com/rest',
      status: '404',
    });
    await expect(octokit.rest.repos.get({ owner: 'octo-org', repo: 'nope' })).rejects.toMatchObject({
      status: 404,
    });
    const issue = truth.issues()[0]?.number ?? 0;
    await expect(octokit.rest.pulls.get({ ...repo, pull_number: issue })).rejects.toMatchObject({
      status: 404,
    });
  });

  test('learn who the token belongs to and what is left of the limit', async () => {
    expect((await octokit.rest.users.getAuthenticated()).data.login).toBe('octocat');
    const before = (await octokit.rest.rateLimit.get()).data.rate;
    const after = (await octokit.rest.rateLimit.get()).data.rate;
    expect(after).toEqual(before);
    expect(before.used).toBe(before.limit - before.remaining);
  });
});
