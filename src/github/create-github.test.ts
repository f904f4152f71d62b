import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { NonRetryableError, SnoozeError } from '../jobs/outcomes.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../local/github/stand-in.ts';
import { createGitHub, type GitHubOptions } from './create-github.ts';

const pull = { owner: 'octo-org', repo: 'single', pull_number: 1 };
const list = { owner: 'octo-org', repo: 'hello-hybrid', state: 'all', per_page: 100 } as const;
let standIn: GitHubStandIn;

beforeAll(async () => {
  standIn = await startGitHubStandIn({ acceptedTokens: ['good-token'] });
});

afterAll(() => standIn.close());

beforeEach(() => standIn.faults.clear());

const connect = (options: Partial<GitHubOptions> = {}) =>
  createGitHub({
    token: 'good-token',
    tokenName: 'GITHUB_TOKEN',
    baseUrl: standIn.url,
    log: silentLogger,
    ...options,
  });

async function failure(request: Promise<unknown>): Promise<Error> {
  return await request.then(
    () => new Error('GitHub answered'),
    (error: Error) => error,
  );
}

/** What GraphQL says to a request that it does not serve at all. */
const grantsNothing = { 'x-ratelimit-limit': '0', 'x-ratelimit-remaining': '0' };

function answer(status: number, headers: Record<string, string>): Response {
  return Response.json({ message: 'API rate limit exceeded for 127.0.0.1.' }, { status, headers });
}

describe('GitHub', () => {
  it('answers REST, pages and GraphQL, and counts every request', async () => {
    const github = connect();
    expect((await github.rest.pulls.get(pull)).data.number).toBe(1);
    expect(await github.paginate(github.rest.pulls.list, list)).toHaveLength(340);
    const query = 'query ($name: String!) { repository(owner: "octo-org", name: $name) { name } }';
    expect(await github.graphql(query, { name: 'single' })).toEqual({ repository: { name: 'single' } });
    expect(github.requestCount).toBe(6);
  });

  it('is asked anonymously when there is no token', async () => {
    await connect({ token: undefined }).rest.pulls.get(pull);
    expect(standIn.requests.at(-1)).toMatchObject({ authenticated: false, status: 200 });
  });

  it('is asked as somebody else, who is told what to do when their token is refused', async () => {
    const github = connect({ token: 'revoked' });
    expect((await github.withToken('good-token', '').rest.pulls.get(pull)).status).toBe(200);
    const refused = await failure(connect().withToken('revoked', 'Sign in again.').rest.pulls.get(pull));
    expect(refused).toBeInstanceOf(NonRetryableError);
    expect(refused.message).toMatch(/401.*\. Sign in again\.$/);
    expect(refused.message).not.toContain('GITHUB_TOKEN');
  });

  it('counts anew and stops all pages for a piece of work with a signal of its own', async () => {
    const github = connect();
    await github.rest.pulls.get(pull);
    const controller = new AbortController();
    const work = github.withSignal(controller.signal);
    await work.rest.pulls.get(pull);
    expect([github.requestCount, work.requestCount]).toEqual([1, 1]);
    const reason = new Error('cancelled by an operator');
    const pages = work.paginate(work.rest.pulls.list, list, ({ data }) => {
      controller.abort(reason);
      return data;
    });
    expect(await failure(pages)).toBe(reason);
  });

  it('ends requests that are under way when their signal aborts, with its reason', async () => {
    standIn.faults.add({ kind: 'hang', times: 3 });
    const controller = new AbortController();
    const { signal } = controller;
    const asked = standIn.requests.length;
    const failures = [
      connect().withSignal(signal).rest.pulls.get(pull),
      connect().rest.pulls.get({ ...pull, request: { signal } }),
      connect().graphql('{ viewer { login } }', {}, { signal }),
    ].map(failure);
    await vi.waitFor(() => expect(standIn.requests.slice(asked)).toHaveLength(3), 10_000);
    controller.abort();
    for (const error of await Promise.all(failures)) expect(error.name).toBe('AbortError');
  });
});

describe('a refusal by GitHub', () => {
  const now = (): Date => new Date('2030-01-01T00:00:00Z');

  it.each([
    [{ kind: 'secondary-limit', retryAfterSeconds: 90 }, '2030-01-01T00:01:30.000Z'],
    [{ kind: 'secondary-limit', retryAfterSeconds: 0 }, '2030-01-01T00:00:01.000Z'],
    [{ kind: 'secondary-limit', retryAfterSeconds: 5, status: 429 }, '2030-01-01T00:00:05.000Z'],
  ] as const)('for going too fast snoozes as long as it says: %j', async (fault, until) => {
    standIn.faults.add(fault);
    const error = await failure(connect({ now }).rest.pulls.get(pull));
    expect(error).toBeInstanceOf(SnoozeError);
    expect((error as SnoozeError).until.toISOString()).toBe(until);
    expect(error.message).toContain("GitHub's rate limit");
  });

  it('for a spent quota snoozes until the quota is new', async () => {
    standIn.faults.add({ kind: 'primary-limit', resetSeconds: 600 });
    const error = await failure(connect().rest.pulls.get(pull));
    expect(error).toBeInstanceOf(SnoozeError);
    const wait = (error as SnoozeError).until.getTime() - Date.now();
    expect(wait).toBeGreaterThan(540_000);
    expect(wait).toBeLessThan(602_000);
  });

  it.each(['not-found', 'gone', 'unavailable-for-legal-reasons'] as const)('as %s is final', async (kind) => {
    standIn.faults.add({ kind });
    const error = await failure(connect().rest.pulls.get(pull));
    expect(error).toBeInstanceOf(NonRetryableError);
    expect(error.message).toMatch(/^GitHub answered 4\d\d to GET \/repos\/octo-org\/single\/pulls\/1: /);
  });

  it('to show a repository of the name graphql is one of REST', async () => {
    standIn.faults.add({ kind: 'bad-gateway' });
    const error = await failure(connect().rest.repos.get({ owner: 'graphql-go', repo: 'graphql' }));
    expect(error.name).toBe('Error');
    expect(error.message).toContain('GitHub answered 502 to GET /repos/graphql-go/graphql');
  });

  it('of a token is final, and names the variable but not the token', async () => {
    const error = await failure(connect({ token: 'bad-token' }).rest.pulls.get(pull));
    expect(error).toBeInstanceOf(NonRetryableError);
    expect(error.message).toContain('The token in GITHUB_TOKEN is wrong, expired or revoked.');
    expect(`${error.stack} ${JSON.stringify(error.cause)}`).not.toContain('bad-token');
  });

  it('to answer without a token is final, and says that there is none', async () => {
    standIn.faults.add({ kind: 'unauthorized' });
    const error = await failure(connect({ token: undefined }).graphql('{ viewer { login } }', {}));
    expect(error).toBeInstanceOf(NonRetryableError);
    expect(error.message).toContain('No token is configured, and GitHub asks for one.');
  });

  it('GraphQL without a token is final too where it calls that a limit, of 0 requests', async () => {
    const fetch = () => Promise.resolve(answer(403, grantsNothing));
    const error = await failure(connect({ token: undefined, fetch }).graphql('{ viewer { login } }', {}));
    expect(error).toBeInstanceOf(NonRetryableError);
    expect(error.message).toContain('No token is configured, and GitHub asks for one.');
  });

  it('of a wrong query is final', async () => {
    const error = await failure(connect().graphql('{ viewer { shoeSize } }', {}));
    expect(error).toBeInstanceOf(NonRetryableError);
    expect(error.message).toContain("Field 'shoeSize' doesn't exist on type 'User'");
  });

  it('to know one pull request of several leaves the others', async () => {
    const query = `{ repository(owner: "octo-org", name: "single") {
      first: pullRequest(number: 1) { number } second: pullRequest(number: 2) { number } } }`;
    expect(await connect().graphql(query, {})).toEqual({
      repository: { first: { number: 1 }, second: null },
    });
  });
});

describe('an answer that does not come', () => {
  it.each([
    [{ kind: 'server-error' }, 'GitHub answered 500 to GET /repos/octo-org/single/pulls/1: Server Error'],
    [{ kind: 'bad-gateway' }, 'GitHub answered 502 to GET'],
    [{ kind: 'truncated' }, 'broke off or is not JSON'],
    [
      { kind: 'hang' },
      'GitHub could not be asked (GET /repos/octo-org/single/pulls/1): no answer within 300 ms',
    ],
  ] as const)('may come the next time: %j', async (fault, message) => {
    standIn.faults.add(fault);
    const error = await failure(connect({ requestTimeoutMs: 300 }).rest.pulls.get(pull));
    expect(error).not.toBeInstanceOf(NonRetryableError);
    expect(error).not.toBeInstanceOf(SnoozeError);
    expect(error.message).toContain(message);
    expect(error.cause).toBeDefined();
  });

  it.each(['graphql-timeout', 'graphql-partial', 'truncated'] as const)(
    'may come the next time: %s',
    async (kind) => {
      standIn.faults.add({ kind });
      const error = await failure(connect().graphql('{ viewer { login } }', {}));
      expect(error).not.toBeInstanceOf(NonRetryableError);
      expect(error.message).toMatch(/^GitHub/);
      expect(error.message).not.toBe('GitHub answered');
    },
  );

  it('for want of a network may come the next time', async () => {
    const gone = await startGitHubStandIn();
    await gone.close();
    const error = await failure(connect({ baseUrl: gone.url }).rest.pulls.get(pull));
    expect(error).not.toBeInstanceOf(NonRetryableError);
    expect(error.message).toContain('GitHub could not be asked (GET /repos/octo-org/single/pulls/1)');
  });
});
