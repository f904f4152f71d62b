import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Fault } from './faults.ts';
import { type GitHubStandIn, type GitHubStandInOptions, startGitHubStandIn } from './stand-in.ts';
import { createClients } from './test-clients.ts';

const repo = { owner: 'octo-org', repo: 'single' };
const QUERY = 'query Single { repository(owner: "octo-org", name: "single") { id stargazerCount } }';
const open: GitHubStandIn[] = [];

async function start(options: GitHubStandInOptions = {}) {
  const standIn = await startGitHubStandIn(options);
  open.push(standIn);
  return { standIn, ...createClients(standIn) };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map(async (standIn) => await standIn.close()));
});

describe('a REST request', () => {
  test.for<[Fault, object]>([
    [{ kind: 'unauthorized' }, { status: 401, response: { data: { message: 'Bad credentials' } } }],
    [{ kind: 'not-found' }, { status: 404 }],
    [{ kind: 'gone' }, { status: 410 }],
    [{ kind: 'unavailable-for-legal-reasons' }, { status: 451 }],
    [{ kind: 'server-error' }, { status: 500 }],
    [
      { kind: 'bad-gateway' },
      {
        status: 502,
        response: {
          headers: { 'content-type': 'text/html; charset=utf-8' },
          data: expect.stringContaining('Unicorn') as string,
        },
      },
    ],
    [
      { kind: 'secondary-limit', retryAfterSeconds: 17, status: 429 },
      { status: 429, response: { headers: { 'retry-after': '17', 'x-ratelimit-remaining': '5000' } } },
    ],
    [
      { kind: 'primary-limit' },
      {
        status: 403,
        response: { headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-resource': 'core' } },
      },
    ],
  ])('meets %j once, and succeeds the next time', async ([fault, failure]) => {
    const { standIn, octokit } = await start();
    standIn.faults.add(fault);
    await expect(octokit.rest.repos.get(repo)).rejects.toMatchObject(failure);
    expect((await octokit.rest.repos.get(repo)).data.full_name).toBe('octo-org/single');
    expect(standIn.requests).toMatchObject([{ fault: fault.kind }, { fault: null, status: 200 }]);
  });

  test('learns when a primary limit resets', async () => {
    const { standIn, octokit } = await start();
    standIn.faults.add({ kind: 'primary-limit', resetSeconds: 900 });
    const before = Date.now() / 1000;
    const failure: unknown = await octokit.rest.repos.get(repo).catch((error: unknown) => error);
    const { headers } = (failure as { response: { headers: Record<string, string> } }).response;
    expect(Number(headers['x-ratelimit-reset'])).toBeGreaterThanOrEqual(before + 900);
  });

  test('loses its body halfway, which octokit takes for an empty one', async () => {
    const { standIn, octokit } = await start();
    standIn.faults.add({ kind: 'truncated', times: 2 });
    const response = await fetch(`${standIn.url}/repos/octo-org/single`);
    await expect(response.text()).rejects.toThrow();
    expect((await octokit.rest.repos.get(repo)).data).toBe('');
    expect((await octokit.rest.repos.get(repo)).data.name).toBe('single');
  });

  test('hangs until its caller gives up', async () => {
    const { standIn, octokit } = await start();
    standIn.faults.add({ kind: 'hang' });
    const caller = new AbortController();
    const answer = octokit.rest.repos.get({ ...repo, request: { signal: caller.signal } });
    const refused = expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    await vi.waitFor(() => {
      expect(standIn.requests).toMatchObject([{ fault: 'hang', status: null }]);
    });
    caller.abort();
    await refused;
    expect((await octokit.rest.repos.get(repo)).status).toBe(200);
  });

  test('that hangs does not keep the stand-in from closing', async () => {
    const { standIn, octokit } = await start();
    standIn.faults.add({ kind: 'hang' });
    const refused = expect(octokit.rest.repos.get(repo)).rejects.toThrow();
    await vi.waitFor(() => {
      expect(standIn.requests).toHaveLength(1);
    });
    await standIn.close();
    open.length = 0;
    await refused;
  });

  test('can be made to wait, so that a later one overtakes it', async () => {
    const { standIn, octokit } = await start({ latencyMs: 1 });
    standIn.faults.add({ kind: 'latency', latencyMs: 1500, match: { path: '/user' } });
    const arrivals: string[] = [];
    const slow = octokit.rest.users.getAuthenticated().then(() => arrivals.push('slow'));
    await vi.waitFor(() => {
      expect(standIn.requests).toHaveLength(1);
    });
    await octokit.rest.repos.get(repo).then(() => arrivals.push('quick'));
    await slow;
    expect(arrivals).toEqual(['quick', 'slow']);
  });
});

describe('a GraphQL request', () => {
  test('meets a rate limit with HTTP 200', async () => {
    const { standIn, graphql } = await start();
    standIn.faults.add({ kind: 'graphql-rate-limited' });
    await expect(graphql(QUERY)).rejects.toMatchObject({
      name: 'GraphqlResponseError',
      errors: [{ type: 'RATE_LIMITED' }],
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-resource': 'graphql' },
    });
    await expect(graphql(QUERY)).resolves.toMatchObject({ repository: { id: expect.any(String) as string } });
  });

  test('times out with HTTP 200 or 502', async () => {
    const { standIn, graphql } = await start();
    standIn.faults.add({ kind: 'graphql-timeout' }, { kind: 'graphql-timeout', status: 502 });
    await expect(graphql(QUERY)).rejects.toThrow(/Something went wrong while executing your query/);
    await expect(graphql(QUERY)).rejects.toMatchObject({ status: 502 });
  });

  test('gets a part of its data beside an error', async () => {
    const { standIn, graphql } = await start();
    standIn.faults.add({ kind: 'graphql-partial', dataPath: ['repository', 'stargazerCount'] });
    await expect(graphql(QUERY)).rejects.toMatchObject({
      data: { repository: { id: expect.any(String) as string, stargazerCount: null } },
      errors: [{ type: 'SERVICE_UNAVAILABLE', path: ['repository', 'stargazerCount'] }],
    });
  });

  test('meets what REST meets: a limit, the unicorn, a wrong token', async () => {
    const { standIn, graphql } = await start();
    for (const [kind, status] of [
      ['secondary-limit', 403],
      ['bad-gateway', 502],
      ['unauthorized', 401],
    ] as const) {
      standIn.faults.add({ kind });
      await expect(graphql(QUERY)).rejects.toMatchObject({ status });
    }
  });
});

describe('a fault', () => {
  test('hits the requests it was meant for, after those it skips, as often as ordered', async () => {
    const { standIn, octokit, graphql } = await start();
    standIn.faults.add(
      { kind: 'server-error', match: { path: '/repos/*/pulls' }, skip: 1, times: 2 },
      { kind: 'bad-gateway', match: { operation: 'Single' }, times: 'always' },
    );
    const statuses: number[] = [];
    for (let round = 0; round < 4; round++) {
      const answer = await fetch(`${standIn.url}/repos/octo-org/single/pulls?state=all`);
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([200, 500, 500, 200]);
    expect((await octokit.rest.repos.get(repo)).status).toBe(200);
    await expect(graphql(QUERY)).rejects.toMatchObject({ status: 502 });
    await expect(graphql(QUERY)).rejects.toMatchObject({ status: 502 });
    await expect(graphql('{ viewer { login } }')).resolves.toEqual({ viewer: { login: 'octocat' } });
    standIn.faults.clear();
    await expect(graphql(QUERY)).resolves.toBeDefined();
  });

  test('can be ordered and cleared over HTTP, and the requests be read', async () => {
    const { standIn, octokit } = await start();
    const control = async (method: string, body?: object) =>
      await fetch(`${standIn.url}/_stand-in/faults`, {
        method,
        ...(body && { body: JSON.stringify(body) }),
      });
    expect(
      (await control('POST', [{ kind: 'gone' }, { kind: 'server-error', times: 'always' }])).status,
    ).toBe(201);
    await expect(octokit.rest.repos.get(repo)).rejects.toMatchObject({ status: 410 });
    await expect(octokit.rest.repos.get(repo)).rejects.toMatchObject({ status: 500 });
    expect((await control('DELETE')).status).toBe(204);
    expect((await octokit.rest.repos.get(repo)).status).toBe(200);
    const requests = await fetch(`${standIn.url}/_stand-in/requests`);
    expect(await requests.json()).toMatchObject([{ status: 410 }, { status: 500 }, { status: 200 }]);
    const unknown = await control('POST', { kind: 'no-such-fault' });
    expect([unknown.status, await unknown.text()]).toEqual([400, expect.stringContaining('kind')]);
  });
});

describe('the rate limit', () => {
  test('counts down and then refuses, separately for both APIs', async () => {
    const { standIn, octokit, graphql } = await start({ rateLimit: { limit: 10, remaining: 2 } });
    await octokit.rest.repos.get(repo);
    const { headers } = await octokit.rest.repos.get(repo);
    expect(headers).toMatchObject({
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-used': '10',
    });
    await expect(octokit.rest.repos.get(repo)).rejects.toMatchObject({
      status: 403,
      response: { headers: { 'x-ratelimit-remaining': '0' } },
    });
    await graphql(QUERY);
    await graphql(QUERY);
    await expect(graphql(QUERY)).rejects.toMatchObject({ errors: [{ type: 'RATE_LIMITED' }] });
    expect((await octokit.rest.rateLimit.get()).data.resources.graphql).toMatchObject({
      remaining: 0,
      used: 10,
    });
    expect(standIn.requests.at(-1)).toMatchObject({ path: '/rate_limit', status: 200 });
  });
});

describe('tokens', () => {
  test('are all welcome by default, and so is nobody', async () => {
    const { standIn, octokit } = await start();
    expect((await octokit.rest.repos.get(repo)).status).toBe(200);
    expect((await fetch(`${standIn.url}/user`)).status).toBe(200);
    expect(standIn.requests.map(({ authenticated }) => authenticated)).toEqual([true, false]);
  });

  test('other than the accepted ones are bad credentials, and never recorded', async () => {
    const { standIn } = await start({ acceptedTokens: ['right'], allowAnonymous: false });
    const [right, wrong] = [createClients(standIn, 'right'), createClients(standIn, 'secret-but-wrong')];
    expect((await right.octokit.rest.repos.get(repo)).status).toBe(200);
    await expect(right.graphql(QUERY)).resolves.toBeDefined();
    await expect(wrong.octokit.rest.repos.get(repo)).rejects.toMatchObject({ status: 401 });
    await expect(wrong.graphql(QUERY)).rejects.toMatchObject({ status: 401 });
    expect((await fetch(`${standIn.url}/user`)).status).toBe(401);
    expect(JSON.stringify(standIn.requests)).not.toContain('secret-but-wrong');
  });
});

test('a taken port is left to its owner', async () => {
  const { standIn } = await start();
  const second = await startGitHubStandIn({ port: Number(new URL(standIn.url).port) });
  expect(second.url).not.toBe(standIn.url);
  await second.close();
});
