import { vi } from 'vitest';
import type { GitHub } from '../../src/github/github.ts';
import { catalog } from '../../src/jobs/catalog.ts';
import type { GitHubStandIn } from '../../src/local/github/stand-in.ts';
import { createJobQueue, type JobRow } from '../../src/queue/job-queue.ts';
import { perform } from '../../src/queue/perform.ts';
import type { TestDatabase } from './database.ts';
import { testHost } from './queue-host.ts';

/** Enqueues a job of the catalog and returns its id. */
export async function enqueueJob({ rpc }: TestDatabase, type: string, payload: unknown): Promise<string> {
  const [job] = await createJobQueue(rpc).enqueue([{ type, payload, lane: 'edge' }]);
  if (!job) throw new Error(`${type}: the job was not enqueued`);
  return job.id;
}

/** Runs the next attempt of a waiting job, whatever time it waits for. */
export async function nextAttempt(
  { rpc }: TestDatabase,
  github: GitHub,
  id: string,
  shutdown: AbortSignal = new AbortController().signal,
): Promise<JobRow> {
  const queue = createJobQueue(rpc);
  const claimed = await queue.claimOne(id, 'test', 60);
  if (!claimed) throw new Error(`job ${id}: could not be claimed`);
  await perform(claimed, testHost({ queue, rpc, catalog }, { github: () => github, shutdown }));
  const row = await queue.get(id);
  if (!row) throw new Error(`job ${id}: the row is gone`);
  return row;
}

/**
 * Runs an attempt whose process is lost while it waits for the answer to its n-th request (from 0): the lease expires,
 * and the sweep gives the job back.
 */
export async function lostAttempt(
  database: TestDatabase,
  github: GitHub,
  standIn: GitHubStandIn,
  id: string,
  n: number,
): Promise<void> {
  const asked = standIn.requests.length;
  standIn.faults.add({ kind: 'hang', skip: n });
  const shutdown = new AbortController();
  const attempt = nextAttempt(database, github, id, shutdown.signal);
  try {
    await vi.waitUntil(() => standIn.requests.length > asked + n, { timeout: 20_000, interval: 5 });
    const expired = `set lease_until = now() - interval '1 second' where '${id}' =`;
    // The trigger that gives a job back when somebody edits its lease by hand must not see this.
    await database.pool.query(`begin; set local session_replication_role = replica;
      update background_job_leases ${expired} any (job_ids);
      update background_jobs ${expired} id; commit`);
    await database.rpc('sweep_background_jobs');
  } finally {
    shutdown.abort();
    await attempt;
  }
}
