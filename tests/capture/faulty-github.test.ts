import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGitHub } from '../../src/github/create-github.ts';
import type { GitHub } from '../../src/github/github.ts';
import { generateRepository, type Repository } from '../../src/local/github/data/repository.ts';
import type { Fault } from '../../src/local/github/faults.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../src/local/github/stand-in.ts';
import type { JobRow } from '../../src/queue/job-queue.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../support/database.ts';
import { enqueueJob, runAttempt } from '../support/job-context.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { captureCases, labelOf, type CaptureCase } from './capture-cases.ts';
import { clear, storedRows, type StoredRows } from './stored-rows.ts';
import { truthAbout } from './truth.ts';

const recipe = { owner: 'octo-org', name: 'small', seed: 3, pullRequests: 9, issues: 5, discussions: 4 };
let standIn: GitHubStandIn;
let repository: Repository;
let database: TestDatabase;

beforeAll(async () => {
  standIn = await startGitHubStandIn({ repositories: [recipe] });
  const small = standIn.data.repository('octo-org/small');
  if (!small) throw new Error('the stand-in has lost the repository');
  repository = small;
  database = await createTestDatabase();
});

afterAll(async () => {
  await expectSoundQueue(database.pool);
  await database.close();
  await standIn.close();
});

beforeEach(() => standIn.faults.clear());

const token = 'ghp_a_secret';
const clientWith = (requestTimeoutMs: number): GitHub =>
  createGitHub({
    token,
    tokenName: 'GITHUB_TOKEN',
    baseUrl: standIn.url,
    log: silentLogger,
    requestTimeoutMs,
  });

/** How an attempt ends: put off until a time, free of charge; tried again later; failed for good. */
type End = 'snoozed' | 'retried' | 'failed';

interface FaultCase {
  label: string;
  fault: Fault;
  end: End;
  /** Where a smaller page is tried at once instead. */
  isAboutSize?: true;
  /** Seconds after the attempt before which it is not run again. */
  wait?: number;
  /** What the row says. */
  says: RegExp;
}

const onBoth: FaultCase[] = [
  {
    label: 'the primary limit (403)',
    fault: { kind: 'primary-limit', resetSeconds: 600 },
    ...{ end: 'snoozed', wait: 599, says: /rate limit/i },
  },
  {
    label: 'the primary limit (429)',
    fault: { kind: 'primary-limit', status: 429, resetSeconds: 600 },
    ...{ end: 'snoozed', wait: 599, says: /rate limit/i },
  },
  {
    label: 'the secondary limit (403)',
    fault: { kind: 'secondary-limit', retryAfterSeconds: 90 },
    ...{ end: 'snoozed', wait: 90, says: /rate limit/i },
  },
  {
    label: 'the secondary limit (429)',
    fault: { kind: 'secondary-limit', status: 429, retryAfterSeconds: 90 },
    ...{ end: 'snoozed', wait: 90, says: /rate limit/i },
  },
  { label: 'a 500', fault: { kind: 'server-error' }, end: 'retried', says: /GitHub answered 500/ },
  {
    label: 'a 502',
    fault: { kind: 'bad-gateway' },
    ...{ end: 'retried', isAboutSize: true, says: /GitHub answered 502/ },
  },
  {
    label: 'no answer in time',
    fault: { kind: 'hang' },
    ...{ end: 'retried', isAboutSize: true, says: /no answer within/ },
  },
  { label: 'half a body', fault: { kind: 'truncated' }, end: 'retried', says: /GitHub/ },
  { label: 'a 404', fault: { kind: 'not-found' }, end: 'failed', says: /GitHub answered 404/ },
  { label: 'a 410', fault: { kind: 'gone' }, end: 'failed', says: /GitHub answered 410/ },
  {
    label: 'a 451',
    fault: { kind: 'unavailable-for-legal-reasons' },
    ...{ end: 'failed', says: /GitHub answered 451/ },
  },
  { label: 'a 401', fault: { kind: 'unauthorized' }, end: 'failed', says: /GITHUB_TOKEN is wrong/ },
];

const onGraphQL: FaultCase[] = [
  ...onBoth,
  {
    label: 'RATE_LIMITED with status 200',
    fault: { kind: 'graphql-rate-limited', resetSeconds: 600 },
    ...{ end: 'snoozed', wait: 599, says: /rate limit/i },
  },
  {
    label: 'a time-out with status 200',
    fault: { kind: 'graphql-timeout' },
    ...{ end: 'retried', isAboutSize: true, says: /timeout/ },
  },
  {
    label: 'a part that is missing, and errors',
    fault: { kind: 'graphql-partial' },
    ...{ end: 'retried', says: /went wrong/ },
  },
];

interface Undisturbed {
  rows: StoredRows;
  requests: number;
}

describe.each(captureCases.map((capture) => ({ label: labelOf(capture), capture })))(
  '$label',
  ({ capture }) => {
    let undisturbed: Undisturbed;
    const faults = capture.api === 'graphql' ? onGraphQL : onBoth;
    const path = capture.api === 'graphql' ? '/graphql' : '/repos/*';

    beforeAll(async () => {
      const asked = standIn.requests.length;
      const job = await runAttempt(database, clientWith(30_000), await enqueue(capture));
      expect(job).toMatchObject({ status: 'completed' });
      undisturbed = { rows: await storedRows(database), requests: standIn.requests.length - asked };
    });

    /** One attempt that meets the fault at its last request, or at all of them. */
    async function meet({ fault }: FaultCase, times: 1 | 'always'): Promise<JobRow> {
      const id = await enqueue(capture);
      const skip = times === 1 ? undisturbed.requests - 1 : 0;
      standIn.faults.add({ ...fault, match: { path }, skip, times });
      const job = await runAttempt(database, clientWith(fault.kind === 'hang' ? 300 : 30_000), id);
      standIn.faults.clear();
      return job;
    }

    const atOnce = faults.filter(({ isAboutSize }) => capture.shrinks && isAboutSize);
    const overRest = faults.filter(({ end }) => capture.fallsBack && end !== 'failed');
    const atTheLast = faults.filter((fault) => !atOnce.includes(fault) && !overRest.includes(fault));
    // One that hangs is as one that answers 502, and takes its time.
    const atEvery = atOnce.filter((fault) => !overRest.includes(fault) && fault.fault.kind !== 'hang');

    it.each(atTheLast)('at its last request, $label: $end, and then it completes', async (fault) => {
      const job = await meet(fault, 1);
      await expectEnd(job, fault);
      await expectCompletion(job, fault, undisturbed.rows);
    });

    it.each(atOnce)('at its last request, $label: a smaller page at once', async (fault) => {
      const asked = standIn.requests.length;
      expect(await meet(fault, 1)).toMatchObject({ status: 'completed', retryCount: 0 });
      expect(standIn.requests.length - asked).toBeGreaterThan(undisturbed.requests);
      expect(await storedRows(database)).toEqual(undisturbed.rows);
    });

    it.each(atEvery)('at every request, $label: $end, and then it completes', async (fault) => {
      const job = await meet(fault, 'always');
      await expectEnd(job, fault);
      await expectCompletion(job, fault, undisturbed.rows);
    });

    it.each(overRest)('at every request over GraphQL, $label: REST serves', async (fault) => {
      const job = await meet(fault, 'always');
      expect(job).toMatchObject({ status: 'completed', retryCount: 0, result: { api: 'rest' } });
      expect((job.result as { fallback: string }).fallback).toMatch(fault.says);
      const listed = truthAbout(repository, { listedPullRequests: repository.pullRequests() });
      expect(await storedRows(database)).toMatchObject(listed);
      // The next run has what REST does not list.
      const next = await enqueueJob(database, capture.type, { ...lastPayload(capture), force: true });
      expect(await runAttempt(database, clientWith(30_000), next)).toMatchObject({ status: 'completed' });
      expect(await storedRows(database)).toEqual(undisturbed.rows);
    });

    if (namesRepository(capture))
      it('fails for good for a repository that GitHub does not know', async () => {
        await clear(database);
        const unknown = { ...lastPayload(capture), repository: 'octo-org/nowhere' };
        const id = await enqueueJob(database, capture.type, unknown);
        const job = await runAttempt(database, clientWith(30_000), id);
        expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
      });
  },
);

function namesRepository(capture: CaptureCase): boolean {
  return 'repository' in (capture.payloads(generateRepository(recipe))[0] ?? {});
}

function lastPayload(capture: CaptureCase): Record<string, unknown> | undefined {
  return capture.payloads(repository).at(-1);
}

async function enqueue(capture: CaptureCase): Promise<string> {
  await clear(database);
  await capture.prepare?.(database, standIn.data);
  return await enqueueJob(database, capture.type, lastPayload(capture));
}

async function expectEnd(job: JobRow, { end, wait = 0, says }: FaultCase): Promise<void> {
  const { rows: attempts } = await database.pool.query<AttemptRow>(
    'select outcome, ended_at, error from background_job_attempts where job_id = $1',
    [job.id],
  );
  const [attempt] = attempts;
  expect(attempts).toEqual([expect.objectContaining({ outcome: end === 'snoozed' ? 'snoozed' : 'failed' })]);
  expect(JSON.stringify(attempt?.error)).toMatch(says);
  expect(JSON.stringify([job, attempt])).not.toContain(token);
  const { status, retryCount, runAt } = job;
  const ends = {
    snoozed: { status: 'queued', retryCount: 0 },
    retried: { status: 'queued', retryCount: 1 },
    failed: { status: 'failed', retryCount: 0 },
  };
  expect({ status, retryCount }).toEqual(ends[end]);
  if (end === 'retried') expect(runAt > (attempt?.ended_at ?? runAt)).toBe(true);
  if (end === 'snoozed') expectWait(runAt, attempt?.ended_at, wait);
}

interface AttemptRow {
  outcome: string;
  ended_at: Date;
  error: unknown;
}

/** The attempt began up to a minute before its end, whatever the machine does. */
function expectWait(runAt: Date, endedAt: Date | undefined, seconds: number): void {
  const waited = (runAt.getTime() - (endedAt?.getTime() ?? 0)) / 1000;
  expect(waited).toBeGreaterThan(seconds - 60);
  expect(waited).toBeLessThan(seconds + 3);
}

/** The next attempt finds GitHub well; what failed for good is sent again by an operator. */
async function expectCompletion({ id }: JobRow, { end }: FaultCase, rows: StoredRows): Promise<void> {
  if (end === 'failed') await database.pool.query('select retry_failed_job($1, force => true)', [id]);
  const job = await runAttempt(database, clientWith(30_000), id);
  expect(job).toMatchObject({ status: 'completed', retryCount: end === 'snoozed' ? 0 : 1 });
  expect(await storedRows(database)).toEqual(rows);
}
