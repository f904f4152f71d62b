import type pg from 'pg';
import { runJob, type JobRun } from './job-run.ts';
import { measured, type Measured, type Place } from './place.ts';
import { captureOneByOne } from './rest-baseline.ts';

export const owner = 'octo-org';
/** Has exactly the 100 pull requests of one page. */
export const hundred = 'hundred';
/** Has several pages of pull requests with reviews and comments. */
export const large = 'large';

export interface BaselineRun extends Measured {
  /** One for each SQL statement. */
  roundTrips: { job: number };
}

/** 100 pull requests by the job `capture/repository.sync.graphql`, into empty tables. */
export async function bulkRound(place: Place): Promise<JobRun> {
  await empty(place.pool);
  const run = await runJob(place, 'capture/repository.sync.graphql', { owner, repo: hundred });
  await expectPullRequests(place.pool, 100);
  return run;
}

/** The same by one request and one statement each, into empty tables. */
export async function baselineRound(place: Place): Promise<BaselineRun> {
  const { pool, github, log } = place;
  await empty(pool);
  let statements = 0;
  const figures = await measured(place, async () => {
    statements = await captureOneByOne(github.client(log), pool, { owner, repo: hundred });
  });
  await expectPullRequests(pool, 100);
  return { ...figures, roundTrips: { job: statements } };
}

/** A large repository by the job `capture/repository.sync.enhanced`, into empty tables. */
export async function enhancedRound(place: Place, pullRequests: number): Promise<JobRun> {
  await empty(place.pool);
  const run = await runJob(place, 'capture/repository.sync.enhanced', { owner, repo: large });
  await expectPullRequests(place.pool, pullRequests);
  return run;
}

async function empty(pool: pg.Pool): Promise<void> {
  await pool.query('truncate background_jobs, repositories, contributors cascade');
}

async function expectPullRequests(pool: pg.Pool, expected: number): Promise<void> {
  const { rows } = await pool.query<{ count: number }>(
    'select count(*)::integer as count from pull_requests',
  );
  if (rows[0]?.count !== expected)
    throw new Error(`expected ${expected} pull requests in the database, got ${rows[0]?.count}`);
}
