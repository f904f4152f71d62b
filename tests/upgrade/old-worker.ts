import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';
import { RpcError } from '../../src/database/rpc.ts';
import type { OldClaim, OldClient } from './old-client.ts';

export interface OldWorker {
  /** Resolves when it has ended so many jobs more. */
  endsMore(jobs: number): Promise<void>;
  /** @returns how many jobs it has enqueued */
  stop(): Promise<number>;
}

/** A process of the first release: it enqueues jobs of type `test/storm` and works on them, until it is told to stop. */
export function startOldWorker(old: OldClient): OldWorker {
  let enqueued = 0;
  let ended = 0;
  let stopping = false;

  async function turn(): Promise<void> {
    const keyed = { concurrency_key: 'storm', concurrency_limit: 2 };
    enqueued += (await retried(() => old.enqueue({ type: 'test/storm' }, { type: 'test/storm', ...keyed })))
      .length;
    const jobs = await retried(() => old.claim('edge', ['test/storm'], 5));
    for (const job of jobs) await retried(() => work(old, job));
    ended += jobs.length;
  }

  async function run(): Promise<void> {
    while (!stopping) await turn();
  }

  const done = run();
  return {
    async endsMore(jobs) {
      const before = ended;
      await Promise.race([done, vi.waitUntil(() => ended >= before + jobs, { timeout: 60_000 })]);
    },
    async stop() {
      stopping = true;
      await done;
      return enqueued;
    },
  };
}

async function work(old: OldClient, job: OldClaim): Promise<void> {
  await old.heartbeat([job]);
  await old.saveStep(job, 'only', 1);
  await old.reportProgress(job, 50);
  await old.complete(job);
}

/**
 * Repeats what met a migration: its locks, or a function that was replaced during the call. The processes of a release do
 * so at their next look, or leave the job to the sweep.
 */
async function retried<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof RpcError) || tries === 20) throw error;
    }
    await sleep(20);
  }
}
