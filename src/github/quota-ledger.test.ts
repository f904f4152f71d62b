import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import type { UncheckedRpc } from '../database/rpc.ts';
import { NonRetryableError, SnoozeError } from '../jobs/outcomes.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../local/github/stand-in.ts';
import type { GitHub } from './github.ts';
import { createSharedGitHub } from './shared-github.ts';

const pull = { owner: 'octo-org', repo: 'single', pull_number: 1 };
const query = '{ rateLimit { limit cost remaining resetAt } viewer { login } }';
let database: TestDatabase;
let standIn: GitHubStandIn;

beforeAll(async () => {
  database = await createTestDatabase();
  standIn = await startGitHubStandIn({ rateLimit: { limit: 100 } });
});

afterEach(async () => {
  standIn.faults.clear();
  await database.pool.query('delete from job_quotas');
});

afterAll(async () => {
  await standIn.close();
  await database.close();
});

/** A process of its own: it knows nothing but what it was told. */
function connect(more: { token?: string; rpc?: TestDatabase['rpc']; fetch?: typeof fetch } = {}): GitHub {
  const { rpc = database.rpc, ...rest } = more;
  const options = { ...rest, tokenName: 'GITHUB_TOKEN', baseUrl: standIn.url, log: silentLogger, rpc };
  return createSharedGitHub(options)(silentLogger);
}

async function buckets(): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    'select quota, token, allowance::integer, remaining::integer, resets_at, blocked_until from job_quotas order by quota',
  );
  return rows;
}

const failure = (request: Promise<unknown>): Promise<Error> =>
  request.then(
    () => new Error('GitHub answered'),
    (error: Error) => error,
  );

describe('what GitHub says of its quotas', () => {
  it('is read from the headers of REST and from the rateLimit of GraphQL, into one bucket each', async () => {
    const github = connect({ token: 'ghp_first' });
    await github.rest.pulls.get(pull);
    await github.graphql(query, {});
    await vi.waitFor(async () => expect(await buckets()).toHaveLength(2), 10_000);
    const [core, graphql] = await buckets();
    const told = { allowance: 100, resets_at: expect.any(Date) as Date, blocked_until: null };
    expect(core).toMatchObject({ quota: 'github:core', remaining: expect.any(Number) as number, ...told });
    expect(graphql).toMatchObject({ quota: 'github:graphql', ...told });
    expect(core?.['token']).toMatch(/^[0-9a-f]{12}$/);
    expect(core?.['token']).toBe(graphql?.['token']);
  });

  it('is written once for a burst of requests', async () => {
    const calls: string[] = [];
    const rpc: UncheckedRpc = (name, ...rest) => {
      calls.push(name);
      return database.rpc(name, ...rest);
    };
    const github = connect({ rpc });
    for (let n = 0; n < 5; n += 1) await github.rest.pulls.get(pull);
    const { remaining } = (await github.rest.rateLimit.get()).data.resources.core;
    await vi.waitFor(async () => expect(await buckets()).toMatchObject([{ remaining }]), 10_000);
    expect(calls).toEqual(['report_job_quotas']);
  });

  it('names each token by a fingerprint, and requests without one as anonymous', async () => {
    standIn.faults.add({ kind: 'secondary-limit', times: 3 });
    for (const token of ['ghp_first', 'ghp_second', undefined])
      await failure(connect(token === undefined ? {} : { token }).rest.pulls.get(pull));
    const tokens = (await buckets()).map(({ token }) => token as string);
    expect(new Set(tokens).size).toBe(3);
    expect(tokens).toContain('anonymous');
    expect(tokens.join()).not.toMatch(/first|second/);
  });
});

describe('a refused token', () => {
  it.each([
    ['nothing at all', '0', '0'],
    ["the network address's allowance", '60', '0'],
  ])('spends no quota, where GitHub tells of %s', async (_case, limit, remaining) => {
    const reset = String(Math.ceil(Date.now() / 1000) + 600);
    const names = ['limit', 'remaining', 'reset'].map((name) => `x-ratelimit-${name}`);
    const headers = Object.fromEntries(names.map((name, i) => [name, [limit, remaining, reset][i] ?? '']));
    const fetch = () =>
      Promise.resolve(Response.json({ message: 'Bad credentials' }, { status: 401, headers }));
    const github = connect({ token: 'ghp_revoked', fetch });
    for (let n = 0; n < 2; n += 1) {
      const error = await failure(github.graphql(query, {}));
      expect(error).toBeInstanceOf(NonRetryableError);
      expect(error.message).toContain('The token in GITHUB_TOKEN');
    }
    expect(await buckets()).toEqual([]);
  });
});

describe('a rate limit', () => {
  it.each([
    { kind: 'primary-limit', resetSeconds: 600 },
    { kind: 'secondary-limit', retryAfterSeconds: 600 },
    { kind: 'secondary-limit', retryAfterSeconds: 600, status: 429 },
  ] as const)('is known to every process before the job gives up: %j', async (fault) => {
    standIn.faults.add(fault);
    const error = await failure(connect().rest.pulls.get(pull));
    expect(error).toBeInstanceOf(SnoozeError);
    expect(await buckets()).toMatchObject([
      { quota: 'github:core', blocked_until: (error as SnoozeError).until },
    ]);
  });

  it('of GraphQL leaves REST alone', async () => {
    standIn.faults.add({ kind: 'graphql-rate-limited', resetSeconds: 600 });
    const github = connect();
    await failure(github.graphql(query, {}));
    expect(await buckets()).toMatchObject([{ quota: 'github:graphql', remaining: 0 }]);
    await github.rest.pulls.get(pull);
  });

  it('keeps the process from asking again until it is over', async () => {
    standIn.faults.add({ kind: 'secondary-limit', retryAfterSeconds: 600 });
    const github = connect();
    const first = (await failure(github.rest.pulls.get(pull))) as SnoozeError;
    const asked = standIn.requests.length;
    const second = (await failure(github.rest.pulls.get(pull))) as SnoozeError;
    expect(second).toBeInstanceOf(SnoozeError);
    expect(second.until).toEqual(first.until);
    expect(second.message).toContain('github:core is exhausted');
    expect(standIn.requests).toHaveLength(asked);
    expect(github.requestCount).toBe(1);
  });

  it('ends the job in its snooze even when the database cannot be told', async () => {
    standIn.faults.add({ kind: 'secondary-limit', retryAfterSeconds: 600 });
    const rpc = () => Promise.reject(new Error('database is away'));
    expect(await failure(connect({ rpc }).rest.pulls.get(pull))).toBeInstanceOf(SnoozeError);
  });
});
