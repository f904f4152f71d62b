import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitHub } from '../../src/github/create-github.ts';
import type { GitHub } from '../../src/github/github.ts';
import type { Repository } from '../../src/local/github/data/repository.ts';
import type { RecordedRequest } from '../../src/local/github/recorded-request.ts';
import type { GitHubStandIn } from '../../src/local/github/stand-in.ts';
import { createJobQueue } from '../../src/queue/job-queue.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../support/database.ts';
import { enqueueJob, runAttempt } from '../support/job-context.ts';
import { expireLease, lostAttempt } from '../support/killed-attempt.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { captureCases, labelOf, type CaptureCase } from './capture-cases.ts';
import { startPagedWorld } from './paged-world.ts';
import { clear, storedRows, type StoredRows } from './stored-rows.ts';

let standIn: GitHubStandIn;
let repository: Repository;
let database: TestDatabase;
let github: GitHub;

beforeAll(async () => {
  ({ standIn, repository } = await startPagedWorld());
  database = await createTestDatabase();
  github = createGitHub({
    token: 'test-token',
    tokenName: 'GITHUB_TOKEN',
    baseUrl: standIn.url,
    log: silentLogger,
  });
});

afterAll(async () => {
  await expectSoundQueue(database.pool);
  await database.close();
  await standIn.close();
});

/** What a run that nobody disturbed did. */
interface Undisturbed {
  result: unknown;
  rows: StoredRows;
  requests: string[];
  /** How many requests had been made when each of its steps was saved. */
  saves: number[];
}

describe.each(captureCases.map((capture) => ({ label: labelOf(capture), capture })))(
  '$label',
  ({ capture }) => {
    let undisturbed: Undisturbed;

    beforeAll(async () => {
      undisturbed = await runUndisturbed(capture);
    });

    it('killed at any request, goes on there, and asks for nothing again that was saved', async () => {
      for (const n of undisturbed.requests.keys()) {
        const id = await enqueue(capture);
        await lostAttempt(database, github, standIn, id, n);
        await expectSameEnd(id, undisturbed, Math.max(0, ...undisturbed.saves.filter((made) => made <= n)));
      }
    });

    it('killed after a page was stored and before that was saved, repeats at most that page', async () => {
      for (const k of undisturbed.saves.keys()) {
        const id = await enqueue(capture);
        await runAttempt(killedAt(/^save_background_job_step$/, k, id), github, id);
        const asked = standIn.requests.length;
        expect(await runAttempt(database, github, id)).toMatchObject({ status: 'completed', retryCount: 1 });
        expect(await storedRows(database)).toEqual(undisturbed.rows);
        // What is stored may be fresh, and then is not asked for.
        const expected = undisturbed.requests.slice(undisturbed.saves[k - 1] ?? 0);
        expect(expected).toEqual(expect.arrayContaining(requestsSince(asked)));
        expect(standIn.requests.length - asked).toBeLessThanOrEqual(expected.length);
      }
    });

    it('paused before it stores something, and left behind, changes nothing when it goes on', async () => {
      const id = await enqueue(capture);
      const before = await storedRows(database);
      let late = 0;
      const rpc: TestDatabase['rpc'] = async (name, args, options) => {
        if (late === 0 && changes(name)) await handOver(id);
        if (changes(name)) late += 1;
        return await database.rpc(name, args, options);
      };
      expect(await runAttempt({ rpc }, github, id)).toMatchObject({ status: 'processing' });
      // One refusal is enough: the attempt knows then that it has lost the job.
      expect(late).toBe(1);
      expect(await storedRows(database)).toEqual(before);
      await database.pool.query(
        `update background_jobs set status = 'queued', run_at = now() where id = $1`,
        [id],
      );
      expect(await runAttempt(database, github, id)).toMatchObject({ status: 'completed' });
      expect(await storedRows(database)).toEqual(undisturbed.rows);
    });

    it('killed when all is done and nobody knows, asks for nothing that was saved', async () => {
      const id = await enqueue(capture);
      await runAttempt(killedAt(/^complete_/, 0, id), github, id);
      await expectSameEnd(id, undisturbed, undisturbed.saves.at(-1) ?? 0);
    });
  },
);

/** Functions by which jobs change what is captured. */
const changes = (name: string): boolean => /^(upsert|note|record|track|refresh)_/.test(name);

/** The job's lease expires, and another process claims it. */
async function handOver(id: string): Promise<void> {
  await expireLease(database, id);
  await database.pool.query(`update background_jobs set run_at = now() where id = $1`, [id]);
  expect(await createJobQueue(database.rpc).claimOne(id, 'another process', 60)).not.toBeNull();
}

async function enqueue(capture: CaptureCase): Promise<string> {
  await clear(database);
  await capture.prepare?.(database, standIn.data);
  const payload = capture.pagedPayload?.(repository) ?? capture.payloads(repository).at(-1);
  return await enqueueJob(database, capture.type, payload);
}

async function runUndisturbed(capture: CaptureCase): Promise<Undisturbed> {
  const id = await enqueue(capture);
  const asked = standIn.requests.length;
  const saves: number[] = [];
  const rpc: TestDatabase['rpc'] = async (name, args, options) => {
    if (name === 'save_background_job_step') saves.push(standIn.requests.length - asked);
    return await database.rpc(name, args, options);
  };
  const { status, result } = await runAttempt({ rpc }, github, id);
  expect(status).toBe('completed');
  return { result, rows: await storedRows(database), requests: requestsSince(asked), saves };
}

/** The next attempt ends as the undisturbed run did, with its requests from the given one on. */
async function expectSameEnd(id: string, undisturbed: Undisturbed, from: number): Promise<void> {
  const asked = standIn.requests.length;
  const job = await runAttempt(database, github, id);
  expect(job).toMatchObject({ status: 'completed', retryCount: 1 });
  expect(withoutIds(job.result)).toEqual(withoutIds(undisturbed.result));
  expect(requestsSince(asked)).toEqual(undisturbed.requests.slice(from));
  expect(await storedRows(database)).toEqual(undisturbed.rows);
}

/** A database whose lease on the job expires right before the k-th call of a function. */
function killedAt(names: RegExp, k: number, id: string): Pick<TestDatabase, 'rpc'> {
  let calls = 0;
  return {
    rpc: async (name, args, options) => {
      if (names.test(name) && calls++ === k) await expireLease(database, id);
      return await database.rpc(name, args, options);
    },
  };
}

function requestsSince(from: number): string[] {
  return standIn.requests.slice(from).map(nameOf);
}

function nameOf({ method, path, search, graphql }: RecordedRequest): string {
  return `${method} ${path}${search} ${graphql ? JSON.stringify([graphql.query, graphql.variables]) : ''}`;
}

/** Our own ids differ from run to run. */
function withoutIds(result: unknown): unknown {
  return { ...(result as object), repositoryId: null };
}
