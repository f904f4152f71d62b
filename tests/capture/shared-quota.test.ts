import pg from 'pg';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createPgRpc } from '../../src/database/pg-rpc.ts';
import { createSharedGitHub } from '../../src/github/shared-github.ts';
import { catalog } from '../../src/jobs/catalog.ts';
import type { RecordedRequest } from '../../src/local/github/recorded-request.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../src/local/github/stand-in.ts';
import { drain } from '../../src/queue/drain.ts';
import { createJobQueue, type NewJob } from '../../src/queue/job-queue.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../support/database.ts';
import { testHost } from '../support/queue-host.ts';
import { silentLogger } from '../support/silent-logger.ts';

/** Requests that GitHub serves before its first reset, which is an odd number: a job needs two. */
const remaining = 7;
const jobs = 12;

let database: TestDatabase;
let standIn: GitHubStandIn;
/** When GitHub serves again, in milliseconds since the epoch. */
let resetsAt: number;
let processes: Process[];

/** A process of its own as far as the others can tell: it shares nothing with them but the database. */
interface Process {
  /** Runs what it can claim, until it can claim nothing. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

beforeEach(async () => {
  database = await createTestDatabase();
  const recipe = { owner: 'octo-org', name: 'shared', pullRequests: jobs };
  const rateLimit = { remaining, resetSeconds: 4 };
  standIn = await startGitHubStandIn({ rateLimit, repositories: [recipe] });
  const answer = await fetch(`${standIn.url}/rate_limit`);
  resetsAt = Number(answer.headers.get('x-ratelimit-reset')) * 1000;
  processes = ['first', 'second'].map(startProcess);
  const queue = createJobQueue(database.rpc);
  await queue.syncJobTypes(catalog);
  await queue.enqueue(Array.from({ length: jobs }, (_, n) => reviewsOf(n + 1)));
});

afterEach(async () => {
  await expectSoundQueue(database.pool);
  await Promise.all(processes.map((each) => each.close()));
  await standIn.close();
  await database.close();
});

function reviewsOf(prNumber: number): NewJob {
  return { type: 'capture/pr.reviews', payload: { repository: 'octo-org/shared', prNumber }, lane: 'edge' };
}

function startProcess(worker: string): Process {
  const pool = new pg.Pool({ connectionString: database.url, max: 4 });
  const rpc = createPgRpc(pool);
  const github = createSharedGitHub({
    ...{ token: 'one-token', tokenName: 'GITHUB_TOKEN', baseUrl: standIn.url },
    ...{ rpc, log: silentLogger },
  });
  const queue = createJobQueue(rpc);
  return {
    drain: async () => {
      const host = testHost({ queue, rpc, catalog }, { github });
      const stopClaimingAt = host.stopStepsAt;
      await queue.sweep();
      await drain({ host, lane: 'edge', worker, concurrency: 1, stopClaimingAt });
    },
    close: () => pool.end(),
  };
}

async function countQueued(): Promise<number> {
  const { rows } = await database.pool.query("select 1 from background_jobs where status <> 'completed'");
  return rows.length;
}

async function drainUntilDone(running: readonly Process[]): Promise<void> {
  const finish = async (each: Process): Promise<boolean> => {
    await each.drain();
    return (await countQueued()) === 0;
  };
  await Promise.all(
    running.map((each) => vi.waitUntil(() => finish(each), { timeout: 50_000, interval: 100 })),
  );
}

/** What GitHub was asked for while it served nothing any more. */
function askedInVain(): RecordedRequest[] {
  const paid = standIn.requests.filter(({ path }) => path !== '/rate_limit');
  return paid.slice(remaining).filter(({ receivedAt }) => receivedAt < resetsAt);
}

/** Attempts that began while GitHub served nothing any more; `capture` of the last request that it served. */
async function attemptsInVain(): Promise<number> {
  const lastServed = standIn.requests.filter(({ path }) => path !== '/rate_limit')[remaining - 1];
  const { rows } = await database.pool.query(
    'select 1 from background_job_attempts where started_at > $1 and started_at < $2',
    [new Date(lastServed?.receivedAt ?? 0), new Date(resetsAt)],
  );
  return rows.length;
}

async function expectAllDoneWithoutRetries(): Promise<void> {
  const { rows } = await database.pool.query(
    'select status, retry_count, result from background_jobs order by id',
  );
  expect(rows).toHaveLength(jobs);
  for (const row of rows)
    expect(row).toMatchObject({ status: 'completed', retry_count: 0, result: { githubRequests: 2 } });
}

it('what one process learns of the quota keeps the other from starting anything, until the reset', async () => {
  const [first, second] = processes as [Process, Process];
  await first.drain();
  await drainUntilDone([first, second]);
  expect(askedInVain()).toEqual([]);
  expect(await attemptsInVain()).toBe(0);
  await expectAllDoneWithoutRetries();
}, 60_000);

it('two processes that run into the limit at once ask in vain at most once', async () => {
  await drainUntilDone(processes);
  // Only the process that did not get the last answer may still ask, in the job that it is running.
  expect(askedInVain().length).toBeLessThanOrEqual(1);
  await expectAllDoneWithoutRetries();
}, 60_000);
