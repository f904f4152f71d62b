import { expect } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import type { OldClaim, OldClient } from './old-client.ts';

/** The jobs of a queue in the middle of its work, by what they are in the middle of. */
export interface JobsInFlight {
  queued: string[];
  /** Of one concurrency key: the first is running, the others wait for it. */
  keyed: string[];
  /** Due in a moment. */
  scheduled: string;
  backingOff: string;
  snoozed: string;
  paused: string;
  /** Held by an old worker that goes on, ours to end. */
  held: OldClaim;
  heldKeyed: OldClaim;
  /** Its worker has died after a saved step. */
  crashed: string;
  inline: string;
  completed: string;
  failed: string;
  /** What is, or will be, cancelled: the second waits for the first. */
  cancelled: string[];
}

/** The first release whose jobs may wait for others. */
const dependenciesSince = '20261122000700';

const soon = (seconds: number): Date => new Date(Date.now() + seconds * 1000);

/** Puts jobs into every state that a release knows, through its own functions. */
export async function putJobsInFlight(
  old: OldClient,
  database: TestDatabase,
  version: string,
): Promise<JobsInFlight> {
  await old.syncTypes(['test/plain', 'test/steps', 'test/keyed', 'test/paused'].map((type) => ({ type })));
  const only = async (type: string): Promise<OldClaim> => {
    const [job] = await old.claim('edge', [type], 1);
    if (!job) throw new Error(`expected to claim a job of type ${type}`);
    return job;
  };
  const running = async (job: { type: string }): Promise<OldClaim> => {
    await old.enqueue(job);
    return await only(job.type);
  };

  const held = await running({ type: 'test/held' });
  const crashed = await running({ type: 'test/steps' });
  expect(await old.saveStep(crashed, 'first', { page: 1 })).toBe(true);
  const [backingOff, snoozed, completed, failed] = [
    await running({ type: 'test/plain' }),
    await running({ type: 'test/plain' }),
    await running({ type: 'test/plain' }),
    await running({ type: 'test/plain' }),
  ];
  expect(await old.fail(backingOff, true, 1)).toBe('queued');
  expect(await old.snooze(snoozed, soon(1))).toBe('queued');
  expect(await old.complete(completed)).toEqual([true]);
  expect(await old.fail(failed, false)).toBe('failed');
  const keyed = await old.enqueue(
    ...Array.from({ length: 3 }, () => ({
      type: 'test/keyed',
      concurrency_key: 'one',
      concurrency_limit: 1,
    })),
  );
  const heldKeyed = await only('test/keyed');
  const queued = await old.enqueue(
    { type: 'test/plain', payload: { a: 1 }, priority: 5, idempotency_key: 'known' },
    { type: 'test/plain', lane: 'worker' },
  );
  const [scheduled = '', paused = '', cancelled = ''] = await old.enqueue(
    { type: 'test/plain', run_at: soon(1).toISOString() },
    { type: 'test/paused' },
    { type: 'test/plain' },
  );
  await old.pause('test/paused');
  const dependent =
    version < dependenciesSince ? [] : await putDependents(old, held.id, scheduled, cancelled);
  await old.cancel(cancelled);
  const [begun] = await old.begin({ type: 'test/plain' });
  await expireLeases(database, crashed.lease_token, begun?.lease_token ?? '');
  return {
    ...{ queued, keyed, scheduled, paused, held, heldKeyed },
    cancelled: [cancelled, ...dependent],
    backingOff: backingOff.id,
    snoozed: snoozed.id,
    crashed: crashed.id,
    inline: begun?.id ?? '',
    completed: completed.id,
    failed: failed.id,
  };
}

/** @returns the job whose parent will be cancelled, and which is cancelled with it */
async function putDependents(old: OldClient, ...parents: [string, string, string]): Promise<string[]> {
  const [held, scheduled, unwanted] = parents;
  const [, left = ''] = await old.enqueue(
    { type: 'test/plain', depends_on: [held, scheduled] },
    { type: 'test/plain', depends_on: [unwanted] },
  );
  return [left];
}

/** As if the processes that hold these had died a while ago. */
async function expireLeases({ pool }: TestDatabase, ...tokens: string[]): Promise<void> {
  const past = `clock_timestamp() - interval '1 second'`;
  await pool.query(`update background_job_leases set lease_until = ${past} where token = any ($1)`, [tokens]);
  await pool.query(
    `update background_jobs set revision = revision + 1, lease_until = ${past} where lease_token = any ($1)`,
    [tokens],
  );
}
