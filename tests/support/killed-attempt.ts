import { vi } from 'vitest';
import type { GitHub } from '../../src/github/github.ts';
import type { GitHubStandIn } from '../../src/local/github/stand-in.ts';
import type { TestDatabase } from './database.ts';
import { runAttempt } from './job-context.ts';

/**
 * Runs an attempt whose process is lost while it waits for the answer to its n-th request (from 0).
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
  const attempt = runAttempt(database, github, id, shutdown.signal);
  try {
    await vi.waitUntil(() => standIn.requests.length > asked + n, { timeout: 20_000, interval: 5 });
    await expireLease(database, id);
  } finally {
    shutdown.abort();
    await attempt;
  }
}

/** The lease of a job expires, as after the death of its process, and the sweep gives the job back. */
export async function expireLease({ pool, rpc }: TestDatabase, id: string): Promise<void> {
  const expired = `set lease_until = now() - interval '1 second' where '${id}' =`;
  // The trigger that gives a job back when somebody edits its lease by hand must not see this.
  await pool.query(`begin; set local session_replication_role = replica;
    update background_job_leases ${expired} any (job_ids);
    update background_jobs ${expired} id; commit`);
  await rpc('sweep_background_jobs');
}
