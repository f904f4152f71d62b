import { setTimeout as sleep } from 'node:timers/promises';
import { postgresCpuMs } from '../cpu.ts';
import { milliseconds } from '../measure.ts';
import type { Entrant } from './arena.ts';
import type { Workers } from './worker.ts';

/** What a piece of work took; CPU in milliseconds over all cores. */
export interface Cost {
  ms: number;
  walBytes: number;
  postgresCpuMs: number;
  /** Of this process, which enqueues. */
  clientCpuMs: number;
  workerCpuMs: number;
}

export async function costOf({ pool }: Entrant, workers: Workers, work: () => Promise<void>): Promise<Cost> {
  const look = async () => ({
    wal: await walPosition(pool),
    postgres: await postgresCpuMs(pool),
    workers: await workers.cpuMs(),
    client: process.cpuUsage(),
  });
  const before = await look();
  const ms = await milliseconds(work);
  const { user, system } = process.cpuUsage(before.client);
  const after = await look();
  return {
    ms,
    walBytes: after.wal - before.wal,
    postgresCpuMs: after.postgres - before.postgres,
    clientCpuMs: (user + system) / 1000,
    workerCpuMs: after.workers - before.workers,
  };
}

async function walPosition(pool: Entrant['pool']): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>(
    `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text as bytes`,
  );
  return Number(rows[0]?.bytes);
}

/** A drain without a report for so long has stopped, in milliseconds. */
const silenceMs = 60_000;
const lookMs = 2;

/**
 * Waits until the workers' handlers have started `jobs` jobs, and the queue has noted the end of each.
 * @param sum - of the jobs' numbers
 * @throws {Error} not all of them ran, or some ran twice
 */
export async function drained(
  { contender, producer }: Entrant,
  workers: Workers,
  { jobs, sum }: { jobs: number; sum: number },
): Promise<void> {
  const refuse = (): never => {
    throw new Error(
      `${contender.name}: expected ${jobs} jobs with the sum ${sum}, ${workers.ran()} ran with ${workers.sum()}`,
    );
  };
  const all = Promise.withResolvers<void>();
  let alarm = setTimeout(all.resolve, silenceMs);
  workers.onReport(() => {
    clearTimeout(alarm);
    if (workers.ran() >= jobs) all.resolve();
    else alarm = setTimeout(all.resolve, silenceMs);
  });
  if (workers.ran() >= jobs) all.resolve();
  await all.promise;
  clearTimeout(alarm);
  if (workers.ran() < jobs) refuse();
  while ((await producer.unfinished()) > 0) await sleep(lookMs);
  if (workers.ran() !== jobs || workers.sum() !== sum) refuse();
}
