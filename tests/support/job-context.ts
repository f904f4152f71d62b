import { catalog } from '../../src/jobs/catalog.ts';
import type { GitHub } from '../../src/github/github.ts';
import { createJobQueue, type JobRow } from '../../src/queue/job-queue.ts';
import { perform } from '../../src/queue/perform.ts';
import type { TestDatabase } from './database.ts';
import { testHost } from './queue-host.ts';

type Database = Pick<TestDatabase, 'rpc'>;

/** Enqueues a job of the catalog, runs one attempt of it as a worker would, and returns its row. */
export async function runJob(
  database: Database,
  github: GitHub,
  type: string,
  payload: unknown,
): Promise<JobRow> {
  return await runAttempt(database, github, await enqueueJob(database, type, payload));
}

/** Enqueues a job of the catalog for the edge lane, and returns its id. */
export async function enqueueJob({ rpc }: Database, type: string, payload: unknown): Promise<string> {
  const [job] = await createJobQueue(rpc).enqueue([{ type, payload, lane: 'edge' }]);
  if (!job) throw new Error(`${type}: the job could not be enqueued`);
  return job.id;
}

/** Runs one attempt of a job that is due; `shutdown` sends its host away in the middle. */
export async function runAttempt(
  { rpc }: Database,
  github: GitHub,
  jobId: string,
  shutdown: AbortSignal = new AbortController().signal,
): Promise<JobRow> {
  const queue = createJobQueue(rpc);
  const claimed = await queue.claimOne(jobId, 'test', 60);
  if (!claimed) throw new Error(`job ${jobId} could not be claimed`);
  const host = testHost(
    { queue, rpc, catalog },
    // The host's own grace: these jobs have answers to store before they end.
    { leaseSeconds: 60, github: () => github, shutdown, graceMs: 3_000 },
  );
  await perform(claimed, host);
  const row = await queue.get(claimed.id);
  if (!row) throw new Error(`job ${jobId} is gone`);
  return row;
}
