import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import { ask } from './ledger/ask.ts';
import { clearLedger } from './ledger/ledger.ts';
import { atTheBlow, recoverySeconds, whatRuns } from './ledger/recovery.ts';
import { findViolations, type Violations } from './ledger/violations.ts';
import { startLoad } from './load.ts';
import { type Random, seeded } from './random.ts';
import type { System } from './system/system.ts';

/** Jobs that have to run when a fault strikes: on the lane that it is about, or on all of them together. */
const busy = { inline: 1, edge: 3, worker: 3, all: 6 };
/** What has not recovered after so long counts as stuck, in seconds. */
const patienceSeconds = 90;

/** What became of the jobs under a fault. */
export interface TrialResult {
  fault: string;
  what: string;
  jobs: number;
  /** Attempts that died with their process. */
  rescued: number;
  /** Seconds after each strike until every job that had been running went on; null: none within the time. */
  recovery: (number | null)[];
  violations: Violations;
}

/** Lets jobs flow, strikes, waits until all that ran goes on, strikes again, and at the end compares the ledger with the rows. */
export async function tryFault(
  system: System,
  fault: Fault,
  options: { strikes: number; seed: number; progress: (what: string, done: number) => void },
): Promise<TrialResult> {
  const random = seeded(options.seed);
  const load = startLoad(system, seeded(random.integer(1, 2 ** 31)));
  const recovery: (number | null)[] = [];
  for (let n = 0; n < options.strikes; n += 1) {
    options.progress(`strike ${n + 1} of ${options.strikes}`, n / options.strikes);
    const seconds = await strikeOnce(system, fault, random, n, options.seed);
    recovery.push(seconds === Infinity ? null : seconds);
    if (seconds === Infinity) break;
  }
  system.controller.disarm();
  options.progress('waiting until all jobs have ended', 0.95);
  const acknowledged = await load.stop();
  await allEnded(system);
  const violations = await findViolations(system.pool(), acknowledged);
  const result = { fault: fault.name, what: fault.what, ...(await counts(system)), recovery, violations };
  await clearLedger(system.pool());
  options.progress('done', 1);
  return result;
}

async function strikeOnce(
  system: System,
  fault: Fault,
  random: Random,
  n: number,
  seed: number,
): Promise<number> {
  await untilBusy(system, fault.lane);
  // At any moment of what the jobs do, not always right after their claim.
  await sleep(random.integer(0, 100));
  const running = await whatRuns(system.pool, fault.lane);
  await fault.strike(system, random, n, seed);
  const after = await whatRuns(system.pool, fault.lane);
  switch (fault.recoversFrom) {
    case 'hit':
      return await recoverySeconds(system.pool, after, after.at, patienceSeconds);
    case 'mended':
      return await recoverySeconds(system.pool, running, after.at, patienceSeconds);
    case 'strike':
    case undefined:
      return await recoverySeconds(system.pool, atTheBlow(running, after), running.at, patienceSeconds);
  }
}

async function untilBusy(system: System, lane: Fault['lane']): Promise<void> {
  while ((await whatRuns(system.pool, lane)).ids.length < busy[lane ?? 'all']) await sleep(20);
}

async function allEnded(system: System): Promise<void> {
  const giveUpAt = Date.now() + patienceSeconds * 1000;
  const open = `select 1 from background_jobs where status in ('queued', 'processing') limit 1`;
  while (Date.now() < giveUpAt && (await ask(system.pool, open)).length > 0) await sleep(100);
}

async function counts(system: System): Promise<Pick<TrialResult, 'jobs' | 'rescued'>> {
  const [row] = await ask<{ jobs: number; rescued: number }>(
    system.pool,
    `select (select count(*)::integer from background_jobs) as jobs,
            (select count(*)::integer from background_job_attempts where outcome = 'rescued') as rescued`,
  );
  return row ?? { jobs: 0, rescued: 0 };
}
